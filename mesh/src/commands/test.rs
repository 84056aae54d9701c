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
use crate::postgres::Postgres;
use crate::secrets;
use crate::topology::Topology;

/// Those that only run inside Envoy, and one that would have everything built again with its client's TLS.
const APART: [&str; 4] = ["jwt", "amount", "host", PUSH];
const PUSH: &str = "push";
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
    let options = Up {
        foreground: false,
        gateway_port: 0,
        free_ports: true,
        concurrency: 1,
        bind,
        no_build: false,
        database: None,
    };
    let topology = up::prepare(place, &options)?;
    let mut supervisor = up::attached(place, &topology)?;
    let outcome = async {
        up::first_order(&topology, Some(&mut supervisor), started).await?;
        let postgres = Postgres::start().await?;
        if postgres.is_none() {
            line("PostgreSQL is not installed, its tests are skipped; get it by: sudo apt-get install postgresql");
        }
        let outcome = tests(place, &topology, postgres.as_ref(), arguments).await;
        if let Some(postgres) = postgres {
            postgres.stop().await;
        }
        outcome
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

async fn tests(
    place: &Place,
    topology: &Topology,
    postgres: Option<&Postgres>,
    arguments: &[String],
) -> Result<bool> {
    let client = Client::new(topology)?;
    let metrics = |path: &str| {
        let urls = topology
            .replicas
            .iter()
            .map(|replica| format!("{}=http://{}{path}", replica.name(), replica.metrics));
        urls.collect::<Vec<_>>().join(",")
    };
    let mut command = Command::from(compile::cargo("cargo", place));
    command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    command.args(APART.iter().flat_map(|name| ["--exclude", name]));
    command.args(arguments);
    command
        .env("FINPAY_GATEWAY", &client.base)
        .env("FINPAY_ADMIN_PASSWORD_FILE", secrets::admin_password_file(&topology.state_dir))
        .env("FINPAY_SERVICE_METRICS", metrics("/metrics"))
        .env("FINPAY_SIDECAR_METRICS", metrics("/stats/prometheus"))
        .env("FINPAY_MESH_STATE", &topology.state_dir)
        .env("FINPAY_ENVOY", place.envoy())
        .env("FINPAY_WASM_DIR", &topology.wasm_dir);
    if let Some(address) = topology.prometheus {
        command.env("FINPAY_PROMETHEUS", format!("http://{address}"));
    }
    if let Some(postgres) = postgres {
        command.env("FINPAY_POSTGRES", postgres.url());
    }
    if let Some(vectors) = vectors(place) {
        command.env("FINPAY_VECTORS", vectors);
    }
    let success = command.status().await.context("cargo cannot be run")?.success();
    if !arguments.is_empty() {
        return Ok(success);
    }
    let mut command = Command::from(compile::cargo("cargo", place));
    command.args(["test", "--release", "--package", PUSH]);
    Ok(success & command.status().await.context("cargo cannot be run")?.success())
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
