//! An order ends paid once or cancelled, whatever breaks in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::FromRequest;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post as route_post;
use axum::{Json, Router};
use clap::Parser;
use kit::Code;
use kit::amounts::{Judged, Rules};
use kit::server::with_defaults;
use kit::store::Query;
use order::config::Config;
use order::domain::NewOrder;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tokio::net::TcpListener;
use tower::ServiceExt;

const BODY: &str = r#"{"userId":"user","items":[{"id":"i","quantity":2,"price":50}],"totalAmount":100,"paymentMethod":"credit_card"}"#;

/// Payment, as far as order asks it: fails `failures` times, then captures, or refuses a total of 999; of 998 the mesh before it
/// does. Its keys.
async fn payment(failures: usize) -> (String, Arc<std::sync::Mutex<Vec<String>>>) {
    let keys = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (seen, left) = (Arc::clone(&keys), Arc::new(AtomicUsize::new(failures)));
    let pay = move |headers: HeaderMap, Json(body): Json<Value>| async move {
        let key = headers["idempotency-key"].to_str().expect("a key").to_owned();
        assert_eq!(body["orderId"], key.as_str());
        seen.lock().expect("the keys").push(key);
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let refusal = match body["amount"].as_i64() {
            Some(999) => Some("payer-frozen"),
            Some(998) => Some("insufficient-scope"),
            _ => None,
        };
        if let Some(code) = refusal {
            let kind = [(header::CONTENT_TYPE, "application/problem+json")];
            let problem = json!({"type": format!("https://finpay.example/problems/{code}")}).to_string();
            return (StatusCode::FORBIDDEN, kind, problem).into_response();
        }
        (StatusCode::CREATED, Json(json!({"paymentId": "p-1", "state": "captured"}))).into_response()
    };
    let app = Router::new().route("/payment", route_post(pay));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), keys)
}

async fn start(database: &Database, payment_url: &str) -> order::State {
    let arguments = ["order-service", "--database-url", &database.url, "--payment-url", payment_url];
    let config = Config::try_parse_from(arguments).expect("a configuration");
    order::start(&config).await.expect("a store")
}

async fn replica(database: &Database, payment_url: &str) -> Router {
    with_defaults(order::router(start(database, payment_url).await))
}

async fn call(app: &Router, request: Request<Body>) -> (Response, Bytes) {
    let response = app.clone().oneshot(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    (Response::from_parts(head, Body::empty()), bytes)
}

async fn create(app: &Router, request_id: &str, body: &str) -> (Response, Bytes) {
    call(app, post(request_id, body)).await
}

fn post(request_id: &str, body: &str) -> Request<Body> {
    let request = Request::post("/order/create")
        .header("content-type", "application/json")
        .header("x-request-id", request_id)
        .header("x-jwt-sub", "user")
        .header("x-jwt-jti", "j");
    request.body(Body::from(body.to_owned())).expect("a request")
}

#[rstest]
#[tokio::test]
async fn a_failed_payment_is_taken_up_again_by_the_other_replica(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (payment_url, keys) = payment(1).await;
    let (failed, _) = create(&replica(&database, &payment_url).await, "r-1", BODY).await;
    assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
    let app = replica(&database, &payment_url).await;
    let (paid, first) = create(&app, "r-1", BODY).await;
    let (replayed, again) = create(&app, "r-1", BODY).await;
    assert_eq!((paid.status(), replayed.status()), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first, again);
    assert!(replayed.headers().contains_key("idempotent-replayed"));
    let keys = keys.lock().expect("the keys");
    assert_eq!(keys.len(), 2, "asked twice, and not for the replay");
    assert_eq!(keys[0], keys[1], "for the same order");
}

#[rstest]
#[tokio::test]
async fn a_refused_payment_cancels_the_order_and_the_reason_goes_on(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (payment_url, _) = payment(0).await;
    let app = replica(&database, &payment_url).await;
    let body = BODY
        .replace("\"price\":50", "\"price\":999")
        .replace(":100", ":999")
        .replace("\"quantity\":2", "\"quantity\":1");
    let (refused, problem) = create(&app, "r-1", &body).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(&problem).contains("payer-frozen"));
    let (again, same) = create(&app, "r-1", &body).await;
    assert_eq!((again.status(), same), (StatusCode::FORBIDDEN, problem));
}

#[rstest]
#[tokio::test]
async fn an_order_is_its_owner_s_and_its_key_s(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let (payment_url, _) = payment(0).await;
    let app = replica(&database, &payment_url).await;
    let (paid, _) = create(&app, "r-1", BODY).await;
    let path = paid.headers()["location"].to_str().expect("text").to_owned();
    for (user, expected) in [("user", StatusCode::OK), ("other", StatusCode::NOT_FOUND)] {
        let request = Request::get(&path).header("x-jwt-sub", user).header("x-jwt-jti", "j");
        assert_eq!(call(&app, request.body(Body::empty()).expect("a request")).await.0.status(), expected);
    }
    let (other, _) = create(&app, "r-1", &BODY.replace("credit_card", "debit_card")).await;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY, "the key came with another payload");
    let (stranger, _) = create(&app, "r-2", &BODY.replace("\"user\"", "\"else\"")).await;
    assert_eq!(stranger.status(), StatusCode::FORBIDDEN, "an order for somebody else");
}

