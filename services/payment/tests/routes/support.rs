//! Replicas of the service, an auth service for them, and how the tests talk to them.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use clap::Parser as _;
use kit::server::with_defaults;
use kit::store::Query;
use payment::config::Config;
use serde_json::{Value, json};
use testing::Database;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

pub(crate) const BODY: &str =
    r#"{"orderId":"o-1","amount":100,"currency":"USD","paymentMethod":"credit_card"}"#;

/// Status, whether it is a replay, and the body.
pub(crate) type Answer = (StatusCode, bool, Bytes);

/// Auth, as far as payment asks it: what it says of each user.
pub(crate) async fn auth(says: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> String {
    let standing = async move |Path(user): Path<String>| says(&user);
    let app = Router::new().route("/auth/users/{user}/standing", get(standing));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Auth's answer with a limit of 1000 cents.
pub(crate) fn standing(word: &str) -> String {
    json!({"standing": word, "limit": {"amount": 1000, "currency": "USD", "exponent": 2}}).to_string()
}

pub(crate) async fn start(database: &Database, auth_url: &str) -> payment::State {
    let arguments = ["payment-service", "--database-url", &database.url, "--auth-url", auth_url];
    let config = Config::try_parse_from(arguments).expect("a configuration");
    payment::start(&config).await.expect("a store")
}

/// One replica on the test's database.
pub(crate) async fn replica(database: &Database, auth_url: &str) -> Router {
    with_defaults(payment::router(start(database, auth_url).await))
}

pub(crate) fn request(path: &str, user: &str, key: &str, body: &str) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    request = request.header("x-jwt-sub", user).header("x-jwt-jti", "j");
    if !key.is_empty() {
        request = request.header("idempotency-key", key);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (status, replayed) = (response.status(), response.headers().contains_key("idempotent-replayed"));
    (status, replayed, axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
}

/// Asks for a payment.
pub(crate) async fn pay(app: &Router, user: &str, key: &str, body: &str) -> Answer {
    send(app, request("/payment", user, key, body)).await
}

pub(crate) fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

/// The problem's code.
pub(crate) fn code(body: &Bytes) -> String {
    json(body)["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// The numbers of the one row that a query has.
pub(crate) async fn numbers<const N: usize>(
    state: &payment::State,
    sql: &'static str,
    columns: [&str; N],
) -> [i64; N] {
    let row = state.store.0.fetch_optional(Query::new(sql)).await.expect("an answer").expect("a row");
    columns.map(|column| row.get(column).expect("a number"))
}
