//! One real Envoy of a test's own: HTTP filters in front of an answer of 200 that repeats the identity headers
//! as it saw them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::wait::until;

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
    /// Answer without the `seen-` headers, which cost time.
    pub plain: bool,
}

/// A running Envoy; it ends when this is dropped.
#[derive(Debug)]
pub struct Envoy {
    /// Its listener.
    pub address: SocketAddr,
    process: Child,
    folder: TempDir,
}

/// The binary that `FINPAY_ENVOY` names, or `None` (with a word) when it names none.
pub fn binary() -> Option<PathBuf> {
    let path = std::env::var_os("FINPAY_ENVOY").map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: FINPAY_ENVOY is not set; `cargo mesh test` sets it");
    }
    path
}

impl Envoy {
    /// Starts it with these filters. The error is Envoy's own when it refuses the configuration.
    pub async fn start(binary: PathBuf, http_filters: Vec<Value>) -> Result<Self> {
        Self::start_with(binary, Setup { http_filters, ..Setup::default() }).await
    }

    /// The same with all that can be chosen.
    pub async fn start_with(binary: PathBuf, mut setup: Setup) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let admin = folder.path().join("admin.sock");
        setup.http_filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }));
        let config = folder.path().join("envoy.json");
        std::fs::write(&config, bootstrap(&admin.to_string_lossy(), &setup).to_string())?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut process = Command::new(binary)
            .arg("-c")
            .arg(&config)
            .args(["--concurrency", &setup.concurrency.max(1).to_string()])
            .args(["--disable-hot-restart", "-l", "warning"])
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
        Ok(Self { address, process, folder })
    }

    /// Its process.
    pub fn pid(&self) -> Result<u32> {
        self.process.id().context("Envoy has ended")
    }

    /// What it has logged.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }
}

fn bootstrap(admin: &str, setup: &Setup) -> Value {
    let seen = SEEN
        .map(|name| json!({"header": {"key": format!("seen-{name}"), "value": format!("%REQ({name})%")}}));
    let seen = if setup.plain { json!([]) } else { json!(seen) };
    let manager = json!({
        "@type":
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "response_headers_to_add": seen,
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
        }]},
        "http_filters": setup.http_filters,
    });
    json!({
        "admin": {"address": {"pipe": {"path": admin}}},
        "static_resources": {"clusters": setup.clusters, "listeners": [{
            "name": "test",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        }]},
    })
}
