//! A payment is given back once, in parts or whole, and never more of it than was paid.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tokio::task::JoinSet;

use crate::support::{Answer, BODY, auth, code, json, numbers, pay, replica, request, send, standing, start};

const LEDGER: &str = "SELECT COUNT(*) AS rows, CAST(SUM(amount_minor) AS BIGINT) AS sum,
    CAST(SUM(CASE account WHEN 'merchant' THEN amount_minor ELSE 0 END) AS BIGINT) AS merchant FROM ledger";
const COLUMNS: [&str; 3] = ["rows", "sum", "merchant"];

async fn active() -> String {
    auth(|_| standing("active")).await
}

/// A payment of 100 cents; its path.
async fn paid(app: &Router) -> String {
    let (status, _, body) = pay(app, "user", "pay", BODY).await;
    let body = json(&body);
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&body["state"], &body["refunded"]), (&json!("captured"), &usd(0)));
    format!("/payment/{}", body["paymentId"].as_str().expect("an id"))
}

fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD", "exponent": 2})
}

fn cents(amount: i64) -> String {
    json!({"amount": amount, "currency": "USD"}).to_string()
}

async fn refund(app: &Router, path: &str, user: &str, key: &str, body: &str) -> Answer {
    send(app, request(&format!("{path}/refunds"), user, key, body)).await
}

async fn read(app: &Router, path: &str) -> Value {
    let request = Request::get(path).header("x-jwt-sub", "user").header("x-jwt-jti", "j");
    json(&send(app, request.body(Body::empty()).expect("a request")).await.2)
}

#[rstest]
#[tokio::test]
async fn a_payment_goes_back_in_parts_and_no_further(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let state = start(&database, &active().await).await;
    let app = kit::server::with_defaults(payment::router(state.clone()));
    let path = paid(&app).await;
    for (key, amount, expected, total, postings) in [
        ("one", 30, "partially_refunded", 30, [4, 0, 70]),
        ("above", 71, "", 30, [4, 0, 70]),
        ("two", 69, "partially_refunded", 99, [6, 0, 1]),
        ("rest", 1, "refunded", 100, [8, 0, 0]),
        ("more", 1, "", 100, [8, 0, 0]),
    ] {
        let (status, _, body) = refund(&app, &path, "user", key, &cents(amount)).await;
        if expected.is_empty() {
            assert_eq!((status.as_u16(), code(&body)), (422, "remainder-exceeded".to_owned()), "{key}");
        } else {
            let body = json(&body);
            assert_eq!((status, &body["state"]), (StatusCode::CREATED, &json!(expected)), "{key}");
            assert_eq!((&body["refunded"], &body["amount"]), (&usd(total), &json!(100)), "{key}");
            assert_eq!(body, read(&app, &path).await, "{key}");
        }
        assert_eq!(read(&app, &path).await["refunded"], usd(total), "{key}");
        assert_eq!(numbers(&state, LEDGER, COLUMNS).await, postings, "{key}");
    }
}

#[rstest]
#[tokio::test]
async fn the_whole_goes_back_at_once(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let app = replica(&database, &active().await).await;
    let path = paid(&app).await;
    let above = refund(&app, &path, "user", "above", &cents(101)).await;
    assert_eq!(code(&above.2), "remainder-exceeded");
    let (status, _, body) = refund(&app, &path, "user", "all", &cents(100)).await;
    assert_eq!((status, &json(&body)["state"]), (StatusCode::CREATED, &json!("refunded")));
}

