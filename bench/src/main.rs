//! `cargo mesh bench`.

use std::process::ExitCode;

use bench::Bench;
use clap::Parser as _;
use mesh::console;

/// One thread: the load leaves the other cores to Envoy.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let bench = Bench::parse();
    // Either way the run is dropped, and every Envoy with it.
    let outcome = tokio::select! {
        outcome = bench::run(&bench) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            console::error(&problem);
            ExitCode::FAILURE
        }
    }
}
