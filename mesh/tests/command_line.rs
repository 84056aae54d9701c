//! The built command: its errors in one line, its exit codes, and children that never outlive their parent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const MESH: &str = env!("CARGO_BIN_EXE_mesh");

fn mesh(state: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(MESH);
    command.args(arguments).arg("--state-dir").arg(state).stdin(Stdio::null());
    command.output().expect("the command runs")
}

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert!(text.starts_with("error: ") && !text.contains('\n'), "not one line: {text}");
    text
}

#[test]
fn every_command_says_that_there_is_no_mesh() {
    let state = tempfile::tempdir().expect("a folder");
    let commands: [&[&str]; 8] = [
        &["status"],
        &["down"],
        &["logs"],
        &["restart", "gateway"],
        &["apply", "--file", "x.yaml"],
        &["token"],
        &["order"],
        &["load"],
    ];
    for command in commands {
        let text = error_of(&mesh(state.path(), command));
        assert!(text.contains("there is no mesh") && text.contains("start it by `cargo mesh up`"), "{text}");
    }
}

#[test]
fn data_are_deleted_when_that_is_asked_for_and_they_are_the_mesh_s_own() {
    let state = tempfile::tempdir().expect("a folder");
    let (database, secrets) = (state.path().join("data/auth-service.db"), state.path().join("secrets"));
    let topology = serde_json::json!({
        "name": "down", "state_dir": state.path(), "run_dir": state.path(), "concurrency": 1, "wasm_dir": "/wasm",
        "gateway": {"listeners": [], "metrics": "127.0.0.1:1"}, "replicas": [], "prometheus": null,
    });
    let write = |file: &Path, text: &str| {
        fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
        fs::write(file, text).expect("it is written");
    };
    write(&state.path().join("mesh.json"), &topology.to_string());
    write(&database, "rows");
    write(&secrets.join("database-server"), "postgres://finpay@127.0.0.1:1/");
    assert!(mesh(state.path(), &["down"]).status.success());
    assert!(error_of(&mesh(state.path(), &["down", "--purge"])).contains("are in PostgreSQL"));
    assert!(database.exists(), "what is refused deletes nothing");
    fs::remove_file(secrets.join("database-server")).expect("it is there");
    for _ in 0..2 {
        assert!(mesh(state.path(), &["down", "--purge"]).status.success());
        assert!(!database.exists() && !secrets.exists() && state.path().join("mesh.json").exists());
    }
}

#[test]
fn wrong_arguments_are_named() {
    let state = tempfile::tempdir().expect("a folder");
    assert!(error_of(&mesh(state.path(), &["load", "--rate", "0"])).contains("--rate 0"));
    assert!(error_of(&mesh(state.path(), &["status", "--name", "../up"])).contains("--name ../up"));
    assert!(error_of(&mesh(state.path(), &["config", "nobody"])).contains("order-service-0.sidecar"));
    assert_eq!(mesh(state.path(), &["fly"]).status.code(), Some(2));
}

#[test]
fn a_child_ends_with_a_parent_that_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid_file = folder.path().join("pid");
    let script = format!(
        "\"{MESH}\" exec-child --parent $$ -- sh -c 'echo $$ > \"{}\"; exec sleep 300' & wait",
        pid_file.display()
    );
    let mut parent = Command::new("sh").args(["-c", &script]).spawn().expect("a shell");
    let child = until(|| fs::read_to_string(&pid_file).ok().filter(|text| text.ends_with('\n')));
    let child = PathBuf::from(format!("/proc/{}", child.trim()));
    assert!(child.exists());
    parent.kill().expect("SIGKILL");
    parent.wait().expect("the shell ends");
    until(|| gone(&child).then_some(()));
}

#[test]
fn a_child_does_not_start_for_another_s_parent() {
    let output =
        Command::new(MESH).args(["exec-child", "--parent", "1", "--", "true"]).output().expect("it runs");
    assert!(error_of(&output).contains("process 1 is gone"));
}

/// Ended, or ended and not yet collected by the init process.
fn gone(process: &Path) -> bool {
    let Ok(stat) = fs::read_to_string(process.join("stat")) else { return true };
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

fn until<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "not within 10 s");
        std::thread::sleep(Duration::from_millis(10));
    }
}
