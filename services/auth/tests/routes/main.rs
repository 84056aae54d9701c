//! The router in process: each route, each error, and the tokens that it issues.

mod keys;
mod revocations;
mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike as _, ES256PublicKey, Token, VerificationOptions,
};
use rstest::rstest;
use serde::Deserialize;
use serde_json::{Value, json};
use testing::{Database, Kind};

use crate::support::{PASSWORD, call, credentials, problem, read, request, send, service};

#[derive(Deserialize)]
struct Custom {
    scope: String,
    client_id: String,
}

#[rstest]
#[tokio::test]
async fn a_registered_user_gets_a_token_that_the_published_key_verifies(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password\n").await;
    let made = call(&service, "POST", "/auth/register", credentials("user123", PASSWORD)).await;
    assert_eq!(made, (StatusCode::CREATED, json!({ "userId": "user123" })));
    let (status, answer) = call(&service, "POST", "/auth/login", credentials("user123", PASSWORD)).await;
    assert_eq!(
        (status, &answer["token_type"], &answer["expires_in"]),
        (StatusCode::OK, &json!("Bearer"), &json!(900))
    );
    let again = send(&service, request("POST", "/auth/login", &credentials("user123", PASSWORD))).await;
    assert_eq!(again.headers()[header::CACHE_CONTROL], "no-store");

    let response = send(&service, request("GET", "/.well-known/jwks.json", &Value::Null)).await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=60");
    let (_, keys) = read(response).await;
    let key = &keys["keys"][0];
    let mut members: Vec<_> = key.as_object().expect("a key").keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);

    let token = answer["access_token"].as_str().expect("a token");
    let head = Token::decode_metadata(token).expect("a head");
    assert_eq!(
        (head.algorithm(), head.signature_type(), head.key_id()),
        ("ES256", Some("at+jwt"), key["kid"].as_str())
    );
    let options = VerificationOptions {
        allowed_issuers: Some(["https://auth.finpay.example".to_owned()].into()),
        allowed_audiences: Some(["finpay".to_owned()].into()),
        time_tolerance: Some(Duration::from_secs(0)),
        ..VerificationOptions::default()
    };
    let public = ES256PublicKey::from_jwk(&key.to_string()).expect("a public key");
    let claims = public.verify_token::<Custom>(token, Some(options)).expect("a valid token");
    assert_eq!(claims.subject.as_deref(), Some("user123"));
    assert_eq!(claims.custom.scope, "orders:read orders:write payments:read payments:write");
    assert_eq!(claims.custom.client_id, "finpay");
    assert!(claims.jwt_id.is_some() && claims.invalid_before.is_some() && claims.issued_at.is_some());
    assert_eq!(
        claims.expires_at.zip(claims.issued_at).map(|(end, start)| (end - start).as_secs()),
        Some(900)
    );
}

#[rstest]
#[tokio::test]
async fn discovery_names_the_issuer_and_its_keys(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let (status, answer) = call(&service, "GET", "/.well-known/openid-configuration", Value::Null).await;
    assert_eq!((status, &answer["issuer"]), (StatusCode::OK, &json!("https://auth.finpay.example")));
    assert_eq!(answer["jwks_uri"], "https://auth.finpay.example/.well-known/jwks.json");
}

#[rstest]
#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    call(&service, "POST", "/auth/register", credentials("user123", PASSWORD)).await;
    let wrong = call(&service, "POST", "/auth/login", credentials("user123", "wrong-password")).await;
    assert_eq!(problem(&wrong), (401, "bad-credentials"));
    assert_eq!(call(&service, "POST", "/auth/login", credentials("nobody", "wrong-password")).await, wrong);
    assert_eq!(call(&service, "POST", "/auth/login", credentials("no body", "short")).await, wrong);
}

