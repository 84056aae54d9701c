//! Rounds in which every chain has its turn, so that the machine's noise hits all alike.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::chain::{Chain, Started};
use crate::progress;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds.
    pub rounds: u32,
    /// Requests per chain and round.
    pub requests: u64,
}

/// What a chain came to.
#[derive(Debug)]
pub struct Measured {
    /// What ran.
    pub chain: Chain,
    /// The figures, or why the filter did not take its configuration.
    pub outcome: Result<Figures, String>,
}

/// A chain's figures.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Microseconds of CPU per request, round by round.
    pub microseconds: Vec<f64>,
    /// Envoy's memory before the first request.
    pub resident_before_kib: u64,
    /// And after the last one.
    pub resident_after_kib: u64,
    /// VMs that ended.
    pub vm_failures: usize,
}

/// Starts all, warms them up, measures them in turn.
pub async fn run(title: &str, chains: Vec<Chain>, plan: Plan, envoy: &Path) -> Result<Vec<Measured>> {
    let bar = progress::bar(title, chains.len() as u64 * (u64::from(plan.rounds) + 1));
    let (mut running, mut measured) = (Vec::new(), Vec::new());
    for chain in chains {
        bar.set_message(format!("{title}: starts {}", chain.name));
        let outcome = match chain.start(envoy).await? {
            Started::Running(mut started) => {
                // Every token once, and enough for V8 to have compiled what is hot.
                let warm_up = plan.requests.max(chain.traffic.distinct());
                started.round(warm_up).await.with_context(|| chain.name.clone())?;
                let resident_before_kib = started.resident_before_kib;
                running.push(Some(started));
                Ok(Figures { resident_before_kib, ..Figures::default() })
            }
            Started::Refused(words) => {
                running.push(None);
                Err(words)
            }
        };
        measured.push(Measured { chain, outcome });
        bar.inc(1);
    }
    for round in 1..=plan.rounds {
        for (place, running) in measured.iter_mut().zip(&mut running) {
            if let (Ok(figures), Some(running)) = (&mut place.outcome, running) {
                bar.set_message(format!("{title}: round {round}, {}", place.chain.name));
                let microseconds =
                    running.round(plan.requests).await.with_context(|| place.chain.name.clone())?;
                figures.microseconds.push(microseconds);
            }
            bar.inc(1);
        }
    }
    for (place, running) in measured.iter_mut().zip(&running) {
        if let (Ok(figures), Some(running)) = (&mut place.outcome, running) {
            figures.resident_after_kib = running.resident_kib()?;
            figures.vm_failures = running.vm_failures()?;
        }
    }
    bar.finish_and_clear();
    Ok(measured)
}
