//! What `docs/jwt-filter.md` promises a stranger: its complete Envoy, in front of a service that knows nothing of us.

mod example;

use std::process::Stdio;

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use example::Example;
use example::document::block;
use serde_json::{Value, json};
use tests::issuer::Pair;
use tests::{metrics, tokens};
use tokio::process::Command;

#[tokio::test]
async fn the_complete_example_does_what_it_says() -> Result<()> {
    let pair = Pair::generate("k1")?;
    let jwks = json!({"keys": [pair.jwk]}).to_string();
    let keys = Router::new().route("/.well-known/jwks.json", get(async || jwks));
    let Some(example) = Example::jwt(keys, |_| {}).await? else { return Ok(()) };
    let claims =
        json!({"sub": "alice", "realm_access": {"roles": ["buyer", "admin"]}, "scope": "items:write"});
    let token = example::token(&pair, &claims);

    let answer = example.send("GET", "/items/1", &[]).await?;
    assert_eq!(answer.verdict(), "401 missing-token");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="shop""#);

    let answer = example.get("/items/1", &token).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["headers"]["x-user"], "alice");
    assert_eq!(answer.body["headers"]["x-roles"], "buyer,admin");

    let forged = tokens::tampered(&token, "sub", json!("bob"))?;
    let answer = example.get("/items/1", &forged).await?;
    assert_eq!(answer.verdict(), "401 invalid-token");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="shop", error="invalid_token""#);

    let bearer = format!("Bearer {}", example::token(&pair, &json!({"scope": "items:read"})));
    let answer = example.send("POST", "/items", &[("authorization", &bearer)]).await?;
    assert_eq!(answer.verdict(), "403 insufficient-scope");
    let challenge = r#"Bearer realm="shop", error="insufficient_scope", scope="items:write""#;
    assert_eq!(answer.header("www-authenticate"), challenge);

    let answer = example.send("GET", "/health", &[("x-user", "root"), ("x-jwt-sub", "root")]).await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["headers"]["x-user"], Value::Null, "a client's own copy");
    assert_eq!(answer.body["headers"]["x-jwt-sub"], Value::Null, "a client's own copy");

    let text = example.metrics().await?;
    for (verdict, reason, provider) in [
        ("allow", "ok", "idp"),
        ("allow", "public", "none"),
        ("deny", "missing_token", "none"),
        ("deny", "signature", "idp"),
        ("deny", "scope", "idp"),
    ] {
        let labels = [("verdict", verdict), ("reason", reason), ("provider", provider)]
            .map(|(name, value)| format!("{name}=\"{value}\""));
        let labels = labels.each_ref().map(String::as_str);
        let count = metrics::sum(&text, "finpay_jwt_requests_total", &labels);
        assert!((count - 1.0).abs() < f64::EPSILON, "{labels:?}: {count}\n{text}");
    }
    Ok(())
}

#[tokio::test]
async fn envoy_takes_the_cluster_with_tls() -> Result<()> {
    let Some(binary) = tests::envoy::binary() else { return Ok(()) };
    let clusters: Value = serde_saphyr::from_str(&block("jwt-filter.md", "yaml envoy-cluster")?)?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("envoy.json");
    std::fs::write(&config, json!({"static_resources": {"clusters": clusters}}).to_string())?;
    let mut command = Command::new(binary);
    command.arg("-c").arg(&config).args(["--mode", "validate"]).stdin(Stdio::null());
    let output = command.output().await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