#[rstest]
#[tokio::test]
async fn a_taken_id_is_a_conflict_and_the_administrator_s_always_is(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    for user in ["user123", "user123", "admin"] {
        let answer = call(&service, "POST", "/auth/register", credentials(user, PASSWORD)).await;
        assert!(
            answer.0 == StatusCode::CREATED || problem(&answer) == (409, "user-exists"),
            "{user}: {answer:?}"
        );
    }
    let again = call(&service, "POST", "/auth/register", credentials("admin", PASSWORD)).await;
    assert_eq!(problem(&again), (409, "user-exists"));
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_registered_is_named_by_its_pointer(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    for (user, password, pointer) in
        [("", PASSWORD, "/userId"), ("a/b", PASSWORD, "/userId"), ("a", "seven77", "/password")]
    {
        let answer = call(&service, "POST", "/auth/register", credentials(user, password)).await;
        assert_eq!(problem(&answer), (400, "invalid-request"));
        assert_eq!(answer.1["errors"][0]["pointer"], pointer);
    }
    let unknown = json!({ "userId": "a", "password": PASSWORD, "scope": "users:admin" });
    let answer = call(&service, "POST", "/auth/register", unknown).await;
    assert_eq!(problem(&answer), (400, "malformed-body"));
    assert!(!answer.1.to_string().contains(PASSWORD), "no answer quotes a body");
}

#[rstest]
#[tokio::test]
async fn standing_changes_and_is_told(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    call(&service, "POST", "/auth/register", credentials("user123", PASSWORD)).await;
    let path = "/auth/users/user123/standing";
    let limit = json!({ "amount": 100_000_000, "currency": "USD", "exponent": 2 });
    let active = json!({ "userId": "user123", "standing": "active", "limit": limit });
    assert_eq!(call(&service, "GET", path, Value::Null).await, (StatusCode::OK, active));
    let frozen = json!({ "userId": "user123", "standing": "frozen", "limit": limit });
    let put = call(&service, "PUT", path, json!({ "standing": "frozen" })).await;
    assert_eq!(put, (StatusCode::OK, frozen.clone()));
    assert_eq!(call(&service, "GET", path, Value::Null).await, (StatusCode::OK, frozen));

    let unknown = call(&service, "PUT", "/auth/users/nobody/standing", json!({ "standing": "active" })).await;
    assert_eq!(problem(&unknown), (404, "not-found"));
    assert_eq!(
        problem(&call(&service, "GET", "/auth/users/nobody/standing", Value::Null).await),
        (404, "not-found")
    );
    let odd = call(&service, "PUT", path, json!({ "standing": "rich" })).await;
    assert_eq!(problem(&odd), (400, "malformed-body"));
}

#[rstest]
#[tokio::test]
async fn a_request_past_the_sidecar_is_a_fault_of_the_deployment(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let bare = Request::get("/auth/users/admin/standing").body(Body::empty()).expect("a request");
    assert_eq!(problem(&read(send(&service, bare).await).await), (500, "identity-missing"));
}

#[rstest]
#[tokio::test]
async fn bodies_paths_and_methods_that_are_not_ours_are_problems(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let service = service(&database, "admin-password").await;
    let response = send(&service, request("DELETE", "/auth/login", &Value::Null)).await;
    assert_eq!(response.headers()[header::ALLOW], "POST");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(problem(&read(response).await), (405, "method-not-allowed"));
    assert_eq!(problem(&call(&service, "GET", "/nowhere", Value::Null).await), (404, "not-found"));

    let plain =
        Request::post("/auth/login").header(header::CONTENT_TYPE, "text/plain").body(Body::from("{}"));
    assert_eq!(
        problem(&read(send(&service, plain.expect("a request")).await).await),
        (415, "unsupported-media-type")
    );
    let large = call(&service, "POST", "/auth/login", credentials("user123", &"a".repeat(70_000))).await;
    assert_eq!(problem(&large), (413, "body-too-large"));
    let doubled = r#"{"userId":"a","userId":"b","password":"12345678"}"#;
    let doubled =
        Request::post("/auth/login").header(header::CONTENT_TYPE, "application/json").body(doubled.into());
    assert_eq!(
        problem(&read(send(&service, doubled.expect("a request")).await).await),
        (400, "malformed-body")
    );
}

#[rstest]
#[tokio::test]
async fn the_administrator_s_password_follows_its_file(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    for password in ["first-password", "second-password"] {
        let service = service(&database, &format!("{password}\n")).await;
        let (status, answer) = call(&service, "POST", "/auth/login", credentials("admin", password)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(answer["scope"].as_str().is_some_and(|scope| scope.ends_with(" users:admin")));
    }
    let service = service(&database, "second-password").await;
    let old = call(&service, "POST", "/auth/login", credentials("admin", "first-password")).await;
    assert_eq!(problem(&old), (401, "bad-credentials"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_start_at_once_on_an_empty_store_publish_one_key(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    for _ in 0..5 {
        let Some(database) = Database::new(kind) else { return };
        let replicas = tokio::join!(
            service(&database, "admin-password"),
            service(&database, "admin-password"),
            service(&database, "admin-password"),
        );
        let keys = |replica| async move { call(replica, "GET", "/.well-known/jwks.json", Value::Null).await };
        let first = keys(&replicas.0).await;
        assert_eq!(first, keys(&replicas.1).await);
        assert_eq!(first, keys(&replicas.2).await);
    }
}
