//! One process of the mesh: started, watched, started again when it crashes, stopped when asked.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::control::Health;
use crate::envoy;

const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// A process that ran this long starts with the first back-off again.
const STABLE: Duration = Duration::from_mins(1);
/// Past it SIGTERM becomes SIGKILL; services drain for up to 10 s.
const STOP_LIMIT: Duration = Duration::from_secs(12);
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// What is run, and how one knows that it is ready.
#[derive(Debug, Clone)]
pub struct Spec {
    /// As `status` shows it.
    pub name: String,
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Takes standard output and standard error.
    pub log: PathBuf,
    /// A Unix socket that it makes: removed before each start, since a crash leaves it.
    pub socket: Option<PathBuf>,
    /// How to ask whether it is ready.
    pub probe: Probe,
}

/// A GET that answers with 2xx when the process is ready.
#[derive(Debug, Clone)]
pub enum Probe {
    /// Over TCP.
    Url(String),
    /// Over a Unix socket.
    Socket(PathBuf, &'static str),
}

impl Probe {
    /// Whether the process is ready.
    pub async fn ready(&self) -> bool {
        let builder = reqwest::Client::builder().no_proxy().timeout(PROBE_LIMIT);
        let (client, url) = match self {
            Self::Url(url) => (builder.build(), url.clone()),
            Self::Socket(path, target) => {
                (builder.unix_socket(path.clone()).build(), format!("http://localhost{target}"))
            }
        };
        let Ok(client) = client else { return false };
        client.get(url).send().await.is_ok_and(|response| response.status().is_success())
    }
}

/// What is known of the process now.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// Its id while it runs.
    pub pid: Option<u32>,
    /// How often it was started again after a crash.
    pub restarts: u32,
    /// Its health.
    pub health: Health,
}

enum Request {
    Start(oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
}

/// A handle on the task that keeps the process.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// What is run.
    pub spec: Arc<Spec>,
    live: Arc<Mutex<Live>>,
    requests: mpsc::Sender<Request>,
}

impl Keeper {
    /// Makes the task; the process is not started yet.
    pub fn new(spec: Spec) -> Self {
        let (requests, received) = mpsc::channel(4);
        let live = Arc::new(Mutex::new(Live { pid: None, restarts: 0, health: Health::Stopped }));
        let keeper = Self { spec: Arc::new(spec), live, requests };
        tokio::spawn(keep(Arc::clone(&keeper.spec), Arc::clone(&keeper.live), received));
        keeper
    }

    /// What is known now.
    pub fn live(&self) -> Live {
        *lock(&self.live)
    }

