//! The supervisor's control socket, both sides: `GET /status`, `POST /restart/{name}`, `POST /stop`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::supervisor::Supervisor;
use crate::topology::Topology;

/// Longer than a restart of two replicas, each drained.
const ANSWER_LIMIT: Duration = Duration::from_mins(3);

/// What the supervisor says of itself and its processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The mesh's name.
    pub name: String,
    /// The supervisor's own id.
    pub pid: u32,
    /// How far it is.
    pub phase: Phase,
    /// Why it failed.
    pub problem: Option<String>,
    /// In the order of starting.
    pub processes: Vec<Process>,
}

/// The supervisor's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not all processes are ready yet.
    Starting,
    /// All were ready.
    Ready,
    /// A process would not start; the mesh ends.
    Failed,
    /// It was asked to end.
    Stopping,
}

/// One process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Process {
    /// For example `order-service-0.sidecar`.
    pub name: String,
    /// While it runs.
    pub pid: Option<u32>,
    /// Its health.
    pub health: Health,
    /// Its TCP ports.
    pub ports: Vec<u16>,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Starts after a crash.
    pub restarts: u32,
}

/// A process's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Started, not yet ready.
    Starting,
    /// Its own check says so.
    Healthy,
    /// It runs, but its own check fails.
    Unhealthy,
    /// It ended by itself and starts again soon.
    Crashed,
    /// It was asked to end.
    Stopping,
    /// It does not run, as asked.
    Stopped,
}

impl Health {
    /// As `status` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Crashed => "crashed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// The caller's side.
#[derive(Debug, Clone)]
pub struct Control(reqwest::Client);

impl Control {
    /// For the mesh with this topology.
    pub fn new(topology: &Topology) -> Result<Self> {
        let builder = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
        Ok(Self(builder.unix_socket(topology.control_socket()).build().context("no HTTP client")?))
    }

    /// The status, or `None` when no supervisor listens.
    pub async fn status(&self) -> Result<Option<Status>> {
        match self.0.get("http://mesh/status").send().await {
            Ok(response) => {
                Ok(Some(response.json().await.context("the supervisor's status cannot be read")?))
            }
            Err(problem) if problem.is_connect() => Ok(None),
            // The supervisor ends between accepting and answering.
            Err(problem) if problem.is_request() => Ok(None),
            Err(problem) => Err(problem).context("the supervisor gives no answer"),
        }
    }

    /// Restarts one process, replica or service.
    pub async fn restart(&self, name: &str) -> Result<Vec<String>> {
        let response = self
            .0
            .post(format!("http://mesh/restart/{name}"))
            .send()
            .await
            .context("the supervisor gives no answer")?;
        if response.status() != StatusCode::OK {
            bail!("{}", response.text().await.unwrap_or_default());
        }
        response.json().await.context("the supervisor's answer cannot be read")
    }

    /// Asks the supervisor to end the mesh.
    pub async fn stop(&self) -> Result<()> {
        self.0.post("http://mesh/stop").send().await.context("the supervisor gives no answer")?;
        Ok(())
    }
}

/// The supervisor's side.
pub fn router(supervisor: Supervisor) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/restart/{name}", post(restart))
        .route("/stop", post(stop))
        .with_state(supervisor)
}

async fn status(State(supervisor): State<Supervisor>) -> Json<Status> {
    Json(supervisor.status())
}

async fn restart(State(supervisor): State<Supervisor>, Path(name): Path<String>) -> (StatusCode, String) {
    match supervisor.restart(&name).await {
        Ok(names) => (StatusCode::OK, serde_json::to_string(&names).unwrap_or_default()),
        Err(problem) => (StatusCode::CONFLICT, format!("{problem:#}")),
    }
}

async fn stop(State(supervisor): State<Supervisor>) -> StatusCode {
    supervisor.request_stop();
    StatusCode::ACCEPTED
}
