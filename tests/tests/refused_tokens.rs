//! Bad tokens: refused by the filter, and the service behind sees nothing of the request.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
use tests::local::Local;
use tests::{Answer, System, User, metrics, orders, tokens};

async fn order(system: &System, user: &User, authorization: &[String]) -> Result<Answer> {
    let mut request = system.request(Method::POST, "/order/create").json(&orders::seed(&user.id));
    for value in authorization {
        request = request.header("authorization", value);
    }
    system.send(request).await
}

fn bearer(token: &str) -> Vec<String> {
    vec![format!("Bearer {token}")]
}

/// What needs no more than a valid token and the public keys.
async fn made_outside(
    system: &System,
    user: &User,
) -> Result<Vec<(&'static str, Vec<String>, &'static str)>> {
    let token = &user.token;
    let (header, claims) = tokens::unverified(token)?;
    let jwks = system.get("/.well-known/jwks.json", token).await?.body;
    let public_key = jwks["keys"][0].to_string();
    let foreign = tokens::foreign_key()?;
    let mut unknown_kid = header.clone();
    unknown_kid["kid"] = json!("../../etc/passwd");
    Ok(vec![
        ("no token", vec![], "401 missing-token"),
        ("garbage", bearer("garbage"), "401 invalid-token"),
        ("tampered payload", bearer(&tokens::tampered(token, "sub", json!("admin"))?), "401 invalid-token"),
        ("alg none", bearer(&tokens::unsigned(token)?), "401 invalid-token"),
        (
            "HS256 with the public key",
            bearer(&tokens::hs256_with_public_key(token, public_key.as_bytes())?),
            "401 invalid-token",
        ),
        ("unknown kid", bearer(&tokens::sign(&foreign, &unknown_kid, &claims)), "401 invalid-token"),
        ("known kid, other key", bearer(&tokens::sign(&foreign, &header, &claims)), "401 invalid-token"),
        ("two Authorization headers", [bearer(token), bearer(token)].concat(), "400 invalid-request"),
        ("a trailing dot", bearer(&format!("{token}.")), "401 invalid-token"),
        ("basic", vec!["Basic dXNlcjpwYXNz".to_owned()], "401 missing-token"),
    ])
}

/// What only the issuer's own key can sign.
async fn made_inside(local: &Local, user: &User) -> Result<Vec<(&'static str, Vec<String>, &'static str)>> {
    let (key, _) = local.signing_key().await?;
    let (header, claims) = tokens::unverified(&user.token)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let with = |claim: &str, value: Value| {
        let mut claims = claims.clone();
        claims[claim] = value;
        bearer(&tokens::sign(&key, &header, &claims))
    };
    let mut other_type = header.clone();
    other_type["typ"] = json!("id+jwt");
    Ok(vec![
        ("expired", with("exp", json!(now - 3600)), "401 invalid-token"),
        ("not yet valid", with("nbf", json!(now + 3600)), "401 invalid-token"),
        ("other issuer", with("iss", json!("https://other.example")), "401 invalid-token"),
        ("other audience", with("aud", json!("other")), "401 invalid-token"),
        ("exp as text", with("exp", json!("9999999999")), "401 invalid-token"),
        ("other typ", bearer(&tokens::sign(&key, &other_type, &claims)), "401 invalid-token"),
    ])
}

#[tokio::test]
async fn bad_tokens_never_reach_the_service() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let mut cases = made_outside(&system, &user).await?;
    let local = Local::from_env()?;
    if let Some(local) = &local {
        cases.extend(made_inside(local, &user).await?);
    }
    let seen = || metrics::requests_seen(&system.client, "order-service", "/order/create");
    let before = seen().await?;
    let mut wrong = Vec::new();
    for (name, authorization, expected) in &cases {
        let answer = order(&system, &user, authorization).await?;
        eprintln!("{name}: {}", answer.verdict());
        if answer.verdict() != *expected {
            wrong.push(format!("{name}: {} instead of {expected}", answer.verdict()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!((seen().await? - before).abs() < f64::EPSILON, "the order service saw a refused request");

    if let Some(local) = &local {
        let (key, _) = local.signing_key().await?;
        let (header, claims) = tokens::unverified(&user.token)?;
        let good = order(&system, &user, &bearer(&tokens::sign(&key, &header, &claims))).await?;
        assert_eq!(good.status, 201, "the forge itself makes tokens that count: {good:?}");
    }
    let good = order(&system, &user, &bearer(&user.token)).await?;
    assert_eq!(good.status, 201, "{good:?}");
    assert!(seen().await? > before, "the counter counts what does arrive");
    Ok(())
}
