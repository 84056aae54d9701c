//! The real binary over a real Unix socket: its end, and its refusal to start.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
const BINARY: &str = env!("CARGO_BIN_EXE_auth-service");

fn auth(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .env("FINPAY_LISTEN", format!("unix:{}/auth.sock", folder.display()))
        .env("DATABASE_URL", format!("sqlite://{}/auth.db", folder.display()))
        .env("FINPAY_ISSUER", "https://auth.finpay.example")
        .env("FINPAY_AUDIENCE", "finpay")
        .env("FINPAY_DRAIN_SECONDS", "10")
        .stdout(Stdio::null());
    command
}

fn connect(folder: &Path) -> UnixStream {
    let start = Instant::now();
    loop {
        match UnixStream::connect(folder.join("auth.sock")) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout is set");
                return stream;
            }
            Err(problem) => assert!(start.elapsed() < PATIENCE, "{problem}"),
        }
        sleep(Duration::from_millis(20));
    }
}

/// Ends with the test, whatever becomes of it.
struct Running(Child);

impl Running {
    fn terminate(&self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn a_request_that_runs_at_sigterm_is_answered_and_none_after_it() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    // What a crash left behind must not stop the start. A listener would take connections for as long as a process that
    // another test is about to start holds its copy; nobody can connect to this one.
    drop(UnixDatagram::bind(folder.join("auth.sock")).expect("a stale socket"));
    let mut auth = Running(auth(folder).spawn().expect("auth starts"));
    let mut stream = connect(folder);
    let body = r#"{"userId":"user123","password":"correct horse"}"#;
    let (first, rest) = body.split_at(10);
    let length = body.len();
    write!(
        stream,
        "POST /auth/register HTTP/1.1\r\nhost: auth\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .expect("the head is sent");
    let mut answer = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = String::new();
    // The service asks for the body once the handler reads it: from here on the request runs.
    answer.read_line(&mut line).expect("an interim answer");
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    stream.write_all(first.as_bytes()).expect("a part is sent");

    auth.terminate();
    let start = Instant::now();
    while UnixStream::connect(folder.join("auth.sock")).is_ok() {
        assert!(start.elapsed() < PATIENCE, "connections are still taken");
        sleep(Duration::from_millis(20));
    }
    stream.write_all(rest.as_bytes()).expect("the rest is sent");
    let mut text = String::new();
    answer.read_to_string(&mut text).expect("an answer, and the connection's end");
    assert!(text.contains("HTTP/1.1 201 Created"), "{text}");
    assert!(auth.0.wait().expect("auth ends").success());
    assert!(start.elapsed() < Duration::from_secs(9), "it waited for the limit");
}

#[test]
fn an_unusable_variable_is_named_and_ends_it_with_64() {
    let folder = TempDir::new().expect("a folder");
    for (name, value) in [
        ("FINPAY_LISTEN", "nowhere"),
        ("FINPAY_DRAIN_SECONDS", "soon"),
        ("FINPAY_LOG", "[["),
        ("DATABASE_URL", "mysql://localhost/auth"),
        ("FINPAY_KEY_LIFETIME_DAYS", "-1"),
        ("FINPAY_ADMIN_PASSWORD_FILE", "/nonexistent"),
    ] {
        let output = auth(folder.path()).env(name, value).stdout(Stdio::piped()).output().expect("auth runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(64), "{name}: {text}");
        assert!(text.contains(name), "{text}");
    }
    for name in ["DATABASE_URL", "FINPAY_ISSUER", "FINPAY_AUDIENCE"] {
        let output = auth(folder.path()).env_remove(name).output().expect("auth runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{name}: {text}");
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn pods_cannot_share_a_file() {
    let folder = TempDir::new().expect("a folder");
    let output = auth(folder.path())
        .env("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        .stdout(Stdio::piped())
        .output()
        .expect("auth runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("DATABASE_URL") && text.contains("pods cannot share a file"), "{text}");
}

#[test]
fn tables_are_brought_up_to_date_by_whom_it_is_left_to() {
    let folder = TempDir::new().expect("a folder");
    let run = |migrate: &str| {
        let mut command = auth(folder.path());
        // All that an init container knows.
        command.env_remove("FINPAY_ISSUER").env_remove("FINPAY_AUDIENCE").env("FINPAY_MIGRATE", migrate);
        command.stdout(Stdio::piped());
        command
    };
    let output =
        run("never").env("FINPAY_ISSUER", "i").env("FINPAY_AUDIENCE", "a").output().expect("auth runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("FINPAY_MIGRATE=only"), "{text}");
    assert!(run("only").output().expect("auth runs").status.success());
    let mut command = run("never");
    let started = command.env("FINPAY_ISSUER", "i").env("FINPAY_AUDIENCE", "a").spawn();
    let mut auth = Running(started.expect("auth runs"));
    drop(connect(folder.path()));
    auth.terminate();
    assert!(auth.0.wait().expect("auth ends").success());
}

#[tokio::test]
async fn tables_of_another_build_are_told() -> Result<(), sqlx::Error> {
    let folder = TempDir::new().expect("a folder");
    let migrated = || {
        auth(folder.path()).env("FINPAY_MIGRATE", "only").stdout(Stdio::piped()).output().expect("auth runs")
    };
    assert!(migrated().status.success());
    let file = SqliteConnectOptions::new().filename(folder.path().join("auth.db"));
    let mut tables = SqliteConnection::connect_with(&file).await?;
    tables.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await?;
    tables.close().await?;
    let output = migrated();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("the tables are of another build (its migration 1 differs)"), "{text}");
    Ok(())
}