#[rstest]
#[tokio::test]
async fn what_is_no_refund_changes_nothing_and_leaves_its_key_free(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let state = start(&database, &active().await).await;
    let app = kit::server::with_defaults(payment::router(state.clone()));
    let path = paid(&app).await;
    let (cents, elsewhere) = (cents(10), "/payment/0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f13");
    for (path, user, key, body, expected) in [
        (path.as_str(), "user", "", cents.as_str(), (400, "idempotency-key-missing")),
        (&path, "user", "a b", &cents, (400, "idempotency-key-invalid")),
        (&path, "other", "k", &cents, (404, "not-found")),
        (elsewhere, "user", "k", &cents, (404, "not-found")),
        (&path, "user", "k", r#"{"amount":10,"currency":"EUR"}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":10}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":0,"currency":"USD"}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":-10,"currency":"USD"}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":1.5,"currency":"USD"}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":10,"currency":"USD","to":"x"}"#, (422, "invalid-amount")),
        (&path, "user", "k", r#"{"amount":10,"amount":1,"currency":"USD"}"#, (400, "malformed-body")),
    ] {
        let (status, _, answer) = refund(&app, path, user, key, body).await;
        assert_eq!((status.as_u16(), code(&answer).as_str()), expected, "{user} {key} {body}");
        if body.contains("EUR") {
            let fault = &json(&answer)["errors"][0];
            assert_eq!(
                (&fault["pointer"], &fault["code"]),
                (&json!("/currency"), &json!("currency_mismatch"))
            );
        }
    }
    let mut unlike = request(&format!("{path}/refunds"), "user", "k", &cents);
    unlike.headers_mut().insert("x-amount-verified", "1;currency=USD;exponent=2".parse().expect("a header"));
    assert_eq!(code(&send(&app, unlike).await.2), "amount-mismatch");
    assert_eq!(numbers(&state, LEDGER, COLUMNS).await, [2, 0, 100], "nothing went back");
    assert_eq!(refund(&app, &path, "user", "k", &cents).await.0, StatusCode::CREATED, "the key is free");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_refund(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let auth_url = active().await;
    let replicas = [replica(&database, &auth_url).await, replica(&database, &auth_url).await];
    let path = paid(&replicas[0]).await;
    // Of sixty cents only one of these has room.
    let mut running = JoinSet::new();
    for number in 0..20 {
        let (app, path) = (replicas[number % 2].clone(), path.clone());
        running.spawn(async move { refund(&app, &path, "user", "k", &cents(60)).await });
    }
    let answers = running.join_all().await;
    assert!(answers.iter().all(|(status, ..)| *status == StatusCode::CREATED), "{answers:?}");
    assert!(answers.iter().all(|(.., body)| *body == answers[0].2), "all bytes are the same");
    assert_eq!(answers.iter().filter(|(_, replayed, _)| !replayed).count(), 1);
    assert_eq!(read(&replicas[1], &path).await["refunded"], usd(60));

    let other = refund(&replicas[0], &path, "user", "k", &cents(59)).await;
    assert_eq!((other.0.as_u16(), code(&other.2)), (422, "idempotency-key-reused".to_owned()));
    // A refusal stays one under its key, byte for byte, and after another refund the first answer is as it was.
    let refused = refund(&replicas[0], &path, "user", "above", &cents(41)).await;
    assert_eq!(code(&refused.2), "remainder-exceeded");
    assert_eq!(refund(&replicas[0], &path, "user", "rest", &cents(40)).await.0, StatusCode::CREATED);
    for (key, amount, first) in [("above", 41, &refused), ("k", 60, &answers[0])] {
        let again = refund(&replicas[1], &path, "user", key, &cents(amount)).await;
        assert_eq!(again, (first.0, true, first.2.clone()), "{key}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_at_once_only_those_pass_that_fit(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let auth_url = active().await;
    let states = [start(&database, &auth_url).await, start(&database, &auth_url).await];
    let replicas = states.clone().map(|state| kit::server::with_defaults(payment::router(state)));
    let path = paid(&replicas[0]).await;
    let mut running = JoinSet::new();
    for number in 0..20 {
        let (app, path) = (replicas[number % 2].clone(), path.clone());
        running.spawn(async move { refund(&app, &path, "user", &format!("k-{number}"), &cents(30)).await });
    }
    let answers = running.join_all().await;
    let passed = answers.iter().filter(|(status, ..)| *status == StatusCode::CREATED).count();
    let refused = answers.iter().filter(|(_, _, body)| code(body) == "remainder-exceeded").count();
    assert_eq!((passed, refused), (3, 17), "{answers:?}");
    assert_eq!(numbers(&states[0], LEDGER, COLUMNS).await, [8, 0, 10]);
    assert_eq!(read(&replicas[1], &path).await["refunded"], usd(90));
}
