//! Builds what the images hold: static binaries without the paths of this machine, and the filters' modules.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::image::Image;
use super::{FILTERS, Only, SERVICE_LIMIT, SERVICES};
use crate::compile;
use crate::console::Step;
use crate::place::Place;
use crate::plan::on_path;
use crate::toolchain;

/// The C compiler for what is static: Debian's package musl-tools has it on every processor.
const COMPILER: &str = "musl-gcc";

/// A processor that services are built for: that of this machine.
#[derive(Debug, Clone, Copy)]
struct Processor {
    /// As images call it.
    architecture: &'static str,
    /// As Rust calls it, with musl, the C library that can be linked statically.
    target: &'static str,
}

impl Processor {
    fn here() -> Result<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Ok(Self { architecture: "amd64", target: "x86_64-unknown-linux-musl" }),
            "aarch64" => Ok(Self { architecture: "arm64", target: "aarch64-unknown-linux-musl" }),
            other => {
                bail!("service images are made on x86_64 and aarch64, this is {other}: use the Dockerfile")
            }
        }
    }
}

/// Builds the images, services first.
pub fn images(place: &Place, tag: &str, only: Option<Only>) -> Result<Vec<Image>> {
    let mut images = Vec::new();
    if only != Some(Only::Filters) {
        images.extend(services(place, tag)?);
    }
    if only != Some(Only::Services) {
        images.extend(filters(place, tag)?);
    }
    Ok(images)
}

fn filters(place: &Place, tag: &str) -> Result<Vec<Image>> {
    let step = Step::begin_silent("filters");
    let compiler = toolchain::ensure_wasm_compiler()?;
    compile::filters(place, compiler)?;
    let folder = compile::wasm_dir(&place.target);
    let made = FILTERS.map(|name| Image::filter(name, tag, &read(&folder.join(format!("{name}.wasm")))?));
    step.done(format!("{} by {}", toolchain::WASM_TARGET, compiler.name()));
    made.into_iter().collect()
}

fn services(place: &Place, tag: &str) -> Result<Vec<Image>> {
    let processor = Processor::here()?;
    let step = Step::begin("toolchain");
    ensure(processor)?;
    step.done(processor.target);
    let step = Step::begin_silent("services");
    compile::run(&mut static_build(place, processor), "the static services")?;
    let folder = place.target.join(processor.target).join("release");
    let made = SERVICES.map(|name| {
        let binary = folder.join(name);
        let image = Image::service(name, tag, processor.architecture, &read(&binary)?)?;
        if image.size() > SERVICE_LIMIT {
            bail!("the image of {name} has {} bytes, at most {SERVICE_LIMIT} are allowed", image.size());
        }
        Ok(image)
    });
    step.done("built");
    made.into_iter().collect()
}

fn static_build(place: &Place, processor: Processor) -> Command {
    let mut command = compile::cargo("cargo", place);
    command.args(["build", "--release", "--locked", "--target", processor.target]);
    command.args(compile::SERVICES.map(|name| format!("--package={name}")));
    // Symbols go, which is half of the binary; a panic's message keeps its file and line.
    command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols").env("CARGO_PROFILE_RELEASE_DEBUG", "none");
    command.env("CARGO_ENCODED_RUSTFLAGS", compile::without_paths(place, &["-Ctarget-feature=+crt-static"]));
    command.env(format!("CC_{}", processor.target.replace('-', "_")), COMPILER);
    command
}

/// Gets the target's standard library and its C compiler.
fn ensure(processor: Processor) -> Result<()> {
    let target = processor.target;
    if !toolchain::has_target(target) {
        let added = Command::new("rustup").args(["target", "add", target]).stdin(Stdio::null()).output();
        if !added.is_ok_and(|output| output.status.success()) || !toolchain::has_target(target) {
            bail!("Rust has no target {target}, run `rustup target add {target}`");
        }
    }
    if on_path(COMPILER).is_none() {
        toolchain::install(&["musl-tools"])
            .with_context(|| format!("{COMPILER}, which compiles SQLite for {target}, is missing"))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
