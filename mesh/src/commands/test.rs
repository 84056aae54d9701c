//! All tests, the end-to-end ones on a mesh of their own.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::up;
use crate::cli::Up;
use crate::client::Client;
use crate::compile;
use crate::console::line;
use crate::control::Control;
use crate::place::Place;
use crate::secrets::ADMIN;
use crate::topology::Topology;

/// The crates that only run inside Envoy.
const NOT_NATIVE: [&str; 3] = ["jwt", "amount", "host"];
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// `test` unless another name is asked for: the tests never touch the mesh that one works with.
pub fn mesh_name(asked: &str) -> String {
    if asked == "default" { "test".to_owned() } else { asked.to_owned() }
}

/// Starts the mesh, runs the tests, takes it down. The mesh is this process's child, so that it ends even when this
/// process is killed.
pub async fn run(place: &Place, arguments: &[String]) -> Result<ExitCode> {
    if place.running().await.is_ok() {
        bail!("the mesh `{}` runs, end it by `cargo mesh down --name {}`", place.name, place.name);
    }
    // Nothing of an earlier run may decide a test.
    let _ = fs::remove_dir_all(&place.state_dir);
    let started = Instant::now();
    let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let options =
        Up { foreground: false, gateway_port: 0, free_ports: true, concurrency: 1, bind, no_build: false };
    let topology = up::prepare(place, &options)?;
    let mut supervisor = up::attached(place, &topology)?;
    let outcome = async {
        up::first_order(&topology, Some(&mut supervisor), started).await?;
        tests(place, &topology, arguments).await
    }
    .await;
    take_down(&topology, &mut supervisor).await;
    let success = outcome?;
    line(format!(
        "The mesh of the tests is down; its logs are in {}.",
        topology.state_dir.join("logs").display()
    ));
    Ok(if success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn tests(place: &Place, topology: &Topology, arguments: &[String]) -> Result<bool> {
    let client = Client::new(topology)?;
    let admin_token = client.token(topology, ADMIN).await?;
    let metrics =
        topology.replicas.iter().map(|replica| format!("{}=http://{}", replica.name(), replica.metrics));
    let mut command = Command::from(compile::cargo("cargo", place));
    command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    command.args(NOT_NATIVE.iter().flat_map(|name| ["--exclude", name]));
    command.args(arguments);
    command
        .env("FINPAY_GATEWAY", &client.base)
        .env("FINPAY_ADMIN_TOKEN", admin_token)
        .env("FINPAY_METRICS", metrics.collect::<Vec<_>>().join(","))
        .env("FINPAY_MESH_STATE", &topology.state_dir)
        .env("FINPAY_ENVOY", place.envoy())
        .env("FINPAY_WASM_DIR", &topology.wasm_dir);
    if let Some(address) = topology.prometheus {
        command.env("FINPAY_PROMETHEUS", format!("http://{address}"));
    }
    if let Some(vectors) = vectors(place) {
        command.env("FINPAY_VECTORS", vectors);
    }
    let status = command.status().await.context("cargo cannot be run")?;
    Ok(status.success())
}

/// The vectors that the caller names, else those in the workspace.
fn vectors(place: &Place) -> Option<std::path::PathBuf> {
    let given = std::env::var_os("FINPAY_VECTORS").map(|folder| place.root.join(folder));
    given.or_else(|| Some(place.root.join("tests/vectors")).filter(|folder| folder.is_dir()))
}

async fn take_down(topology: &Topology, supervisor: &mut Child) {
    if let Ok(control) = Control::new(topology) {
        let _ = control.stop().await;
    }
    if timeout(STOP_LIMIT, supervisor.wait()).await.is_err() {
        let _ = supervisor.kill().await;
    }
}
