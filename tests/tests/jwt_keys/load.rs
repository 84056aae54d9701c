//! Steady requests, of which none may be refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tests::raw;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

const CLIENTS: usize = 4;
/// Between two requests of a client.
const PERIOD: Duration = Duration::from_millis(5);

/// The token of a client's next request, by how many it has sent.
type Token = dyn Fn(u64) -> Result<String> + Send + Sync;
/// How many were sent, and the longest that an answer took.
type Sent = (u64, Duration);

/// Clients with a connection each.
pub(crate) struct Load {
    is_over: Arc<AtomicBool>,
    clients: JoinSet<Result<Sent>>,
}

impl Load {
    pub(crate) fn start(
        address: SocketAddr,
        token: impl Fn(u64) -> Result<String> + Send + Sync + 'static,
    ) -> Self {
        let (token, is_over): (Arc<Token>, _) = (Arc::new(token), Arc::new(AtomicBool::new(false)));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(client(address, Arc::clone(&token), Arc::clone(&is_over)));
        }
        Self { is_over, clients }
    }

    /// Whether so much time has passed since then; fails as soon as a client has.
    pub(crate) fn has_lasted(&mut self, since: Instant, length: Duration) -> Result<Option<()>> {
        if let Some(ended) = self.clients.try_join_next() {
            ended?.with_context(|| format!("{:?} after the start", since.elapsed()))?;
            bail!("a client ended");
        }
        Ok((since.elapsed() > length).then_some(()))
    }

    pub(crate) async fn end(mut self) -> Result<Sent> {
        self.is_over.store(true, Ordering::Relaxed);
        let (mut all, mut slowest) = (0, Duration::ZERO);
        while let Some(sent) = self.clients.join_next().await {
            let (count, took) = sent??;
            all += count;
            slowest = slowest.max(took);
        }
        Ok((all, slowest))
    }
}

async fn client(address: SocketAddr, token: Arc<Token>, is_over: Arc<AtomicBool>) -> Result<Sent> {
    let mut connection = raw::Connection::open(address).await?;
    let mut tick = interval(PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut count, mut slowest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::Relaxed) {
        tick.tick().await;
        let value = format!("Bearer {}", token(count)?);
        let request = raw::request("GET", b"/order/1", &[(b"authorization", value.as_bytes())]);
        let started = Instant::now();
        let reply = connection.send(&request).await?;
        ensure!(reply.status == 200, "request {count} of a client: {}", reply.verdict());
        slowest = slowest.max(started.elapsed());
        count += 1;
    }
    Ok((count, slowest))
}
