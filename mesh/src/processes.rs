//! What a mesh runs: the command, environment and readiness check of each process, in the order of starting.

use std::path::PathBuf;

use anyhow::Result;

use crate::child::{Probe, Spec};
use crate::manifest::Manifests;
use crate::place::Place;
use crate::topology::{GATEWAY, Replica, Topology};
use crate::{compile, plan, render, secrets};

/// Prometheus' process name.
pub const PROMETHEUS: &str = "prometheus";
/// The service that keeps the users.
const AUTH: &str = "auth-service";

/// All processes in the order of starting: a service before its sidecar, callers after those that they call.
pub fn specs(place: &Place, topology: &Topology, manifests: &Manifests) -> Result<Vec<Spec>> {
    let mut specs = Vec::new();
    for replica in &topology.replicas {
        specs.push(service(place, topology, manifests, replica)?);
        specs.push(envoy(place, topology, &replica.sidecar(), &format!("http://{}/ready", replica.metrics)));
    }
    specs.push(envoy(place, topology, GATEWAY, &format!("http://{}/ready", topology.gateway.metrics)));
    specs.extend(prometheus(topology));
    Ok(specs)
}

/// The Deployment's own variables, then what differs on one machine.
fn service(place: &Place, topology: &Topology, manifests: &Manifests, replica: &Replica) -> Result<Spec> {
    let name = replica.name();
    let socket = topology.service_socket(&name);
    let mut environment = Vec::new();
    for container in &manifests.deployment(&replica.workload)?.spec.template.spec.containers {
        environment
            .extend(container.env.iter().map(|variable| (variable.name.clone(), variable.value.clone())));
    }
    let mut set = |name: &str, value: String| {
        environment.retain(|(known, _)| known != name);
        environment.push((name.to_owned(), value));
    };
    set("FINPAY_LISTEN", format!("unix:{}", socket.display()));
    set("DATABASE_URL", database_url(topology, &replica.workload)?);
    set("HTTP_PROXY", format!("http://{}", replica.outbound));
    if replica.workload == AUTH {
        set(
            "FINPAY_ADMIN_PASSWORD_FILE",
            secrets::admin_password_file(&topology.state_dir).display().to_string(),
        );
    }
    Ok(Spec {
        program: compile::service_binary(&place.target, &replica.workload),
        arguments: Vec::new(),
        environment,
        log: topology.log_file(&name),
        probe: Probe::Socket(socket.clone(), "/readyz"),
        socket: Some(socket),
        name,
    })
}

/// A file of the service's own, or a database of its own on the mesh's server.
fn database_url(topology: &Topology, workload: &str) -> Result<String> {
    let Some(mut server) = secrets::database_server(&topology.state_dir)? else {
        return Ok(format!("sqlite://{}", topology.database(workload).display()));
    };
    let own = topology.name.to_ascii_lowercase().replace('-', "_");
    let given = server.path().trim_start_matches('/').to_owned();
    let prefix = if given.is_empty() { own } else { given };
    server.set_path(&format!("{prefix}_{}", workload.trim_end_matches("-service")));
    Ok(server.into())
}

fn envoy(place: &Place, topology: &Topology, name: &str, ready: &str) -> Spec {
    let bootstrap = topology.proxy_dir(name).join("bootstrap.json");
    let concurrency = topology.concurrency.to_string();
    let bootstrap = bootstrap.display().to_string();
    let arguments = [
        "-c",
        &bootstrap,
        "--concurrency",
        &concurrency,
        "--disable-hot-restart",
        "-l",
        "warning",
        // Connections made before a change keep the old filters until they are drained: Envoy's own 600 s would
        // leave a new rule without effect for the pools of the other sidecars.
        "--drain-time-s",
        "10",
        "--drain-strategy",
        "immediate",
    ];
    Spec {
        name: name.to_owned(),
        program: place.envoy(),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        environment: Vec::new(),
        log: topology.log_file(name),
        socket: Some(topology.admin_socket(name)),
        probe: Probe::Url(ready.to_owned()),
    }
}

fn prometheus(topology: &Topology) -> Option<Spec> {
    let (address, program) = (topology.prometheus?, plan::on_path(PROMETHEUS)?);
    let config = render::prometheus_file(topology);
    let data: PathBuf = topology.state_dir.join(PROMETHEUS).join("data");
    Some(Spec {
        name: PROMETHEUS.to_owned(),
        program,
        arguments: vec![
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", data.display()),
            "--storage.tsdb.retention.time=2h".to_owned(),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ],
        environment: Vec::new(),
        log: topology.log_file(PROMETHEUS),
        socket: None,
        probe: Probe::Url(format!("http://{address}/-/ready")),
    })
}
