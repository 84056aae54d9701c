//! Logout, revocation, cut-offs, and the feed that tells of them.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kit::store::{Query, Tries};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tokio::time::timeout;

use crate::support::{
    call, execute, now, number, problem, read, replica, request, routes, send, service, token,
};

const FEED: &str = "/.well-known/revocations";
const COUNT: &str = "SELECT COUNT(*) AS number FROM revocations";

async fn feed(service: &Router, after: u64) -> Value {
    let (status, body) = call(service, "GET", &format!("{FEED}?after={after}"), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

fn entries(feed: &Value) -> &Vec<Value> {
    feed["entries"].as_array().expect("entries")
}

async fn revoke(service: &Router, jti: &str, exp: i64) {
    let request = request("POST", "/auth/revocations", &json!({ "jti": jti, "exp": exp }));
    assert_eq!(send(service, request).await.status(), StatusCode::NO_CONTENT);
}

async fn logout(service: &Router, jti: &str, exp: Option<i64>) -> axum::response::Response {
    let mut request = Request::post("/auth/logout").header("x-jwt-sub", "user123").header("x-jwt-jti", jti);
    if let Some(exp) = exp {
        request = request.header("x-jwt-exp", exp);
    }
    send(service, request.body(Body::empty()).expect("a request")).await
}

#[rstest]
#[tokio::test]
async fn a_logout_revokes_the_caller_s_token_once(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let response = send(&service, Request::get(FEED).body(Body::empty()).expect("a request")).await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let empty = json!({ "cursor": 0, "more": false, "entries": [] });
    assert_eq!(read(response).await, (StatusCode::OK, empty));

    let exp = now() + 900;
    for _ in 0..2 {
        assert_eq!(logout(&service, "token-1", Some(exp)).await.status(), StatusCode::NO_CONTENT);
    }
    let told = feed(&service, 0).await;
    // For as long as the most lenient filter takes the token.
    assert_eq!(told["entries"], json!([{ "jti": "token-1", "exp": exp + 300 }]));
    let after = told["cursor"].as_u64().expect("a cursor");
    assert_eq!(entries(&feed(&service, after).await).len(), 0);

    let bare = logout(&service, "token-2", None).await;
    assert_eq!(problem(&read(bare).await), (500, "identity-missing"));
}

#[rstest]
#[tokio::test]
async fn a_token_is_revoked_by_its_id(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let start = now();
    let response = send(&service, request("POST", "/auth/revocations", &json!({ "jti": "plain" }))).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let told = feed(&service, 0).await;
    let exp = told["entries"][0]["exp"].as_i64().expect("a time");
    assert!((start + 1_200..=now() + 1_200).contains(&exp), "{told}");

    let longest = "~".repeat(256);
    revoke(&service, &longest, now() + 365 * 86_400 - 5).await;
    for (body, pointer) in [
        (json!({ "jti": "" }), "/jti"),
        (json!({ "jti": format!("{longest}~") }), "/jti"),
        (json!({ "jti": "a b" }), "/jti"),
        (json!({ "jti": "ä" }), "/jti"),
        (json!({ "jti": "a", "exp": now() + 365 * 86_400 + 5 }), "/exp"),
        (json!({ "jti": "a", "exp": u64::MAX }), "/exp"),
    ] {
        let answer = call(&service, "POST", "/auth/revocations", body).await;
        assert_eq!(problem(&answer), (400, "invalid-request"));
        assert_eq!(answer.1["errors"][0]["pointer"], pointer);
    }
    for body in [json!({}), json!({ "jti": "a", "exp": -1 }), json!({ "jti": "a", "sub": "b" })] {
        let answer = call(&service, "POST", "/auth/revocations", body).await;
        assert_eq!(problem(&answer), (400, "malformed-body"));
    }
    assert_eq!(entries(&feed(&service, 0).await).len(), 2);
}

#[rstest]
#[tokio::test]
async fn the_feed_goes_on_after_a_cursor(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let exp = now() + 900;
    let mut after = 0;
    for jti in ["a", "b", "c"] {
        revoke(&service, jti, exp).await;
        let told = feed(&service, after).await;
        assert_eq!(told["entries"], json!([{ "jti": jti, "exp": exp + 300 }]));
        let cursor = told["cursor"].as_u64().expect("a cursor");
        assert!(cursor > after);
        after = cursor;
    }
    // Known to end later than was thought: told again. Earlier: not.
    revoke(&service, "a", exp + 60).await;
    revoke(&service, "b", exp - 60).await;
    let told = feed(&service, after).await;
    assert_eq!(told["entries"], json!([{ "jti": "a", "exp": exp + 360 }]));
    let all = feed(&service, 0).await;
    let ids: Vec<_> = entries(&all).iter().map(|entry| entry["jti"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["b", "c", "a"]);

    for query in
        ["after=x", "after=-1", "after=", "after=1.5", "after=1&after=2", "after=99999999999999999999"]
    {
        let answer = call(&service, "GET", &format!("{FEED}?{query}"), Value::Null).await;
        assert_eq!(problem(&answer), (400, "invalid-request"), "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn a_cursor_of_another_database_starts_again(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    revoke(&service, "a", now() + 900).await;
    let start = feed(&service, 0).await;
    assert!(start.get("reset").is_none());
    let cursor = start["cursor"].as_u64().expect("a cursor");
    assert!(feed(&service, cursor).await.get("reset").is_none());
    for after in [cursor + 1, u64::MAX] {
        let told = feed(&service, after).await;
        assert_eq!((&told["reset"], &told["cursor"]), (&json!(true), &start["cursor"]));
        assert_eq!(told["entries"], start["entries"]);
    }
}

#[rstest]
#[tokio::test]
async fn many_entries_come_in_pages(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let state = replica(&database, "admin-password", &[]).await;
    let service = routes(&state);
    execute(
        &state,
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5001)
         INSERT INTO revocations (number, jti, exp) SELECT n, 'token-' || n, 9999999999 FROM numbers",
    )
    .await;
    // The newest number belongs to an entry that is forgotten already.
    execute(&state, "UPDATE revocation_counter SET newest = 5002").await;
    let first = feed(&service, 0).await;
    assert_eq!((&first["cursor"], &first["more"]), (&json!(5_000), &json!(true)));
    assert_eq!(entries(&first).len(), 5_000);
    assert_eq!(first["entries"][0]["jti"], "token-1");
    let second = feed(&service, 5_000).await;
    let last = json!([{ "jti": "token-5001", "exp": 9_999_999_999_i64 }]);
    assert_eq!(second, json!({ "cursor": 5_002, "more": false, "entries": last }));
    let full = feed(&service, 1).await;
    assert_eq!((&full["cursor"], &full["more"]), (&json!(5_002), &json!(false)));
    assert_eq!(entries(&full).len(), 5_000);
}

#[rstest]
#[tokio::test]
async fn what_is_past_is_not_told_and_is_cleared_away(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let state = replica(&database, "admin-password", &[]).await;
    let service = routes(&state);
    execute(
        &state,
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 150)
         INSERT INTO revocations (number, jti, exp) SELECT n, 'token-' || n, 1000000000 + n FROM numbers",
    )
    .await;
    execute(&state, "UPDATE revocation_counter SET newest = 150").await;
    let told = feed(&service, 0).await;
    assert_eq!(told, json!({ "cursor": 150, "more": false, "entries": [] }));
    revoke(&service, "a", now() + 900).await;
    assert_eq!(number(&state, COUNT).await, 51, "a bounded number, those first that ended first");
    assert_eq!(number(&state, "SELECT MIN(number) AS number FROM revocations").await, 101);
    revoke(&service, "b", now() + 900).await;
    assert_eq!(number(&state, COUNT).await, 2);
    assert_eq!(entries(&feed(&service, 150).await).len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_later_entry_is_visible_before_an_earlier_one(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let first = replica(&database, "admin-password", &[]).await;
    let second = routes(&replica(&database, "admin-password", &[]).await);
    let exp = now() + 900;
    // A revocation that has its number, and dawdles before it commits.
    let mut transaction = first.store.0.begin().await.expect("a transaction");
    let take = Query::new("UPDATE revocation_counter SET newest = newest + 1");
    transaction.execute(take).await.expect("a number");
    let insert = Query::new("INSERT INTO revocations (number, jti, exp) VALUES (1, 'slow', $1)");
    transaction.execute(insert.bind(exp + 300)).await.expect("an entry");
    let replica = second.clone();
    let mut fast = tokio::spawn(async move { revoke(&replica, "fast", exp).await });
    assert!(timeout(Duration::from_millis(500), &mut fast).await.is_err(), "it overtook the slow one");
    assert_eq!(feed(&second, 0).await["cursor"], 0);
    transaction
        .end(Ok::<_, sqlx::Error>(()), &mut Tries::default())
        .await
        .expect("an end")
        .expect("a commit");
    fast.await.expect("the fast one ends");
    let told = feed(&second, 0).await;
    let ids: Vec<_> = entries(&told).iter().filter_map(|entry| entry["jti"].as_str()).collect();
    assert_eq!((ids, &told["cursor"]), (vec!["slow", "fast"], &json!(2)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_polls_while_many_revoke_misses_none(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    const WRITERS: usize = 8;
    const EACH: usize = 20;
    let Some(database) = Database::new(kind) else { return };
    let replicas = [service(&database, "admin-password").await, service(&database, "admin-password").await];
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let service = replicas[writer % 2].clone();
            tokio::spawn(async move {
                for turn in 0..EACH {
                    revoke(&service, &format!("{writer}-{turn}"), now() + 900).await;
                }
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut after = 0;
    loop {
        let ended = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let told = feed(&replicas[0], after).await;
        for entry in entries(&told) {
            assert!(seen.insert(entry["jti"].to_string()), "{entry} twice");
        }
        after = told["cursor"].as_u64().expect("a cursor");
        if ended {
            break;
        }
    }
    assert_eq!(seen.len(), WRITERS * EACH);
}

fn issued_at(token: &str) -> i64 {
    let part = token.split('.').nth(1).expect("claims");
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON");
    claims["iat"].as_i64().expect("a time")
}

#[rstest]
#[tokio::test]
async fn a_cut_off_spares_the_token_of_the_next_login(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    for turn in 0..3 {
        let old = issued_at(&token(&service).await);
        let cut = send(&service, request("DELETE", "/auth/users/user123/tokens", &Value::Null)).await;
        assert_eq!(cut.status(), StatusCode::NO_CONTENT);
        let new = issued_at(&token(&service).await);
        assert!(new <= now(), "not of the future");
        let told = feed(&service, 0).await;
        let not_before = told["entries"][0]["notBefore"].as_i64().expect("a time");
        assert!(old < not_before && not_before <= new, "turn {turn}: {old} {not_before} {new}");
        let entry = json!({ "sub": "user123", "notBefore": not_before, "exp": not_before + 1_200 });
        assert_eq!(told["entries"], json!([entry]), "only the latest counts");
        assert_eq!(feed(&service, turn).await, told, "and is told to those who know the one before");
    }
    let unknown = call(&service, "DELETE", "/auth/users/nobody/tokens", Value::Null).await;
    assert_eq!(problem(&unknown), (404, "not-found"));
    assert_eq!(feed(&service, 0).await["cursor"], 3, "nothing happened");
}
