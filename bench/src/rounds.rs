//! Rounds in which every chain has its turn, so that the machine's noise hits all alike; and several starts of each, since
//! where a process comes to lie in memory moves its time by a few per cent for as long as it lives.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::chain::{Chain, Running, Started};
use crate::progress;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often each chain is started.
    pub starts: u32,
    /// Rounds after each start.
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
    /// Microseconds of CPU per request, round by round, over all starts.
    pub microseconds: Vec<f64>,
    /// Envoy's memory before the first request after the last start.
    pub resident_before_kib: u64,
    /// And after the last one.
    pub resident_after_kib: u64,
    /// VMs that ended.
    pub vm_failures: usize,
}

/// Starts all, warms them up, measures them in turn, and begins again.
pub async fn run(title: &str, chains: Vec<Chain>, plan: Plan, envoy: &Path) -> Result<Vec<Measured>> {
    let steps = chains.len() as u64 * u64::from(plan.starts) * (u64::from(plan.rounds) + 1);
    let bar = progress::bar(title, steps);
    let mut measured: Vec<Measured> =
        chains.into_iter().map(|chain| Measured { chain, outcome: Ok(Figures::default()) }).collect();
    for _ in 0..plan.starts {
        let mut running = Vec::with_capacity(measured.len());
        for place in &mut measured {
            bar.set_message(format!("{title}: starts {}", place.chain.name));
            running.push(started(place, plan, envoy).await.with_context(|| place.chain.name.clone())?);
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
                figures.vm_failures += running.vm_failures()?;
            }
        }
    }
    bar.finish_and_clear();
    Ok(measured)
}

/// The chain at work and warm; nothing where its filter refuses the configuration.
async fn started(place: &mut Measured, plan: Plan, envoy: &Path) -> Result<Option<Box<Running>>> {
    match (place.chain.start(envoy).await?, &mut place.outcome) {
        (Started::Running(mut started), Ok(figures)) => {
            // Every token once, and enough for V8 to have compiled what is hot.
            started.round(plan.requests.max(place.chain.traffic.distinct())).await?;
            figures.resident_before_kib = started.resident_before_kib;
            Ok(Some(started))
        }
        (Started::Running(_), Err(_)) => Ok(None),
        (Started::Refused(words), outcome) => {
            *outcome = Err(words);
            Ok(None)
        }
    }
}
