//! Rounds in which every chain has its turn, so that the machine's noise hits all alike; and several starts of each,
//! since where a process comes to lie in memory moves its time by up to 2 % for as long as it lives.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;

use crate::chain::{Chain, Started};
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
        start(title, &mut measured, plan, envoy, &bar).await?;
    }
    bar.finish_and_clear();
    Ok(measured)
}

/// All rounds of one start.
async fn start(
    title: &str,
    measured: &mut [Measured],
    plan: Plan,
    envoy: &Path,
    bar: &ProgressBar,
) -> Result<()> {
    let mut at_work = Vec::with_capacity(measured.len());
    for Measured { chain, outcome } in measured {
        bar.set_message(format!("{title}: starts {}", chain.name));
        match (chain.start(envoy).await?, outcome) {
            (Started::Running(mut running), Ok(figures)) => {
                // Every token once, and enough for V8 to have compiled what is hot.
                let warm_up = plan.requests.max(chain.traffic.distinct());
                running.round(warm_up).await.with_context(|| chain.name.clone())?;
                figures.resident_before_kib = running.resident_before_kib;
                at_work.push((&chain.name, figures, running));
            }
            (Started::Refused(words), outcome) => *outcome = Err(words),
            (Started::Running(_), Err(words)) => bail!("{} was refused before: {words}", chain.name),
        }
        bar.inc(1);
    }
    for round in 1..=plan.rounds {
        for (name, figures, running) in &mut at_work {
            bar.set_message(format!("{title}: round {round}, {name}"));
            let microseconds = running.round(plan.requests).await.with_context(|| (*name).clone())?;
            figures.microseconds.push(microseconds);
            bar.inc(1);
        }
    }
    for (_, figures, running) in at_work {
        figures.resident_after_kib = running.resident_kib()?;
        figures.vm_failures += running.vm_failures()?;
    }
    Ok(())
}
