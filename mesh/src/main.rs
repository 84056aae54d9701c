//! `cargo mesh`.

use std::process::ExitCode;

use clap::Parser as _;
use mesh::{cli, commands, console};

/// One thread: a child is told to end when the *thread* that started it ends, so all are started from the main one.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()).await {
        Ok(code) => code,
        Err(problem) => {
            console::error(&problem);
            ExitCode::FAILURE
        }
    }
}
