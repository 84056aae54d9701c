//! Benches, in a crate of their own.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::compile;
use crate::console::Step;
use crate::place::Place;
use crate::{envoy, toolchain};

/// Builds what is measured, and runs the crate `bench`, which measures.
pub fn run(place: &Place, arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = compile::cargo("cargo", place);
    if measures(arguments) {
        // Standard output is the bench's alone: it may be JSON.
        let step = Step::begin("build");
        compile::filters(place, toolchain::ensure_wasm_compiler()?)?;
        let binary = envoy::ensure(&place.target)?;
        drop(step);
        command.env("FINPAY_ENVOY", binary).env("FINPAY_WASM_DIR", compile::wasm_dir(&place.target));
    }
    command.args(["run", "--quiet", "--release", "--package=bench", "--"]).args(arguments);
    let status = command.status().context("cargo cannot be run")?;
    // A wrong command line is told apart from a bench that failed.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Help needs no build.
fn measures(arguments: &[OsString]) -> bool {
    let helps = |argument: &OsString| ["-h", "--help", "help"].iter().any(|help| argument == help);
    !arguments.is_empty() && !arguments.iter().any(helps)
}
