//! A payment is made once, whatever is repeated, and the ledger balances.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use clap::Parser;
use kit::server::with_defaults;
use kit::store::Query;
use payment::config::Config;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

const BODY: &str = r#"{"orderId":"o-1","amount":100,"currency":"USD","paymentMethod":"credit_card"}"#;

/// Auth, as far as payment asks it: one frozen user, all others active with a limit of 1000.
async fn auth() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let standing = move |axum::extract::Path(user): axum::extract::Path<String>| async move {
        counter.fetch_add(1, Ordering::SeqCst);
        let standing = if user == "frozen" { "frozen" } else { "active" };
        Json(json!({"standing": standing, "limit": {"amount": 1000, "currency": "USD", "exponent": 2}}))
    };
    let app = Router::new().route("/auth/users/{user}/standing", get(standing));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), asked)
}

async fn start(database: &Database, auth_url: &str) -> payment::State {
    let arguments = ["payment-service", "--database-url", &database.url, "--auth-url", auth_url];
    let config = Config::try_parse_from(arguments).expect("a configuration");
    payment::start(&config).await.expect("a store")
}

/// One replica on the test's database.
async fn replica(database: &Database, auth_url: &str) -> Router {
    with_defaults(payment::router(start(database, auth_url).await))
}

async fn post(app: &Router, user: &str, key: &str, body: &str) -> (StatusCode, bool, Bytes) {
    let mut request = Request::post("/payment").header("content-type", "application/json");
    request = request.header("x-jwt-sub", user).header("x-jwt-jti", "j");
    if !key.is_empty() {
        request = request.header("idempotency-key", key);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (status, replayed) = (response.status(), response.headers().contains_key("idempotent-replayed"));
    (status, replayed, axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
}

fn code(body: &Bytes) -> String {
    let problem: Value = serde_json::from_slice(body).expect("JSON");
    problem["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default().to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once_on_two_replicas_are_one_payment(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let (auth_url, _) = auth().await;
    // Both start at once on nothing.
    let replicas: [Router; 2] =
        tokio::join!(replica(&database, &auth_url), replica(&database, &auth_url)).into();
    let mut running = JoinSet::new();
    for number in 0..50 {
        let app = replicas[number % 2].clone();
        running.spawn(async move { post(&app, "user", "k", BODY).await });
    }
    let answers = running.join_all().await;
    assert!(answers.iter().all(|(status, ..)| *status == StatusCode::CREATED), "{answers:?}");
    assert!(answers.iter().all(|(.., body)| *body == answers[0].2), "all bytes are the same");
    assert_eq!(answers.iter().filter(|(_, replayed, _)| !replayed).count(), 1);

    let store = start(&database, &auth_url).await.store.0;
    let sums = "SELECT COUNT(*) AS rows, CAST(SUM(amount_minor) AS BIGINT) AS sum FROM ledger";
    let row = store.fetch_optional(Query::new(sums)).await.expect("an answer").expect("a row");
    let [rows, sum] = ["rows", "sum"].map(|column| row.get::<i64>(column).expect("a number"));
    assert_eq!((rows, sum), (2, 0), "two entries, zero in all");
    for change in ["UPDATE ledger SET amount_minor = 1", "DELETE FROM ledger"] {
        let problem = store.execute(Query::new(change)).await.expect_err("refused");
        assert!(problem.to_string().contains("append only"), "{problem}");
    }
}

#[rstest]
#[tokio::test]
async fn a_repeat_after_a_restart_is_answered_without_asking_auth(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (auth_url, asked) = auth().await;
    let first = post(&replica(&database, &auth_url).await, "user", "k", BODY).await;
    let again = post(&replica(&database, &auth_url).await, "user", "\"k\"", BODY).await;
    assert_eq!((first.0, again.0, again.1), (StatusCode::CREATED, StatusCode::CREATED, true));
    assert_eq!(first.2, again.2);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[rstest]
#[tokio::test]
async fn a_refusal_stays_one_and_an_unacceptable_request_leaves_its_key_free(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (auth_url, _) = auth().await;
    let app = replica(&database, &auth_url).await;
    let above = BODY.replace(":100", ":1001");
    let other_currency = BODY.replace("USD", "EUR");
    let wrong = BODY.replace(":100", ":1.5");
    for (user, key, body, expected) in [
        ("user", "", BODY, "idempotency-key-missing"),
        ("user", "a b", BODY, "idempotency-key-invalid"),
        ("frozen", "k", BODY, "payer-frozen"),
        ("user", "above", above.as_str(), "limit-exceeded"),
        ("user", "currency", other_currency.as_str(), "limit-exceeded"),
        ("user", "k", wrong.as_str(), "invalid-amount"),
        ("user", "k", "{", "malformed-body"),
    ] {
        assert_eq!(code(&post(&app, user, key, body).await.2), expected);
    }
    let (status, replayed, body) = post(&app, "frozen", "k", BODY).await;
    assert_eq!((status, replayed, code(&body).as_str()), (StatusCode::FORBIDDEN, true, "payer-frozen"));
    // The key `k` is still free, and so is the order.
    assert_eq!(post(&app, "user", "k", BODY).await.0, StatusCode::CREATED);
    assert_eq!(
        code(&post(&app, "user", "k", &BODY.replace(":100", ":200")).await.2),
        "idempotency-key-reused"
    );
    assert_eq!(code(&post(&app, "user", "other", BODY).await.2), "order-already-paid");
    // Keys are each user's own.
    assert_eq!(post(&app, "else", "k", BODY).await.0, StatusCode::CREATED);
}

#[rstest]
#[tokio::test]
async fn without_auth_nothing_is_decided(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let app = replica(&database, "http://127.0.0.1:1").await;
    let (status, _, body) = post(&app, "user", "k", BODY).await;
    assert_eq!((status, code(&body).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "upstream-unavailable"));
    let (auth_url, _) = auth().await;
    assert_eq!(post(&replica(&database, &auth_url).await, "user", "k", BODY).await.0, StatusCode::CREATED);
}

/// Two tries of one request, and the payer is frozen in between: whichever is decided first holds for both.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_that_see_different_standings_end_alike(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let flips = Arc::new(AtomicUsize::new(0));
    let standing = move || async move {
        let standing =
            if flips.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { "active" } else { "frozen" };
        Json(json!({"standing": standing, "limit": {"amount": 1000, "currency": "USD", "exponent": 2}}))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let auth_url = format!("http://{}", listener.local_addr().expect("an address"));
    let auth = Router::new().route("/auth/users/{user}/standing", get(standing));
    tokio::spawn(async move { axum::serve(listener, auth).await });
    let replicas = [replica(&database, &auth_url).await, replica(&database, &auth_url).await];
    for number in 0..20 {
        let (key, body) = (format!("k-{number}"), BODY.replace("o-1", &format!("o-{number}")));
        let (one, two) =
            tokio::join!(post(&replicas[0], "user", &key, &body), post(&replicas[1], "user", &key, &body));
        assert_eq!((one.0, &one.2), (two.0, &two.2), "{number}");
    }
}
