//! `cargo mesh bench`.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use bench::Bench;
use clap::Parser as _;
use mesh::console;
use tokio::signal::unix::{SignalKind, signal};

/// One thread: the load leaves the other cores to Envoy.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let bench = Bench::parse();
    // Either way the run is dropped, and every Envoy with it.
    let outcome = tokio::select! {
        outcome = bench::run(&bench) => outcome,
        outcome = told_to_end() => outcome.and(Err(anyhow!("stopped"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            console::error(&problem);
            ExitCode::FAILURE
        }
    }
}

async fn told_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        outcome = tokio::signal::ctrl_c() => Ok(outcome?),
    }
}
