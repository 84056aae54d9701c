//! Replicas of the service, and how the tests talk to them.

use std::io::Write as _;

use auth::config::Config;
use auth::{State, router, start};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use clap::Parser as _;
use kit::server::with_defaults;
use kit::store::Query;
use serde_json::{Value, json};
use testing::Database;
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn config(database: &Database, arguments: &[&str]) -> Config {
    let url = format!("--database-url={}", database.url);
    let fixed = ["auth-service", "--issuer=https://auth.finpay.example", "--audience=finpay", &url];
    Config::parse_from(fixed.iter().chain(arguments))
}

pub(crate) async fn replica(database: &Database, admin_password: &str, arguments: &[&str]) -> State {
    let mut secret = tempfile::NamedTempFile::new().expect("a file");
    secret.write_all(admin_password.as_bytes()).expect("the file is written");
    let file = format!("--admin-password-file={}", secret.path().display());
    let arguments: Vec<_> = arguments.iter().copied().chain([file.as_str()]).collect();
    start(&config(database, &arguments)).await.expect("auth starts")
}

pub(crate) fn routes(state: &State) -> Router {
    with_defaults(router(state.clone()))
}

pub(crate) async fn service(database: &Database, admin_password: &str) -> Router {
    routes(&replica(database, admin_password, &[]).await)
}

pub(crate) fn request(method: &str, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-jwt-sub", "admin")
        .header("x-jwt-jti", "1")
        .body(Body::from(if body.is_null() { String::new() } else { body.to_string() }))
        .expect("a request")
}

pub(crate) async fn send(service: &Router, request: Request<Body>) -> Response {
    service.clone().oneshot(request).await.expect("an answer")
}

pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1_048_576).await.expect("a body");
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

pub(crate) async fn call(service: &Router, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    read(send(service, request(method, path, &body)).await).await
}

pub(crate) fn credentials(user: &str, password: &str) -> Value {
    json!({ "userId": user, "password": password })
}

/// Status, and the last part of the problem's type.
pub(crate) fn problem((status, body): &(StatusCode, Value)) -> (u16, &str) {
    let code = body["type"].as_str().and_then(|uri| uri.strip_prefix("https://finpay.example/problems/"));
    assert_eq!(body["status"], status.as_u16());
    (status.as_u16(), code.expect("a problem type"))
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Registers user123, if it is not there yet, and logs it in: its token.
pub(crate) async fn token(service: &Router) -> String {
    call(service, "POST", "/auth/register", credentials("user123", PASSWORD)).await;
    let (status, answer) = call(service, "POST", "/auth/login", credentials("user123", PASSWORD)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["access_token"].as_str().expect("a token").to_owned()
}

pub(crate) async fn execute(state: &State, sql: &'static str) -> u64 {
    state.store.0.execute(Query::new(sql)).await.expect("the statement runs")
}

/// The number that a `SELECT … AS number` gives.
pub(crate) async fn number(state: &State, sql: &'static str) -> i64 {
    let row = state.store.0.fetch_optional(Query::new(sql)).await.expect("an answer").expect("a row");
    row.get("number").expect("a number")
}
