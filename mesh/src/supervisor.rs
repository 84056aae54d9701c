//! Keeps the processes of one mesh: starts them in order, watches them, restarts a replica without a failed
//! request, and stops them in the opposite order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, flock};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio::time::sleep;

use crate::child::Keeper;
use crate::control::{self, Phase, Process, Status};
use crate::place::Place;
use crate::topology::Topology;
use crate::{console, pki, plan, processes, proxies, render};

const READY_LIMIT: Duration = Duration::from_secs(30);
const PROBE_PERIOD: Duration = Duration::from_secs(2);
/// From the endpoints' file to the last request on its way to the replica.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// Keys are fetched as soon as the filter is loaded, and again after a failure.
const KEYS_LIMIT: Duration = Duration::from_secs(5);
/// Two ticks of the filter.
const KEYS_SPREAD: Duration = Duration::from_secs(2);
/// A request that takes longer is cut off.
const DRAIN_LIMIT: Duration = Duration::from_secs(12);
/// A third of a leaf's life, so that one failed renewal does no harm.
const RENEW_PERIOD: Duration = Duration::from_hours(8);
/// How long a failure is told before the supervisor ends.
const TELL_FAILURE: Duration = Duration::from_secs(2);

/// A handle on the supervisor; clones are the same.
#[derive(Debug, Clone)]
pub struct Supervisor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    topology: Topology,
    keepers: Vec<Keeper>,
    ports: BTreeMap<String, Vec<u16>>,
    phase: Mutex<(Phase, Option<String>)>,
    /// One restart at a time.
    restarting: AsyncMutex<()>,
    stop: Notify,
}

