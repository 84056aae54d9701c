//! Runs a command that ends with its parent, by any signal, without a line of unsafe code.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The kernel sends SIGKILL when the parent is gone; what follows `exec` keeps that.
pub fn run(parent: i32, command: &[OsString]) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("the kernel knows no death signal")?;
    // The parent may have gone before the line above.
    if getppid().is_none_or(|pid| pid.as_raw_nonzero().get() != parent) {
        bail!("process {parent} is gone, so its child does not start");
    }
    let Some((program, arguments)) = command.split_first() else { bail!("no command") };
    let problem = Command::new(program).args(arguments).exec();
    Err(problem).with_context(|| format!("{} cannot be run", program.display()))
}