/// Every amount of an answer has its currency. What is kept is as it came: a request that comes again to a newer build
/// must be the same to it.
#[rstest]
#[tokio::test]
async fn a_price_is_shown_with_its_currency_and_kept_without(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (payment_url, _) = payment(0).await;
    let state = start(&database, &payment_url).await;
    let app = with_defaults(order::router(state.clone()));
    let yen = BODY.replace("\"paymentMethod\"", "\"currency\":\"JPY\",\"paymentMethod\"");
    for (request_id, body, currency, exponent) in [("usd", BODY, "USD", 2), ("jpy", yen.as_str(), "JPY", 0)] {
        let (made, bytes) = create(&app, request_id, body).await;
        let path = made.headers()["location"].to_str().expect("text");
        let request = Request::get(path).header("x-jwt-sub", "user").header("x-jwt-jti", "j");
        let read = call(&app, request.body(Body::empty()).expect("a request")).await.1;
        let price = json!({"amount": 50, "currency": currency, "exponent": exponent});
        let items = json!([{"id": "i", "quantity": 2, "price": price}]);
        for answer in [bytes, read] {
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            assert_eq!(answer["items"], items, "{answer}");
        }
    }
    let kept = Query::new("SELECT items, fingerprint FROM orders WHERE currency = 'USD'");
    let row = state.store.0.fetch_optional(kept).await.expect("an answer").expect("a row");
    let [items, fingerprint] =
        ["items", "fingerprint"].map(|column| row.get::<String>(column).expect("text"));
    assert_eq!(items, r#"[{"id":"i","quantity":2,"price":50}]"#);
    assert_eq!(fingerprint, "19018cd927542fdb2e4061bd7e5a50a90a72fb37d12c70c95b4b4bc4e704c121");
}

#[rstest]
#[tokio::test]
async fn a_refusal_by_the_mesh_decides_nothing(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let (payment_url, keys) = payment(0).await;
    let app = replica(&database, &payment_url).await;
    let body = BODY.replace("\"price\":50", "\"price\":499").replace(":100", ":998");
    for _ in 0..2 {
        assert_eq!(create(&app, "r-1", &body).await.0.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(keys.lock().expect("the keys").len(), 2, "the order is still pending, so it is asked again");
}

/// What the sidecar's filter says that it has judged (`x-amount-verified`) is what the service goes on with.
#[tokio::test]
async fn an_amount_that_was_not_judged_is_not_charged() {
    let Some(database) = Database::new(Kind::Sqlite) else { return };
    let (payment_url, keys) = payment(0).await;
    let state = start(&database, &payment_url).await;
    let app = with_defaults(order::router(state.clone()));
    for (told, expected, orders) in [
        ("10000;currency=USD;exponent=2", "500 amount-mismatch", 0),
        ("100;currency=EUR;exponent=2", "500 amount-mismatch", 0),
        ("100;currency=USD;exponent=3", "500 amount-mismatch", 0),
        ("100", "500 amount-mismatch", 0),
        ("", "500 amount-mismatch", 0),
        ("100;currency=USD;exponent=2", "201 ", 1),
    ] {
        let mut request = post("r-6", BODY);
        request.headers_mut().insert("x-amount-verified", told.parse().expect("a header"));
        let (answer, body) = call(&app, request).await;
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let problem = body["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default();
        assert_eq!(format!("{} {problem}", answer.status().as_u16()), expected, "{told}");
        let count = Query::new("SELECT COUNT(*) AS orders FROM orders");
        let row = state.store.0.fetch_optional(count).await.expect("an answer").expect("a row");
        assert_eq!(row.get::<i64>("orders").expect("a number"), orders, "{told}");
    }
    assert_eq!(keys.lock().expect("the keys").len(), 1, "what is not charged");
}

/// A rule that judges other figures than the service reads lets nothing pass, also where no filter tells of any.
#[tokio::test]
async fn a_rule_of_another_default_currency_is_found_out() {
    let rule = String::from_utf8(order::AMOUNT_RULE.to_vec()).expect("text");
    for (from, to, expected) in [
        ("", "", Ok(100)),
        (r#""default": "USD""#, r#""default": "EUR""#, Err(Code::AmountMismatch)),
        (",\n      \"verified\": \"/totalAmount\"", "", Err(Code::AmountMismatch)),
    ] {
        assert!(rule.contains(from), "{from}");
        let rules = Rules::new(rule.replacen(from, to, 1).as_bytes()).expect("rules");
        let judged = Judged::<NewOrder>::from_request(post("r-7", BODY), &rules).await;
        let read = judged.map(|Judged(new)| new.total.amount).map_err(|problem| problem.code());
        assert_eq!(read, expected, "{to}");
    }
}