    /// Starts it, and waits until it is ready; fails when it crashes before that.
    pub async fn start(&self, limit: Duration) -> Result<()> {
        let restarts = self.live().restarts;
        let log_bytes = fs::metadata(&self.spec.log).map_or(0, |log| log.len());
        self.ask(Request::Start).await;
        let deadline = Instant::now() + limit;
        loop {
            if self.live().pid.is_some() && self.spec.probe.ready().await {
                lock(&self.live).health = Health::Healthy;
                return Ok(());
            }
            if self.live().restarts > restarts {
                bail!("{} ended before it was ready: {}", self.spec.name, self.last_words(log_bytes));
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is not ready after {} s: {}",
                    self.spec.name,
                    limit.as_secs(),
                    self.last_words(log_bytes)
                );
            }
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Stops it: SIGTERM, then SIGKILL.
    pub async fn stop(&self) {
        self.ask(Request::Stop).await;
    }

    /// Asks whether it is ready, and keeps the answer for `status`.
    pub async fn probe(&self) {
        let before = self.live();
        if before.pid.is_none() {
            return;
        }
        let health = if self.spec.probe.ready().await { Health::Healthy } else { Health::Unhealthy };
        let mut live = lock(&self.live);
        if live.pid == before.pid
            && matches!(live.health, Health::Healthy | Health::Unhealthy | Health::Starting)
        {
            live.health = health;
        }
    }

    async fn ask(&self, request: impl FnOnce(oneshot::Sender<()>) -> Request) {
        let (done, wait) = oneshot::channel();
        if self.requests.send(request(done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// The end of what it wrote to its log since this start, for an error message.
    fn last_words(&self, since: u64) -> String {
        let bytes = fs::read(&self.spec.log).unwrap_or_default();
        let news = usize::try_from(since).ok().and_then(|since| bytes.get(since..)).unwrap_or(&bytes);
        let text = String::from_utf8_lossy(news);
        format!("{} (log: {})", envoy::last_words(&text), self.spec.log.display())
    }
}

fn lock(live: &Mutex<Live>) -> MutexGuard<'_, Live> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until the last handle is gone.
async fn keep(spec: Arc<Spec>, live: Arc<Mutex<Live>>, mut requests: mpsc::Receiver<Request>) {
    let mut wanted = false;
    let mut back_off = FIRST_BACK_OFF;
    loop {
        while !wanted {
            match requests.recv().await {
                None => return,
                Some(Request::Start(done)) => {
                    wanted = true;
                    let _ = done.send(());
                }
                Some(Request::Stop(done)) => drop(done.send(())),
            }
        }
        let started = Instant::now();
        match spawn(&spec) {
            Ok(mut process) => {
                set(&live, process.id(), Health::Starting);
                if let Ended::Asked(done) = watch(&mut process, &mut requests).await {
                    set(&live, process.id(), Health::Stopping);
                    stop(&mut process).await;
                    set(&live, None, Health::Stopped);
                    wanted = false;
                    let _ = done.map(|done| done.send(()));
                    continue;
                }
            }
            Err(problem) => log(&spec, &format!("cannot be started: {problem:#}")),
        }
        if started.elapsed() > STABLE {
            back_off = FIRST_BACK_OFF;
        }
        set(&live, None, Health::Crashed);
        lock(&live).restarts += 1;
        log(&spec, &format!("ended, starts again in {} s", back_off.as_secs()));
        if let Ok(Some(Request::Stop(done))) = timeout(back_off, requests.recv()).await {
            set(&live, None, Health::Stopped);
            wanted = false;
            let _ = done.send(());
        }
        back_off = (back_off * 2).min(LONGEST_BACK_OFF);
    }
}

enum Ended {
    ByItself,
    Asked(Option<oneshot::Sender<()>>),
}

async fn watch(process: &mut Child, requests: &mut mpsc::Receiver<Request>) -> Ended {
    loop {
        tokio::select! {
            _ = process.wait() => return Ended::ByItself,
            request = requests.recv() => match request {
                None => return Ended::Asked(None),
                Some(Request::Stop(done)) => return Ended::Asked(Some(done)),
                Some(Request::Start(done)) => drop(done.send(())),
            },
        }
    }
}

async fn stop(process: &mut Child) {
    let pid = process.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(STOP_LIMIT, process.wait()).await.is_err() {
        let _ = process.kill().await;
    }
}

fn set(live: &Mutex<Live>, pid: Option<u32>, health: Health) {
    let mut live = lock(live);
    (live.pid, live.health) = (pid, health);
}

/// Starts the process through `exec-child`, in a process group of its own, so that Ctrl-C reaches only the supervisor.
fn spawn(spec: &Spec) -> Result<Child> {
    if let Some(socket) = &spec.socket {
        let _ = fs::remove_file(socket);
    }
    let log = open_log(spec)?;
    let mut command = exec_child(std::process::id());
    command.arg(&spec.program).args(&spec.arguments).env_clear().envs(spec.environment.iter().cloned());
    command.process_group(0).kill_on_drop(true).stdin(Stdio::null());
    command.stdout(log.try_clone().context("the log")?).stderr(log);
    command.spawn().with_context(|| format!("{} cannot be started", spec.program.display()))
}

/// A command that ends when this process ends: more arguments follow. `/proc/self/exe` is this very program even
/// after a rebuild replaced its file.
pub fn exec_child(parent: u32) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["exec-child", "--parent", &parent.to_string(), "--"]);
    command
}

/// A log that has grown large makes room at the next start; one older log is kept.
fn open_log(spec: &Spec) -> Result<fs::File> {
    const LARGE_BYTES: u64 = 64 * 1024 * 1024;
    if fs::metadata(&spec.log).is_ok_and(|log| log.len() > LARGE_BYTES) {
        let _ = fs::rename(&spec.log, spec.log.with_extension("log.1"));
    }
    if let Some(folder) = spec.log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let opened = fs::OpenOptions::new().create(true).append(true).open(&spec.log);
    opened.with_context(|| format!("{} cannot be written", spec.log.display()))
}

fn log(spec: &Spec, text: &str) {
    crate::console::line(format!("{}: {text}", spec.name));
}
