//! The one way to wait: for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long any condition may take to come true.
pub const DEADLINE: Duration = Duration::from_secs(45);

/// Asks every 200 ms until the condition gives a value; past [`DEADLINE`] fails with `what`.
pub async fn until<T>(what: &str, condition: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(DEADLINE, what, condition).await
}

/// The same with another limit.
pub async fn until_within<T>(
    limit: Duration,
    what: &str,
    condition: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    every(Duration::from_millis(200), limit, what, condition).await
}

/// Asks as often as a measurement needs, and says how long it took.
pub async fn measured(
    limit: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<bool>,
) -> Result<Duration> {
    let started = Instant::now();
    every(Duration::from_millis(10), limit, what, async || Ok(condition().await?.then_some(()))).await?;
    Ok(started.elapsed())
}

async fn every<T>(
    period: Duration,
    limit: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if Instant::now() > deadline {
            bail!("not within {limit:?}: {what}");
        }
        tokio::time::sleep(period).await;
    }
}
