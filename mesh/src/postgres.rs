//! A PostgreSQL server of the tests' own, from Debian's package: on a free port, in a temporary folder.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::plan;

const READY_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Debian's user for it: the server refuses to run as root.
const USER: &str = "postgres";

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    address: SocketAddr,
    folder: PathBuf,
    process: Child,
}

impl Postgres {
    /// Starts one, or says that none is installed.
    pub async fn start() -> Result<Option<Self>> {
        let Some(binaries) = binaries() else { return Ok(None) };
        let folder = std::env::temp_dir().join(format!("finpay-postgres-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("{}", folder.display()))?;
        let as_root = rustix::process::geteuid().is_root();
        if as_root {
            let [user, group] = ["-u", "-g"].map(id);
            chown(&folder, Some(user?), Some(group?)).with_context(|| format!("{}", folder.display()))?;
        }
        let data = folder.join("data");
        let mut initdb = command(as_root, &binaries.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--username=finpay",
            "-D",
        ]);
        let output = initdb.arg(&data).output().await.context("initdb cannot be run")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut server = command(as_root, &binaries.join("postgres"));
        server.arg("-D").arg(&data).args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        server.args(["-p", &address.port().to_string()]);
        let log = fs::File::create(folder.join("log")).with_context(|| format!("{}", folder.display()))?;
        let process = server.stderr(log).spawn().context("postgres cannot be run")?;
        let mut started = Self { address, folder, process };
        started.ready(&binaries.join("pg_isready")).await?;
        Ok(Some(started))
    }

    async fn ready(&mut self, pg_isready: &Path) -> Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("postgres ended ({status}): {}", log.lines().last().unwrap_or("it says nothing"));
            }
            let mut ask = Command::new(pg_isready);
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.address.port().to_string()]);
            if ask.status().await.context("pg_isready cannot be run")?.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("postgres is not ready after {} s", READY_LIMIT.as_secs())
    }

    /// `postgres://USER@HOST:PORT`, without a database.
    pub fn url(&self) -> String {
        format!("postgres://finpay@{}", self.address)
    }

    /// Ends it and removes its folder.
    pub async fn stop(mut self) {
        if let Some(pid) = self.process.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
        {
            // Clients are cut off; data are written.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        if timeout(STOP_LIMIT, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of its programs. Debian keeps them out of PATH, by version: the newest.
pub fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let by_version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = versions.max_by_key(by_version).map(|version| version.join("bin"));
    let own = || plan::on_path("initdb").and_then(|program| Some(program.parent()?.to_owned()));
    debian.filter(|folder| folder.join("initdb").is_file()).or_else(own)
}

/// Not as root; and it ends with this process, however that ends.
fn command(as_root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=INT");
    if as_root {
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--init-groups"]);
    }
    command.arg(program).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

fn id(which: &str) -> Result<u32> {
    let output = std::process::Command::new("id").args([which, USER]).output().context("id cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim().parse().with_context(|| format!("there is no user `{USER}`, which Debian's package makes"))
}
