//! One file per command.

pub mod apply;
pub mod bench;
pub mod config;
pub mod doctor;
pub mod down;
pub mod exec_child;
pub mod images;
pub mod load;
pub mod logs;
pub mod order;
pub mod restart;
pub mod status;
pub mod summary;
pub mod supervise;
pub mod test;
pub mod token;
pub mod up;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{At, Cli, Command};
use crate::place::Place;

/// Runs what the command line says.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    // Before all else: this one becomes another program.
    if let Command::ExecChild { parent, command } = &cli.command {
        exec_child::run(*parent, command)?;
    }
    if let Command::Test { arguments } = &cli.command {
        let at = At { name: test::mesh_name(&cli.at.name), ..cli.at.clone() };
        return test::run(&Place::find(&at)?, arguments).await;
    }
    let place = Place::find(&cli.at)?;
    match cli.command {
        Command::Up(options) => up::run(&place, &options).await?,
        Command::Down { purge } => down::run(&place, purge).await?,
        Command::Status { json } => return status::run(&place, json).await,
        Command::Logs { process, follow } => logs::run(&place, process.as_deref(), follow).await?,
        Command::Restart { process } => restart::run(&place, &process).await?,
        Command::Apply { file } => apply::run(&place, &file).await?,
        Command::Config { process } => config::run(&place, &process)?,
        Command::Token { user } => token::run(&place, user.as_deref()).await?,
        Command::Order { file } => return order::run(&place, file.as_deref()).await,
        Command::Load(options) => return load::run(&place, &options).await,
        Command::Doctor => return Ok(doctor::run(&place)),
        Command::Images(options) => images::run(&place, &options)?,
        Command::Bench { arguments } => return bench::run(&place, &arguments),
        Command::Push { arguments } => return images::push(&place, &arguments),
        Command::Supervise => supervise::run(&place).await?,
        Command::Test { .. } | Command::ExecChild { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