impl Supervisor {
    /// Prepares the processes; none is started.
    pub fn new(place: &Place, topology: Topology) -> Result<Self> {
        let manifests = render::manifests(&topology)?;
        let specs = processes::specs(place, &topology, &manifests)?;
        let ports = plan::ports_of(&topology);
        let keepers = specs.into_iter().map(Keeper::new).collect();
        let phase = Mutex::new((Phase::Starting, None));
        let inner =
            Inner { topology, keepers, ports, phase, restarting: AsyncMutex::new(()), stop: Notify::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// Runs the mesh until it is asked to stop or cannot start.
    pub async fn run(&self) -> Result<()> {
        let _lock = lock(&self.0.topology)?;
        let socket = self.0.topology.control_socket();
        let _ = fs::remove_file(&socket);
        let listener =
            UnixListener::bind(&socket).with_context(|| format!("{} cannot be made", socket.display()))?;
        let server = tokio::spawn(axum::serve(listener, control::router(self.clone())).into_future());
        let outcome = tokio::select! {
            () = self.asked_to_stop() => Ok(()),
            outcome = self.live() => outcome,
        };
        if let Err(problem) = &outcome {
            self.set_phase(Phase::Failed, Some(format!("{problem:#}")));
        } else {
            self.set_phase(Phase::Stopping, None);
        }
        self.stop_all().await;
        if outcome.is_err() {
            sleep(TELL_FAILURE).await;
        }
        server.abort();
        let _ = fs::remove_file(&socket);
        outcome
    }

    async fn live(&self) -> Result<()> {
        for group in self.groups() {
            for keeper in &group {
                keeper.start(READY_LIMIT).await?;
            }
        }
        self.set_phase(Phase::Ready, None);
        let probes = async {
            loop {
                for keeper in &self.0.keepers {
                    keeper.probe().await;
                }
                sleep(PROBE_PERIOD).await;
            }
        };
        tokio::select! {
            () = probes => Ok(()),
            () = self.renew_certificates() => Ok(()),
        }
    }

    /// Envoys watch the certificates' folder and take what is renamed into it.
    async fn renew_certificates(&self) {
        loop {
            sleep(RENEW_PERIOD).await;
            let topology = &self.0.topology;
            let renewed = render::manifests(topology).and_then(|manifests| pki::issue(topology, &manifests));
            if let Err(problem) = renewed {
                console::error(&problem.context("the certificates were not renewed"));
            }
        }
    }

    /// Restarts what the name means: a service (its replicas one after the other), a replica with its sidecar, or
    /// the gateway or Prometheus. Returns the processes.
    pub async fn restart(&self, name: &str) -> Result<Vec<String>> {
        if self.status().phase != Phase::Ready {
            bail!("the mesh is not ready yet, see `cargo mesh status`");
        }
        let Ok(_one_at_a_time) = self.0.restarting.try_lock() else {
            bail!("another restart is under way, wait for it")
        };
        let topology = &self.0.topology;
        let replica_name = name.strip_suffix(".sidecar").unwrap_or(name);
        let replicas: Vec<_> = topology
            .replicas
            .iter()
            .filter(|replica| replica.workload == name || replica.name() == replica_name)
            .collect();
        let mut restarted = Vec::new();
        for replica in replicas {
            render::endpoints(topology, &replica.workload, &BTreeSet::from([replica.name()]))?;
            self.drained(&replica.sidecar()).await;
            let outcome = self.cycle(&[replica.name(), replica.sidecar()]).await;
            self.holds_keys(&replica.sidecar()).await;
            render::endpoints(topology, &replica.workload, &BTreeSet::new())?;
            outcome?;
            restarted.extend([replica.name(), replica.sidecar()]);
            // The next replica goes only when this one takes requests again.
            sleep(DRAIN_TIME).await;
        }
        if restarted.is_empty() && self.keeper(name).is_some() {
            self.cycle(&[name.to_owned()]).await?;
            restarted.push(name.to_owned());
        }
        if restarted.is_empty() {
            bail!("no process is named `{name}`, see `cargo mesh status`");
        }
        Ok(restarted)
    }

    /// Waits until the other Envoys know, and then until the last request is answered.
    async fn drained(&self, sidecar: &str) {
        let deadline = Instant::now() + DRAIN_LIMIT;
        sleep(DRAIN_TIME).await;
        while Instant::now() < deadline {
            // One that gives no answer serves no requests.
            if proxies::active_requests(&self.0.topology, sidecar).await.unwrap_or(0) == 0 {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a sidecar's filter can judge tokens; one without that filter takes requests after the limit.
    async fn holds_keys(&self, sidecar: &str) {
        let deadline = Instant::now() + KEYS_LIMIT;
        while Instant::now() < deadline {
            if proxies::has_keys(&self.0.topology, sidecar).await.unwrap_or(false) {
                // One of the filter's instances fetches; the workers' own take the keys at their next tick.
                return sleep(KEYS_SPREAD).await;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops in the opposite order, so that a sidecar never has no service behind it, and starts.
    async fn cycle(&self, names: &[String]) -> Result<()> {
        let keepers: Vec<_> = names.iter().filter_map(|name| self.keeper(name)).collect();
        for keeper in keepers.iter().rev() {
            keeper.stop().await;
        }
        for keeper in keepers {
            keeper.start(READY_LIMIT).await?;
        }
        Ok(())
    }

    fn keeper(&self, name: &str) -> Option<&Keeper> {
        self.0.keepers.iter().find(|keeper| keeper.spec.name == name)
    }

    /// What is known of all.
    pub fn status(&self) -> Status {
        let (phase, problem) = self.0.phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let processes = self.0.keepers.iter().map(|keeper| self.process(keeper)).collect();
        Status { name: self.0.topology.name.clone(), pid: std::process::id(), phase, problem, processes }
    }

    fn process(&self, keeper: &Keeper) -> Process {
        let (live, name) = (keeper.live(), &keeper.spec.name);
        Process {
            name: name.clone(),
            pid: live.pid,
            health: live.health,
            ports: self.0.ports.get(name).cloned().unwrap_or_default(),
            memory_bytes: live.pid.and_then(resident_bytes).unwrap_or(0),
            restarts: live.restarts,
        }
    }

    /// Makes `run` end.
    pub fn request_stop(&self) {
        self.0.stop.notify_one();
    }

    async fn asked_to_stop(&self) {
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return self.0.stop.notified().await;
        };
        tokio::select! {
            () = self.0.stop.notified() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }

    /// The gateway first, then those that call before those that are called; a service's replicas together.
    async fn stop_all(&self) {
        let mut groups = self.groups();
        groups.reverse();
        for group in groups {
            let stops: Vec<_> = group
                .into_iter()
                .rev()
                .map(|keeper| tokio::spawn(async move { keeper.stop().await }))
                .collect();
            for stop in stops {
                let _ = stop.await;
            }
        }
    }

    /// The processes by workload, in the order of starting.
    fn groups(&self) -> Vec<Vec<Keeper>> {
        let mut groups: Vec<(String, Vec<Keeper>)> = Vec::new();
        for keeper in &self.0.keepers {
            let name = keeper.spec.name.trim_end_matches(".sidecar");
            let replica = self.0.topology.replicas.iter().find(|replica| replica.name() == name);
            let group = replica.map_or(name, |replica| &replica.workload);
            match groups.last_mut() {
                Some((last, keepers)) if last == group => keepers.push(keeper.clone()),
                _ => groups.push((group.to_owned(), vec![keeper.clone()])),
            }
        }
        groups.into_iter().map(|(_, keepers)| keepers).collect()
    }

    fn set_phase(&self, phase: Phase, problem: Option<String>) {
        *self.0.phase.lock().unwrap_or_else(PoisonError::into_inner) = (phase, problem);
    }
}

/// Two supervisors on one state folder would take each other's sockets; the kernel ends the lock with its holder.
fn lock(topology: &Topology) -> Result<fs::File> {
    let path = topology.state_dir.join("lock");
    let file = fs::File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).with_context(|| {
        format!("{} is held by another supervisor, end it by `cargo mesh down`", path.display())
    })?;
    Ok(file)
}

/// Resident memory, from `/proc`.
fn resident_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
