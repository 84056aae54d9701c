//! One real Envoy of a test's own: HTTP filters in front of an answer of 200 that repeats the identity headers
//! as it saw them.

mod bootstrap;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::wait::{DEADLINE, measured, until};

/// Request headers that come back in the answer as `seen-NAME`.
pub const SEEN: [&str; 8] = [
    "x-jwt-sub",
    "x-jwt-scope",
    "x-jwt-jti",
    "x-jwt-iss",
    "x-jwt-exp",
    "x-jwt-anything",
    "x_jwt_sub",
    "x-jwt_scope",
];

/// What an Envoy is started with.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The filters before the router.
    pub http_filters: Vec<Value>,
    /// Clusters, for filters that ask somebody.
    pub clusters: Vec<Value>,
    /// Worker threads; 0 counts as 1.
    pub concurrency: u32,
    /// Answer without the `seen-` headers, and log nothing but warnings: both cost time.
    pub plain: bool,
}

/// The same, and what few tests need.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What an Envoy is started with.
    pub setup: Setup,
    /// More request headers that come back; one with a colon in front comes back without it.
    pub seen: Vec<String>,
    /// More and larger headers get in than Envoy usually lets.
    pub is_generous: bool,
    /// [`Envoy::change`] can be used. Envoy then starts even where it refuses the filters.
    pub is_dynamic: bool,
    /// Routes that are looked at before the one of all requests.
    pub routes: Vec<Value>,
    /// What Envoy itself answers; if nobody says, 200 without a body.
    pub direct: Option<(u16, String)>,
    /// Who answers in place of Envoy itself. Upgrades and extended CONNECT are then let to the filters.
    pub upstream: Option<SocketAddr>,
}

impl From<Setup> for Options {
    fn from(setup: Setup) -> Self {
        Self { setup, ..Self::default() }
    }
}

/// A running Envoy; it ends when this is dropped.
#[derive(Debug)]
pub struct Envoy {
    /// Its listener.
    pub address: SocketAddr,
    admin: Client,
    process: Child,
    folder: TempDir,
    options: Options,
}

/// The binary that `FINPAY_ENVOY` names, or `None` (with a word) when it names none.
pub fn binary() -> Option<PathBuf> {
    let path = std::env::var_os("FINPAY_ENVOY").map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: FINPAY_ENVOY is not set; `cargo mesh test` sets it");
    }
    path
}

/// The folder of modules that `FINPAY_WASM_DIR` names, or `None` (with a word).
pub fn wasm_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("FINPAY_WASM_DIR").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: FINPAY_WASM_DIR is not set; `cargo mesh test` sets it");
    }
    folder
}

/// The filter's module in that folder.
pub fn module(name: &str) -> Option<PathBuf> {
    Some(wasm_dir()?.join(format!("{name}.wasm")))
}

impl Envoy {
    /// Starts it with these filters. The error is Envoy's own when it refuses the configuration.
    pub async fn start(binary: PathBuf, http_filters: Vec<Value>) -> Result<Self> {
        Self::start_with(binary, Setup { http_filters, ..Setup::default() }).await
    }

