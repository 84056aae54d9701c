//! One Envoy with the filters of one row, and the connections to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hyper::StatusCode;
use tests::envoy::{Envoy, Options};

use crate::load::Load;
use crate::process;
use crate::traffic::Traffic;

/// Keys and revocations that a filter fetches have to come first.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// After its last answer Envoy still tidies up, and the kernel books a thread's time when it sleeps.
const SETTLE: Duration = Duration::from_millis(10);

/// A row of a table: what runs, and what it is compared with.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The row's name.
    pub name: String,
    /// The row whose time is that of an Envoy without this filter.
    pub over: Option<String>,
    /// The row that does the same work in another way.
    pub beside: Option<String>,
    /// What Envoy runs.
    pub envoy: Options,
    /// What it is sent.
    pub traffic: Arc<Traffic>,
    /// The module's size.
    pub module_bytes: Option<u64>,
}

/// A chain at work.
#[derive(Debug)]
pub struct Running {
    envoy: Envoy,
    load: Load,
    pid: u32,
    /// Resident before the first request.
    pub resident_before_kib: u64,
}

/// A chain that was started, or why its filter does not take the configuration.
#[derive(Debug)]
pub enum Started {
    /// It runs.
    Running(Box<Running>),
    /// The filter's own words.
    Refused(String),
}

impl Chain {
    /// Starts it, and waits until it answers as expected.
    pub async fn start(&self, binary: &Path) -> Result<Started> {
        let envoy = match Envoy::start_with(binary.to_owned(), self.envoy.clone()).await {
            Ok(envoy) => envoy,
            Err(problem) => {
                return match refusal(&format!("{problem:#}")) {
                    Some(words) => Ok(Started::Refused(words)),
                    None => Err(problem.context(self.name.clone())),
                };
            }
        };
        let pid = envoy.pid()?;
        let resident_before_kib = envoy.resident_kib()?;
        let load = Load::new(envoy.address, Arc::clone(&self.traffic)).await?;
        let mut running = Running { envoy, load, pid, resident_before_kib };
        running.ready().await.with_context(|| self.name.clone())?;
        Ok(Started::Running(Box::new(running)))
    }
}

impl Running {
    async fn ready(&mut self) -> Result<()> {
        let since = Instant::now();
        let expected = self.load.expected();
        loop {
            let status = self.load.probe().await?;
            if status == expected {
                return Ok(());
            }
            // 503 is what a filter without its keys answers.
            if status != StatusCode::SERVICE_UNAVAILABLE || since.elapsed() > READY_LIMIT {
                bail!(
                    "answers {status} {} s after its start: {}",
                    since.elapsed().as_secs(),
                    self.envoy.log()?
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends requests; the CPU time of each, in microseconds.
    pub async fn round(&mut self, requests: u64) -> Result<f64> {
        tokio::time::sleep(SETTLE).await;
        let before = process::cpu_nanoseconds(self.pid)?;
        self.load.send(requests).await?;
        tokio::time::sleep(SETTLE).await;
        let nanoseconds = process::cpu_nanoseconds(self.pid)?.saturating_sub(before);
        Ok(Duration::from_nanos(nanoseconds).as_secs_f64() * 1e6
            / Duration::from_secs(requests).as_secs_f64())
    }

    /// Resident now.
    pub fn resident_kib(&self) -> Result<u64> {
        self.envoy.resident_kib()
    }

    /// Calls into its filter that ended its VM.
    pub fn vm_failures(&self) -> Result<usize> {
        self.envoy.vm_failures()
    }
}

/// `pluginConfig refused: …` of a log.
fn refusal(log: &str) -> Option<String> {
    let (_, words) = log.split_once("pluginConfig refused: ")?;
    Some(words.lines().next().unwrap_or_default().trim().to_owned())
}
