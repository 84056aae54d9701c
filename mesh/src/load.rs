//! An open-loop load: orders leave at their times whether or not earlier ones were answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Client, seed_order};
use crate::secrets::DEMO_USER;
use crate::topology::Topology;

/// Well below a token's life of 900 s.
const TOKEN_AGE_LIMIT: Duration = Duration::from_mins(10);

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Orders in all.
    pub orders: u64,
    /// From one order to the next.
    pub period: Duration,
    /// Under way at once.
    pub concurrency: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Answers by status; what got none counts as `no answer`.
    pub statuses: BTreeMap<String, u64>,
    /// Microseconds from an order's time to its answer.
    pub latency: Histogram<u64>,
    /// From the first order to the last answer.
    pub elapsed: Duration,
    /// Orders that were not answered with 201.
    pub errors: u64,
}

/// Runs the load.
pub async fn run(topology: &Topology, plan: Plan) -> Result<Outcome> {
    let client = Client::new(topology)?;
    let slots = Arc::new(Semaphore::new(plan.concurrency));
    let mut token: Arc<str> = client.token(topology, DEMO_USER).await?.into();
    let mut token_since = Instant::now();
    let (mut running, mut answers) = (JoinSet::new(), Vec::new());
    let started = Instant::now();
    let mut tick = interval(plan.period);
    // Late is late: an order that had to wait for its slot is measured from its own time.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..plan.orders {
        let due = tick.tick().await.into_std();
        if token_since.elapsed() > TOKEN_AGE_LIMIT {
            token = client.token(topology, DEMO_USER).await?.into();
            token_since = Instant::now();
        }
        let slot = Arc::clone(&slots).acquire_owned().await.context("the load ended early")?;
        let (client, token) = (client.clone(), Arc::clone(&token));
        running.spawn(async move {
            let answer = client.post("/order/create", Some(&token), &seed_order()).await;
            drop(slot);
            (
                answer.map_or_else(|_| "no answer".to_owned(), |answer| answer.status.as_u16().to_string()),
                due.elapsed(),
            )
        });
        while let Some(answer) = running.try_join_next() {
            answers.push(answer.context("an order broke")?);
        }
    }
    answers.extend(running.join_all().await);
    outcome(answers, started.elapsed())
}

fn outcome(answers: Vec<(String, Duration)>, elapsed: Duration) -> Result<Outcome> {
    const PRECISION_DIGITS: u8 = 3;
    const LONGEST_MICROSECONDS: u64 = 3_600_000_000;
    let mut latency =
        Histogram::new_with_max(LONGEST_MICROSECONDS, PRECISION_DIGITS).context("no histogram")?;
    let mut statuses = BTreeMap::new();
    let mut errors = 0;
    for (status, took) in answers {
        errors += u64::from(status != "201");
        latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        *statuses.entry(status).or_insert(0) += 1;
    }
    Ok(Outcome { statuses, latency, elapsed, errors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_201_is_an_error_and_times_stay_apart() -> Result<()> {
        let answers = [("201", 10), ("201", 20), ("503", 900)];
        let answers = answers.map(|(status, millis)| (status.to_owned(), Duration::from_millis(millis)));
        let outcome = outcome(answers.to_vec(), Duration::from_secs(1))?;
        assert_eq!(outcome.errors, 1);
        assert_eq!(outcome.statuses.get("201"), Some(&2));
        let milliseconds = |quantile| outcome.latency.value_at_quantile(quantile) / 1000;
        assert_eq!((milliseconds(0.5), milliseconds(1.0)), (20, 900));
        Ok(())
    }
}
