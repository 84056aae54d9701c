//! From nothing to a paid order.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::StatusCode;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::summary;
use crate::cli::Up;
use crate::client::{Client, seed_order};
use crate::console::{self, Step};
use crate::control::{Control, Health, Phase};
use crate::manifest::Manifests;
use crate::place::{Place, write_atomically};
use crate::secrets::{self, DEMO_USER};
use crate::supervisor::Supervisor;
use crate::topology::Topology;
use crate::{child, compile, envoy, pki, plan, render, toolchain};

const START_LIMIT: Duration = Duration::from_mins(2);
const ORDER_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Starts the mesh, or says that it runs.
pub async fn run(place: &Place, options: &Up) -> Result<()> {
    if let Ok((topology, _)) = place.running().await {
        console::line(format!("The mesh `{}` runs already.", topology.name));
        summary::addresses(&topology)?;
        return Ok(());
    }
    let started = Instant::now();
    let topology = prepare(place, options)?;
    if options.foreground {
        let supervisor = Supervisor::new(place, topology.clone())?;
        let running = tokio::spawn({
            let supervisor = supervisor.clone();
            async move { supervisor.run().await }
        });
        let outcome = first_order(&topology, None, started).await;
        if outcome.is_err() {
            supervisor.request_stop();
        } else {
            console::line("Ctrl-C stops the mesh.");
        }
        let ended = running.await.context("the supervisor broke")?;
        return outcome.and(ended);
    }
    let mut supervisor = detached(place, &topology)?;
    first_order(&topology, Some(&mut supervisor), started).await
}

/// All that comes before the first process: tools, Envoy, builds, ports, certificates, Envoy's files.
pub fn prepare(place: &Place, options: &Up) -> Result<Topology> {
    // What a typing mistake breaks comes first, what takes minutes comes later.
    let manifests = Manifests::load(&place.manifests())?;
    plan::plan(place, options, &manifests)?;
    if !options.no_build {
        let step = Step::begin("toolchain");
        let compiler = toolchain::ensure_wasm_compiler()?;
        step.done(format!("{} by {}", toolchain::WASM_TARGET, compiler.name()));
        let step = Step::begin_silent("services");
        compile::services(place)?;
        step.done("built");
        let step = Step::begin_silent("filters");
        compile::filters(place, compiler)?;
        step.done("built");
    }
    let step = Step::begin("envoy");
    let binary = envoy::ensure(&place.target)?;
    step.done(display_from(&place.root, &binary));
    let step = Step::begin("configure");
    // Planned again: while all was built, somebody may have taken a port.
    let topology = plan::plan(place, options, &manifests)?;
    lay_out(&topology)?;
    render::copy_manifests(&place.manifests(), &topology)?;
    secrets::ensure_admin_password(&topology.state_dir)?;
    secrets::keep_database_server(&topology.state_dir, options.database.as_ref())?;
    pki::issue(&topology, &manifests)?;
    render::all(&topology)?;
    write_atomically(&Topology::file(&place.state_dir), &serde_json::to_vec_pretty(&topology)?, 0o644)?;
    step.done(format!(
        "{} replicas in {}",
        topology.replicas.len(),
        display_from(&place.root, &topology.state_dir)
    ));
    Ok(topology)
}

fn lay_out(topology: &Topology) -> Result<()> {
    const OTHERS: u32 = 0o077;
    for folder in [
        topology.run_dir.clone(),
        secrets::folder(&topology.state_dir),
        topology.pki_dir(),
        topology.data_dir(),
        topology.state_dir.join("logs"),
    ] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    // It may lie in the temporary folder, where anybody could have made it before.
    let found = fs::symlink_metadata(&topology.run_dir)?;
    let ours =
        found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & OTHERS == 0;
    if !ours {
        bail!(
            "{} belongs to somebody else or is open to others, remove it or choose another --state-dir",
            topology.run_dir.display()
        );
    }
    Ok(())
}

fn display_from(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Starts the supervisor in a session of its own.
fn detached(place: &Place, topology: &Topology) -> Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    supervise(&mut command, place, topology)?;
    command.spawn().context("the supervisor cannot be started")
}

/// Starts the supervisor as a child that ends with this process.
pub fn attached(place: &Place, topology: &Topology) -> Result<Child> {
    let mut command = child::exec_child(std::process::id());
    command.arg("/proc/self/exe");
    supervise(&mut command, place, topology)?;
    command.spawn().context("the supervisor cannot be started")
}

fn supervise(command: &mut Command, place: &Place, topology: &Topology) -> Result<()> {
    let path = topology.log_file("mesh");
    let log = fs::OpenOptions::new().create(true).append(true).open(&path);
    let log = log.with_context(|| format!("{} cannot be written", path.display()))?;
    command.args(["--name", &place.name, "--state-dir"]).arg(&place.state_dir).arg("supervise");
    command.current_dir(&place.root).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(())
}

/// Follows the start, and places the first order.
pub async fn first_order(
    topology: &Topology,
    supervisor: Option<&mut Child>,
    started: Instant,
) -> Result<()> {
    let step = Step::begin("start");
    ready(topology, supervisor, &step).await?;
    step.done("all processes are ready");
    let step = Step::begin("order");
    let first_up = !secrets::file(&topology.state_dir, DEMO_USER).exists();
    let order = paid_order(topology).await?;
    step.done(format!(
        "{} {}",
        order["orderId"].as_str().unwrap_or("?"),
        order["state"].as_str().unwrap_or("?")
    ));
    summary::print(topology, &order, first_up, started.elapsed()).await
}

async fn ready(topology: &Topology, mut supervisor: Option<&mut Child>, step: &Step) -> Result<()> {
    let control = Control::new(topology)?;
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = control.status().await? {
            let healthy = status.processes.iter().filter(|process| process.health == Health::Healthy).count();
            step.note(&format!("{healthy} of {} ready", status.processes.len()));
            match status.phase {
                Phase::Ready => return Ok(()),
                Phase::Failed => bail!("{}", status.problem.unwrap_or_default()),
                Phase::Stopping => bail!("the mesh was stopped"),
                Phase::Starting => {}
            }
        }
        if let Some(child) = supervisor.as_deref_mut()
            && let Some(status) = child.try_wait().context("the supervisor is lost")?
        {
            let log = topology.log_file("mesh");
            bail!("the supervisor ended ({status}), see {}", log.display());
        }
        sleep(POLL).await;
    }
    bail!(
        "the mesh is not ready after {} s, see `cargo mesh status` and `cargo mesh logs`",
        START_LIMIT.as_secs()
    )
}

/// The whole way once: register, log in, order. What is not ready yet is asked again.
async fn paid_order(topology: &Topology) -> Result<serde_json::Value> {
    let client = Client::new(topology)?;
    let deadline = Instant::now() + ORDER_LIMIT;
    loop {
        let attempt = async {
            let token = client.token(topology, DEMO_USER).await?;
            let answer = client.post("/order/create", Some(&token), &seed_order()).await?;
            if answer.status != StatusCode::CREATED {
                bail!("the order was answered with {}", answer.summary());
            }
            anyhow::Ok(answer.body)
        };
        match attempt.await {
            Ok(order) => return Ok(order),
            Err(problem) if Instant::now() > deadline => {
                return Err(problem.context("no order can be placed, the mesh runs: see `cargo mesh logs`, end it by `cargo mesh down`"));
            }
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}
