//! The server of every service: health, metrics, limits, log lines, and a clean end.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Parser;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::{self, Common, EX_USAGE, Listen, MigrateOnly};
use crate::problem::{Code, Problem};
use crate::store::{Database, Migrate, Migrations};
use crate::telemetry;

/// The largest body that any service reads.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

#[derive(Clone)]
struct Health {
    draining: Arc<AtomicBool>,
    database: Database,
}

/// A service's own routes with what every router has: problems for unknown paths and methods, the body limit,
/// a problem instead of a broken connection after a panic.
pub fn with_defaults(routes: Router) -> Router {
    routes
        .fallback(|| async { Problem::new(Code::NotFound, "No route has this path.") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "See the Allow header.")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::internal(Code::Internal, &"panic in a handler").into_response()
        }))
}

/// What kept a service from starting.
pub trait StartError: std::fmt::Display {
    /// Whether the configuration is at fault (exit code 64), and not the surroundings (1).
    fn is_usage(&self) -> bool;
}

/// A service's whole life: its configuration, its log, its start, its routes, its end.
pub async fn main<Config: Parser + AsRef<Common>, State, Problem: StartError>(
    default_port: u16,
    migrations: &Migrations,
    start: impl AsyncFnOnce(&Config) -> Result<State, Problem>,
    parts: impl FnOnce(State) -> (Database, Router),
) -> ExitCode {
    if let Some(MigrateOnly { common }) = config::migrate_only() {
        return match begin_log(&common) {
            Ok(()) => told(Database::open(&common, migrations).await.map(|_| ())),
            Err(code) => code,
        };
    }
    let config: Config = config::read();
    let common = config.as_ref();
    if let Err(code) = begin_log(common) {
        return code;
    }
    // As `--migrate only`, beside everything else that a service needs.
    if common.migrate == Migrate::Only {
        return told(Database::open(common, migrations).await.map(|_| ()));
    }
    match start(&config).await {
        Ok(state) => {
            let (database, routes) = parts(state);
            run(common, default_port, routes, database).await
        }
        Err(problem) => told(Err(problem)),
    }
}

fn begin_log(settings: &Common) -> Result<(), ExitCode> {
    telemetry::start(&settings.log).map_err(|problem| {
        eprintln!("{problem}");
        ExitCode::from(EX_USAGE)
    })
}

fn told<Problem: StartError>(outcome: Result<(), Problem>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!(%problem, "the service cannot start");
            if problem.is_usage() { ExitCode::from(EX_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

impl StartError for sqlx::Error {
    fn is_usage(&self) -> bool {
        matches!(self, Self::Configuration(_))
    }
}

/// Runs a service until SIGTERM or SIGINT: then `/readyz` says 503, no new connection is taken, running requests end
/// within the drain time, and the process exits with 0.
async fn run(settings: &Common, default_port: u16, routes: Router, database: Database) -> ExitCode {
    match serve(settings, default_port, routes, database).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!(%problem, listen = ?settings.listen, "the service ends");
            ExitCode::FAILURE
        }
    }
}

async fn serve(
    settings: &Common,
    default_port: u16,
    routes: Router,
    database: Database,
) -> Result<(), std::io::Error> {
    let health = Health { draining: Arc::new(AtomicBool::new(false)), database };
    let (layer, metrics) = telemetry::metrics();
    let app = with_defaults(routes)
        .layer(from_fn(log_request))
        .layer(layer)
        .merge(health_routes(health.clone()))
        .route("/metrics", get(|| async move { metrics.render() }));
    let listen = settings.listen.clone().unwrap_or(Listen::Tcp(([0, 0, 0, 0], default_port).into()));
    let (stop, stopped) = watch::channel(());
    let mut drained = stopped.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        health.draining.store(true, Ordering::Release);
        tracing::info!("draining");
        let _ = stop.send(());
    });
    let mut begun = stopped.clone();
    let graceful = async move {
        let _ = begun.changed().await;
    };
    let server = async {
        match &listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                tracing::info!(%listen, "listening");
                axum::serve(listener, app).with_graceful_shutdown(graceful).await
            }
            Listen::Unix(path) => {
                remove_stale(path).await?;
                let listener = UnixListener::bind(path)?;
                tracing::info!(%listen, "listening");
                axum::serve(listener, app).with_graceful_shutdown(graceful).await
            }
        }
    };
    let limit = async {
        let _ = drained.changed().await;
        tokio::time::sleep(Duration::from_secs(settings.drain_seconds)).await;
    };
    tokio::select! {
        ended = server => ended?,
        () = limit => tracing::warn!("requests still ran when the drain time was over"),
    }
    tracing::info!("ended");
    Ok(())
}

/// A socket that a crash left behind would refuse the bind. Any other file stays, and refuses it.
async fn remove_stale(path: &Path) -> Result<(), std::io::Error> {
    match tokio::fs::symlink_metadata(path).await {
        Ok(found) if found.file_type().is_socket() => tokio::fs::remove_file(path).await,
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn wait_for_signal() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received: the service ends by SIGKILL only");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

fn health_routes(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { StatusCode::OK }))
        .route("/readyz", get(readyz))
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> Response {
    if health.draining.load(Ordering::Acquire) {
        return Problem::new(Code::UpstreamUnavailable, "Draining.").into_response();
    }
    match health.database.ready().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(problem) => Problem::internal(Code::StoreUnavailable, &problem).into_response(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// One line a request. Neither its body nor its credentials nor its query are in it.
async fn log_request(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let request_id = text(request.headers(), "x-request-id");
    let traceparent = text(request.headers(), "traceparent");
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let mut response = next.run(request).await;
    // Answers of a payment system are nobody's to keep, unless a route says more.
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(header::HeaderValue::from_static("no-store"));
    let duration_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let trace_id = traceparent.split('-').nth(1).unwrap_or_default();
    tracing::info!(%method, route, status = response.status().as_u16(), duration_us, request_id, trace_id, "request");
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt as _;

    use super::*;
    use crate::Caller;

    async fn get_path(path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let routes = Router::new()
            .route("/panic", get(async || -> StatusCode { panic!("with a secret") }))
            .route("/caller", get(async |caller: Caller| format!("{} {:?}", caller.subject, caller.scopes)));
        let mut request = Request::get(path).body(Body::empty()).expect("a request");
        for (name, value) in fields {
            let name: header::HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let response = with_defaults(routes).oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), BODY_LIMIT_BYTES).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let (status, body) = get_path("/panic", &[]).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("problems/internal") && !body.contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn the_caller_is_whom_the_sidecar_names_and_never_nobody() {
        let named = [("x-jwt-sub", "user123"), ("x-jwt-jti", "1"), ("x-jwt-scope", "a b")];
        assert_eq!(get_path("/caller", &named).await.1, r#"user123 ["a", "b"]"#);
        for fields in [&[][..], &[("x-jwt-sub", ""), ("x-jwt-jti", "1")], &[("x-jwt-sub", "user123")]] {
            let (status, body) = get_path("/caller", fields).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(body.contains("problems/identity-missing"), "{body}");
        }
    }
}
