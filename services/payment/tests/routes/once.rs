//! A payment is made once, whatever is repeated, and the ledger balances.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use kit::server::with_defaults;
use kit::store::Query;
use rstest::rstest;
use testing::{Database, Kind};
use tokio::task::JoinSet;

use crate::support::{self, BODY, code, numbers, pay, replica, request, send, standing, start};

/// Auth with one frozen user, all others active; and how often it was asked.
async fn auth() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let says = move |user: &str| {
        counter.fetch_add(1, Ordering::SeqCst);
        standing(if user == "frozen" { "frozen" } else { "active" })
    };
    (support::auth(says).await, asked)
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
        running.spawn(async move { pay(&app, "user", "k", BODY).await });
    }
    let answers = running.join_all().await;
    assert!(answers.iter().all(|(status, ..)| *status == StatusCode::CREATED), "{answers:?}");
    assert!(answers.iter().all(|(.., body)| *body == answers[0].2), "all bytes are the same");
    assert_eq!(answers.iter().filter(|(_, replayed, _)| !replayed).count(), 1);

    let state = start(&database, &auth_url).await;
    let sums = "SELECT COUNT(*) AS rows, CAST(SUM(amount_minor) AS BIGINT) AS sum FROM ledger";
    assert_eq!(numbers(&state, sums, ["rows", "sum"]).await, [2, 0], "two entries, zero in all");
    for change in ["UPDATE ledger SET amount_minor = 1", "DELETE FROM ledger"] {
        let problem = state.store.0.execute(Query::new(change)).await.expect_err("refused");
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
    let first = pay(&replica(&database, &auth_url).await, "user", "k", BODY).await;
    let again = pay(&replica(&database, &auth_url).await, "user", "\"k\"", BODY).await;
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
        // A character that PostgreSQL could not keep.
        ("user", "k", &BODY.replace("o-1", "o\\u0000"), "invalid-amount"),
    ] {
        assert_eq!(code(&pay(&app, user, key, body).await.2), expected);
    }
    let (status, replayed, body) = pay(&app, "frozen", "k", BODY).await;
    assert_eq!((status, replayed, code(&body).as_str()), (StatusCode::FORBIDDEN, true, "payer-frozen"));
    // The key `k` is still free, and so is the order.
    assert_eq!(pay(&app, "user", "k", BODY).await.0, StatusCode::CREATED);
    assert_eq!(
        code(&pay(&app, "user", "k", &BODY.replace(":100", ":200")).await.2),
        "idempotency-key-reused"
    );
    assert_eq!(code(&pay(&app, "user", "other", BODY).await.2), "order-already-paid");
    // Keys are each user's own.
    assert_eq!(pay(&app, "else", "k", BODY).await.0, StatusCode::CREATED);
}

#[rstest]
#[tokio::test]
async fn without_auth_nothing_is_decided(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let app = replica(&database, "http://127.0.0.1:1").await;
    let (status, _, body) = pay(&app, "user", "k", BODY).await;
    assert_eq!((status, code(&body).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "upstream-unavailable"));
    let (auth_url, _) = auth().await;
    assert_eq!(pay(&replica(&database, &auth_url).await, "user", "k", BODY).await.0, StatusCode::CREATED);
}

/// Two tries of one request, and the payer is frozen in between: whichever is decided first holds for both.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_that_see_different_standings_end_alike(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let flips = Arc::new(AtomicUsize::new(0));
    let says = move |_: &str| {
        let is_active = flips.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        standing(if is_active { "active" } else { "frozen" })
    };
    let auth_url = support::auth(says).await;
    let replicas = [replica(&database, &auth_url).await, replica(&database, &auth_url).await];
    for number in 0..20 {
        let (key, body) = (format!("k-{number}"), BODY.replace("o-1", &format!("o-{number}")));
        let (one, two) =
            tokio::join!(pay(&replicas[0], "user", &key, &body), pay(&replicas[1], "user", &key, &body));
        assert_eq!((one.0, &one.2), (two.0, &two.2), "{number}");
    }
}

/// What the sidecar's filter says that it has judged (`x-amount-verified`) is what the service goes on with.
#[tokio::test]
async fn an_amount_that_was_not_judged_is_not_paid() {
    let Some(database) = Database::new(Kind::Sqlite) else { return };
    let (auth_url, asked) = auth().await;
    let state = start(&database, &auth_url).await;
    let app = with_defaults(payment::router(state.clone()));
    for (told, expected, kept) in [
        ("1;currency=USD;exponent=2", StatusCode::INTERNAL_SERVER_ERROR, 0),
        ("100;currency=EUR;exponent=2", StatusCode::INTERNAL_SERVER_ERROR, 0),
        ("100;currency=USD;exponent=2", StatusCode::CREATED, 1),
    ] {
        let mut request = request("/payment", "user", "k", BODY);
        request.headers_mut().insert("x-amount-verified", told.parse().expect("a header"));
        assert_eq!(send(&app, request).await.0, expected, "{told}");
        let counts = "SELECT (SELECT COUNT(*) FROM payments) AS payments, (SELECT COUNT(*) FROM idempotency_keys) AS keys";
        let counts = numbers(&state, counts, ["payments", "keys"]).await;
        assert_eq!(counts, [kept, kept], "{told}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "auth is not asked about another amount");
}
