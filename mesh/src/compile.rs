//! Builds the services and the two filters.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::place::Place;
use crate::toolchain::{self, WASM_TARGET, WasmCompiler};

/// The services' packages.
pub const SERVICES: [&str; 3] = ["auth", "payment", "order"];
const FILTERS: [&str; 2] = ["jwt", "amount"];
/// For Debian's compiler: its linker, and the C library of its own package.
const DEBIAN_FLAGS: [&str; 3] =
    ["-Clink-self-contained=no", "-Clinker-flavor=wasm-ld", "-L/usr/lib/wasm32-wasi"];

/// Where the built modules are.
pub fn wasm_dir(target: &Path) -> PathBuf {
    target.join(WASM_TARGET).join("wasm")
}

/// A service's binary.
pub fn service_binary(target: &Path, workload: &str) -> PathBuf {
    target.join("release").join(workload)
}

/// Builds the services.
pub fn services(place: &Place) -> Result<()> {
    let mut command = cargo("cargo", place);
    command.args(["build", "--release"]).args(SERVICES.map(|name| format!("--package={name}")));
    run(&mut command, "the services")
}

/// Builds the filters.
pub fn filters(place: &Place, compiler: WasmCompiler) -> Result<()> {
    let mut command = match compiler {
        WasmCompiler::Ordinary => {
            let mut command = cargo("cargo", place);
            command.env("CARGO_ENCODED_RUSTFLAGS", without_paths(place, &[]));
            command
        }
        WasmCompiler::Debian => {
            let mut command = cargo("/usr/bin/cargo", place);
            command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_TARGET_WASM32_WASIP1_LINKER", "wasm-ld-19");
            command.env("CARGO_ENCODED_RUSTFLAGS", without_paths(place, &DEBIAN_FLAGS));
            command.arg("-Zbuild-std=std,panic_abort");
            command
        }
    };
    command.args(["build", "--profile", "wasm", "--target", WASM_TARGET]);
    command.args(FILTERS.map(|name| format!("--package={name}")));
    run(&mut command, "the filters")
}

/// Builds all that a mesh runs.
pub fn all(place: &Place) -> Result<()> {
    let compiler = toolchain::ensure_wasm_compiler()?;
    services(place)?;
    filters(place, compiler)
}

/// cargo, without what an outer `cargo run` put into the environment: build scripts would run again because of it.
pub fn cargo(program: &str, place: &Place) -> Command {
    let mut command = Command::new(program);
    let outer = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(outer)) {
        command.env_remove(name);
    }
    command.current_dir(&place.root).stdin(Stdio::null());
    command
}

/// Flags in cargo's encoding, and those that take this machine's paths out of panic messages: what is built
/// elsewhere from the same sources is the same. The module that a mesh runs is so the one that is shipped.
pub fn without_paths(place: &Place, flags: &[&str]) -> String {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(&place.root).output();
    let sysroot = sysroot.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    // Of two that fit, rustc takes the later one: the target folder usually lies in the workspace.
    let mut pairs =
        vec![(cargo_home, "/cargo"), (place.root.clone(), "/finpay"), (place.target.clone(), "/target")];
    pairs.extend(sysroot.ok().filter(|path| !path.is_empty()).map(|path| (path.into(), "/rust")));
    let remapped = pairs.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    flags.iter().map(|flag| (*flag).to_owned()).chain(remapped).collect::<Vec<_>>().join("\x1f")
}

/// Runs cargo, quiet but for what the compiler says.
pub fn run(command: &mut Command, what: &str) -> Result<()> {
    command.arg("--quiet");
    let status =
        command.status().with_context(|| format!("{} cannot be run", command.get_program().display()))?;
    if !status.success() {
        bail!("{what} do not build, see the compiler's messages above");
    }
    Ok(())
}