    /// The same with all that can be chosen.
    pub async fn start_with(binary: PathBuf, options: impl Into<Options>) -> Result<Self> {
        let options = options.into();
        let setup = &options.setup;
        let folder = tempfile::tempdir()?;
        let admin = folder.path().join("admin.sock");
        let config = folder.path().join("envoy.json");
        let listener = listener_file(&folder)?;
        std::fs::write(&listener, bootstrap::discovery(&options, &setup.http_filters).to_string())?;
        std::fs::write(&config, bootstrap::bootstrap(&admin, &listener, &options).to_string())?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let wasm_level = if setup.plain { "wasm:warning" } else { "wasm:debug" };
        let mut process = Command::new(binary)
            .arg("-c")
            .arg(&config)
            .args(["--concurrency", &setup.concurrency.max(1).to_string()])
            .args(["--disable-hot-restart", "-l", "warning", "--component-log-level", wasm_level])
            .args(["--file-flush-interval-msec", "20"])
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let client = Client::builder().unix_socket(admin).build()?;
        let address = until("Envoy listens", async || {
            if let Some(status) = process.try_wait()? {
                let log = std::fs::read_to_string(folder.path().join("log"))?;
                bail!("Envoy ended with {status}: {log}");
            }
            let ready = client.get("http://envoy/ready").send().await;
            if !ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(None);
            }
            let listeners: Value =
                client.get("http://envoy/listeners?format=json").send().await?.json().await?;
            let socket = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
            let port = socket["port_value"].as_u64().context("the listener's port")?;
            Ok(Some(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port)?))))
        })
        .await?;
        Ok(Self { address, admin: client, process, folder, options })
    }

    /// Puts other filters in place of its own: the listener keeps its port, and requests under way keep the filters
    /// that they have.
    pub fn change(&self, http_filters: &[Value]) -> Result<()> {
        let file = listener_file(&self.folder)?;
        let new = self.folder.path().join("new.json");
        let listener = bootstrap::discovery(&self.options, http_filters);
        std::fs::write(&new, listener.to_string())?;
        // By rename: Envoy must never read half a file.
        Ok(std::fs::rename(new, file)?)
    }

    /// Its process.
    pub fn pid(&self) -> Result<u32> {
        self.process.id().context("Envoy has ended")
    }

    /// Memory that is resident, in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.split_whitespace().next().context("a number")?.parse()?)
    }

    /// The same without what its allocator keeps for later.
    pub async fn in_use_kib(&self) -> Result<u64> {
        let memory: Value = self.admin.get("http://envoy/memory").send().await?.json().await?;
        let kib = |name: &str| -> Result<u64> {
            Ok(memory[name].as_str().context("a size")?.parse::<u64>()? >> 10)
        };
        Ok((self.resident_kib()? + kib("allocated")?).saturating_sub(kib("total_physical_bytes")?))
    }

    /// What it has logged.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }

    /// Calls into its filters that ended a VM. No stat counts them where a failure closes; the log does.
    pub fn vm_failures(&self) -> Result<usize> {
        let fails = |line: &&str| line.contains("[wasm]") && line.contains("Function: ");
        Ok(self.log()?.lines().filter(fails).count())
    }

    /// Waits until it has logged this text; all that it has logged by then.
    pub async fn logs(&self, text: &str) -> Result<String> {
        until(
            &format!("Envoy logs {text:?}"),
            async || Ok(Some(self.log()?).filter(|log| log.contains(text))),
        )
        .await
    }

    /// One counter or gauge by its full name; 0 before it is there.
    pub async fn stat(&self, name: &str) -> Result<u64> {
        let url = format!("http://envoy/stats?format=json&filter=^{}$", name.replace('.', "\\."));
        let stats: Value = self.admin.get(url).send().await?.json().await?;
        Ok(stats["stats"][0]["value"].as_u64().unwrap_or(0))
    }

    /// Bytes that it has read from all its clients.
    pub async fn received(&self) -> Result<u64> {
        self.stat("http.test.downstream_cx_rx_bytes_total").await
    }

    /// Waits until it has read so many.
    pub async fn receives(&self, bytes: u64) -> Result<()> {
        let what = "Envoy reads what it was sent";
        measured(DEADLINE, what, async || Ok(self.received().await? >= bytes)).await.map(drop)
    }

    /// What Prometheus would scrape.
    pub async fn prometheus(&self) -> Result<String> {
        let answer = self.admin.get("http://envoy/stats/prometheus").send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Its counters and gauges whose names hold this text.
    pub async fn stats(&self, text: &str) -> Result<Vec<(String, u64)>> {
        let url = "http://envoy/stats?format=json";
        let stats: Value = self.admin.get(url).send().await?.json().await?;
        let stats = stats["stats"].as_array().context("Envoy's stats")?.iter();
        Ok(stats
            .filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?)))
            .filter(|(name, _)| name.contains(text))
            .collect())
    }
}

/// A cluster of one endpoint, which a filter may ask.
pub fn cluster(name: &str, address: SocketAddr) -> Value {
    let socket = json!({"address": address.ip(), "port_value": address.port()});
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": socket}}}]}],
        },
    })
}

/// The HTTP filter that runs a module with this configuration.
pub fn wasm_filter(name: &str, module: &Path, configuration: &str) -> Value {
    let configuration =
        json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration});
    json!({
        "name": name,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "failure_policy": "FAIL_CLOSED",
                "configuration": configuration,
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
            },
        },
    })
}

/// In a folder of its own, which Envoy watches.
fn listener_file(folder: &TempDir) -> Result<PathBuf> {
    let watched = folder.path().join("lds");
    std::fs::create_dir_all(&watched)?;
    Ok(watched.join("listeners.json"))
}
