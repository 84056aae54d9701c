//! `cargo mesh push`.

use std::process::ExitCode;

use clap::Parser as _;
use mesh::console;
use push::Push;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match push::run(&Push::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            console::error(&problem);
            ExitCode::FAILURE
        }
    }
}
