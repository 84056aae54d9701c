//! The images as archives, and to a registry.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::compile;
use crate::console::line;
use crate::images::{Images, archive, build, print};
use crate::place::Place;

/// Builds the five images and writes their archives.
pub fn run(place: &Place, options: &Images) -> Result<()> {
    let folder = options.out.clone().unwrap_or_else(|| place.target.join("images"));
    let images = build::images(place, &options.tag, None)?;
    for image in &images {
        archive::write(&folder, image)?;
    }
    print(&images);
    let shown = folder.strip_prefix(&place.root).unwrap_or(&folder);
    line(format!("The archives are in {}.", shown.display()));
    Ok(())
}

/// Runs the crate `push`, which has the client for registries.
pub fn push(place: &Place, arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = compile::cargo("cargo", place);
    command.args(["run", "--quiet", "--release", "--package=push", "--"]).args(arguments);
    let status = command.status().context("cargo cannot be run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
