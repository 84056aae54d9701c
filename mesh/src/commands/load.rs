//! Places many orders.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cli::Load;
use crate::console::line;
use crate::load::{self, Outcome, Plan};
use crate::place::Place;

const SEED_ORDERS: u64 = 50;
const LONGEST_SECONDS: u64 = 24 * 3600;

/// Prints the figures beside the seed system's; the exit code is 0 only when every order was paid.
pub async fn run(place: &Place, options: &Load) -> Result<ExitCode> {
    let plan = plan(options)?;
    let (topology, _) = place.running().await?;
    line(format!(
        "{} orders, {:.1} per second, {} at once at most",
        plan.orders, options.rate, plan.concurrency
    ));
    let outcome = load::run(&topology, plan).await?;
    print(&outcome);
    Ok(if outcome.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn plan(options: &Load) -> Result<Plan> {
    const FASTEST: f64 = 100_000.0;
    if !(options.rate > 0.0 && options.rate <= FASTEST) {
        bail!("--rate {}: a number above 0 and up to {FASTEST} is needed", options.rate);
    }
    if options.duration.is_some_and(|seconds| seconds == 0 || seconds > LONGEST_SECONDS) {
        bail!("--duration: 1 to {LONGEST_SECONDS} seconds are allowed");
    }
    let period = Duration::from_secs_f64(options.rate.recip().clamp(1e-5, 1e5));
    let by_duration =
        options.duration.map(|seconds| Duration::from_secs(seconds).as_nanos() / period.as_nanos());
    let by_duration = by_duration.and_then(|orders| u64::try_from(orders).ok());
    let orders = options.orders.or(by_duration).unwrap_or(SEED_ORDERS).max(1);
    Ok(Plan { orders, period, concurrency: usize::try_from(options.concurrency)? })
}

#[expect(clippy::cast_precision_loss, reason = "figures for reading")]
fn print(outcome: &Outcome) {
    let total: u64 = outcome.statuses.values().sum();
    let statuses = outcome.statuses.iter().map(|(status, count)| format!("{count} x {status}"));
    line(format!("answers       {}", statuses.collect::<Vec<_>>().join(", ")));
    let quantile = |share: f64| outcome.latency.value_at_quantile(share) as f64 / 1000.0;
    line(format!("{:<13} {:>10} {:>12}", "", "this mesh", "seed system"));
    line(format!("{:<13} {:>7.1} ms", "P50", quantile(0.50)));
    line(format!("{:<13} {:>7.1} ms {:>12}", "P95", quantile(0.95), "320 ms"));
    line(format!("{:<13} {:>7.1} ms", "P99", quantile(0.99)));
    line(format!("{:<13} {:>8.1}/s {:>12}", "rate", total as f64 / outcome.elapsed.as_secs_f64(), "45/s"));
    line(format!(
        "{:<13} {:>8.2} % {:>12}",
        "errors",
        100.0 * outcome.errors as f64 / total.max(1) as f64,
        "0.02 %"
    ));
}
