//! The key set: its caches, and its keys' turns.

use auth::State;
use auth::store::{MIGRATIONS, SigningKey, Store};
use axum::Router;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::Response;
use jwt_simple::prelude::{ECDSAP256PublicKeyLike as _, ES256PublicKey, NoCustomClaims, Token};
use kit::store::{Migrations, Query};
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use testing::{Database, Kind};

use crate::support::{
    call, config, execute, now, number, problem, replica, request, routes, send, service, token,
};

const JWKS: &str = "/.well-known/jwks.json";
const COUNT: &str = "SELECT COUNT(*) AS number FROM signing_keys";

async fn published(service: &Router) -> Vec<Value> {
    let (status, mut body) = call(service, "GET", JWKS, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_value(body["keys"].take()).expect("keys")
}

async fn kids(service: &Router) -> Vec<String> {
    published(service).await.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

fn kid(token: &str) -> String {
    Token::decode_metadata(token).expect("a head").key_id().expect("a kid").to_owned()
}

async fn add(service: &Router, body: Value) -> (String, i64) {
    let (status, answer) = call(service, "POST", "/auth/keys", body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (kid, signs_from) = (answer["kid"].as_str(), answer["signsFrom"].as_i64());
    (kid.expect("a kid").to_owned(), signs_from.expect("a time"))
}

/// As if so many seconds had passed for the keys.
async fn pass(state: &State, seconds: i64) {
    let query = Query::new("UPDATE signing_keys SET signs_from = signs_from - $1");
    state.store.0.execute(query.bind(seconds)).await.expect("time passes");
}

async fn get_unless(service: &Router, path: &str, known: &[&str]) -> Response {
    let mut request = request("GET", path, &Value::Null);
    for known in known {
        request.headers_mut().append(header::IF_NONE_MATCH, known.parse().expect("a value"));
    }
    send(service, request).await
}

#[rstest]
#[tokio::test]
async fn a_document_that_the_client_has_is_not_sent_again(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
    #[values(JWKS, "/.well-known/openid-configuration")] path: &str,
) {
    let Some(database) = Database::new(kind) else { return };
    let replicas = [service(&database, "admin-password").await, service(&database, "admin-password").await];
    let response = get_unless(&replicas[0], path, &[]).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let tag = response.headers()[header::ETAG].to_str().expect("a tag").to_owned();
    assert!(tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
    for known in [&[tag.as_str()][..], &["\"other\", \"more\"", &format!("\"x\", W/{tag}")], &["*"]] {
        let response = get_unless(&replicas[1], path, known).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known:?}");
        assert_eq!(response.headers()[header::ETAG], tag.as_str());
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=60");
        assert!(to_bytes(response.into_body(), 1).await.expect("a body").is_empty());
    }
    for other in ["\"other\"", tag.trim_matches('"'), "W/*"] {
        assert_eq!(get_unless(&replicas[1], path, &[other]).await.status(), StatusCode::OK, "{other}");
    }
    add(&replicas[0], json!({})).await;
    let changed = get_unless(&replicas[1], path, &[&tag]).await.status();
    assert_eq!(changed == StatusCode::OK, path == JWKS);
}

#[rstest]
#[tokio::test]
async fn a_key_is_published_before_it_signs_and_after_its_last_token(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let (state, other) =
        (replica(&database, "admin-password", &[]).await, service(&database, "admin-password").await);
    let service = routes(&state);
    let old_token = token(&service).await;
    let old = kid(&old_token);
    let start = now();
    let (new, signs_from) = add(&service, json!({})).await;
    assert!((start + 600..=now() + 600).contains(&signs_from), "{signs_from}");
    let both = [old.clone(), new.clone()];
    assert_eq!(kids(&other).await, both);
    assert_eq!(kid(&token(&other).await), old, "not yet");

    pass(&state, 600).await;
    let new_token = token(&other).await;
    assert_eq!((kid(&new_token), kid(&token(&service).await)), (new.clone(), new.clone()));
    assert_eq!(kids(&other).await, both, "tokens of the old one are about");
    for (token, key) in [&old_token, &new_token].into_iter().zip(published(&other).await) {
        let key = ES256PublicKey::from_jwk(&key.to_string()).expect("a public key");
        key.verify_token::<NoCustomClaims>(token, None).expect("a valid token");
    }
    pass(&state, 1_190).await;
    assert_eq!(kids(&service).await, both);
    pass(&state, 10).await;
    assert_eq!((kids(&service).await, kids(&other).await), (vec![new.clone()], vec![new.clone()]));
    let (third, _) = add(&service, json!({ "signsInSeconds": 60 })).await;
    assert_eq!(kids(&other).await, [new, third]);
    assert_eq!(number(&state, COUNT).await, 2, "no private key is kept for nothing");
}

#[rstest]
#[tokio::test]
async fn a_key_can_sign_at_once_and_no_more_than_16_are_published(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let Some(database) = Database::new(kind) else { return };
    let replicas = [service(&database, "admin-password").await, service(&database, "admin-password").await];
    token(&replicas[1]).await;
    for _ in 1..16 {
        let (new, _) = add(&replicas[0], json!({ "signsInSeconds": 0 })).await;
        if kids(&replicas[1]).await.len() < 4 {
            assert_eq!(kid(&token(&replicas[1]).await), new);
        }
    }
    assert_eq!(kids(&replicas[1]).await.len(), 16);
    let full = call(&replicas[0], "POST", "/auth/keys", json!({})).await;
    assert_eq!(problem(&full), (409, "too-many-keys"));
    for seconds in [-1, 86_401] {
        let wrong = call(&replicas[0], "POST", "/auth/keys", json!({ "signsInSeconds": seconds })).await;
        assert_eq!(problem(&wrong), (400, "invalid-request"));
        assert_eq!(wrong.1["errors"][0]["pointer"], "/signsInSeconds");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_at_once_add_a_key_each(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let replicas = [service(&database, "admin-password").await, service(&database, "admin-password").await];
    let (first, second, third) = tokio::join!(
        add(&replicas[0], json!({})),
        add(&replicas[1], json!({})),
        add(&replicas[0], json!({ "signsInSeconds": 86_400 })),
    );
    let published = kids(&replicas[1]).await;
    assert_eq!(published.len(), 4);
    assert!([first, second, third].iter().all(|(kid, _)| published.contains(kid)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_find_the_key_too_old_add_one(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    const DAYS_89: i64 = 89 * 86_400;
    for _ in 0..3 {
        let Some(database) = Database::new(kind) else { return };
        let state = replica(&database, "admin-password", &[]).await;
        let first = kids(&routes(&state)).await;
        pass(&state, DAYS_89).await;
        assert_eq!(kids(&service(&database, "admin-password").await).await, first, "not old yet");
        pass(&state, 86_400).await;
        let never = replica(&database, "admin-password", &["--key-lifetime-days=0"]).await;
        assert_eq!(kids(&routes(&never)).await, first);
        let replicas = tokio::join!(
            service(&database, "admin-password"),
            service(&database, "admin-password"),
            service(&database, "admin-password"),
        );
        let both = kids(&replicas.0).await;
        assert_eq!((both.len(), &both[0]), (2, &first[0]));
        assert_eq!((kids(&replicas.1).await, kids(&replicas.2).await), (both.clone(), both));
        assert_eq!(kid(&token(&replicas.1).await), first[0], "published before it signs");
        let signs_in = number(&state, "SELECT MAX(signs_from) AS number FROM signing_keys").await - now();
        assert!((590..=600).contains(&signs_in), "{signs_in}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_add_the_next_key_at_once_one_does(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let Some(database) = Database::new(kind) else { return };
    let states =
        [replica(&database, "admin-password", &[]).await, replica(&database, "admin-password", &[]).await];
    for round in 1..=5 {
        let newest = number(&states[0], "SELECT MAX(signs_from) AS number FROM signing_keys").await;
        let adding: Vec<_> = (0..8)
            .map(|turn| {
                let kid = format!("{round}-{turn}");
                let next = SigningKey { kid, private_key: vec![1; 32], signs_from: newest + 600 };
                let store = states[turn % 2].store.clone();
                tokio::spawn(async move { store.add_key(&next, newest).await.expect("an answer") })
            })
            .collect();
        let mut added = 0;
        for adding in adding {
            added += usize::from(adding.await.expect("an end"));
        }
        assert_eq!((added, kids(&routes(&states[1])).await.len()), (1, round + 1));
    }
}

#[rstest]
#[tokio::test]
async fn the_key_of_the_version_before_stays_the_first(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    fn before(migrator: &Migrator) -> Migrator {
        let first = migrator.iter().filter(|migration| migration.version == 1).cloned().collect();
        Migrator { migrations: first, ..Migrator::DEFAULT }
    }
    let Some(database) = Database::new(kind) else { return };
    let old = Migrations { sqlite: before(&MIGRATIONS.sqlite), postgres: before(&MIGRATIONS.postgres) };
    let old = Store(kit::Database::open(&config(&database, &[]).common, &old).await.expect("a store"));
    let insert = Query::new(
        "INSERT INTO signing_keys (kid, private_key, in_use, created_at) VALUES ('old', $1, 1, $2)",
    );
    let insert = insert.bind(&[1_u8; 32][..]).bind(now() - 86_400);
    old.0.execute(insert).await.expect("the old version's key");

    let state = replica(&database, "admin-password", &[]).await;
    assert_eq!(kids(&routes(&state)).await, ["old"]);
    assert_eq!(kid(&token(&routes(&state)).await), "old");
    let age = now() - number(&state, "SELECT signs_from AS number FROM signing_keys").await;
    assert!((86_400..86_500).contains(&age), "{age}");
    assert_eq!(execute(&state, "UPDATE signing_keys SET in_use = 1 WHERE generation = 1").await, 1);
}
