//! What the service is told of the caller.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::envoy::Options;
use tests::issuer::Issuer;
use tests::jwt::{Tools, configuration, with};
use tests::raw;

use super::seen;

#[tokio::test]
async fn claims_become_headers() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let headers = json!([
        {"header": "x-user", "claim": "sub"},
        {"header": "x-roles", "pointer": "/realm_access/roles"},
        {"header": "x-first-role", "pointer": "/realm_access/roles/0"},
        {"header": "x-tenant", "claim": "https://finpay.example/tenant"},
        {"header": "x-dotted", "claim": "a.b"},
        {"header": "x-level", "claim": "level"},
        {"header": "x-object", "pointer": "/realm_access"},
        {"header": "x-absent", "claim": "absent"},
        {"header": "x-broken", "claim": "broken"},
        {"header": "x-short", "claim": "long", "maxBytes": 10},
        {"header": "X-Payload", "payload": true},
    ]);
    let names: Vec<String> = headers
        .as_array()
        .into_iter()
        .flatten()
        .map(|header| header["header"].as_str().unwrap_or_default().to_lowercase())
        .collect();
    let provider = with(issuer.inline_provider(), &json!({"claimHeaders": headers}));
    let mut configuration = configuration(&[provider]);
    configuration["rules"] = json!([{"match": {"path": {"exact": "/public"}}, "public": true}]);
    let mut seen_names = names.clone();
    seen_names.extend(["x_user", "x_payload"].map(str::to_owned));
    let envoy =
        tools.start_with(&configuration, &[], Options { seen: seen_names, ..Options::default() }).await?;
    let claims = issuer.claims(&json!({
        "realm_access": {"roles": ["teller", "auditor"]}, "https://finpay.example/tenant": "acme", "a.b": true,
        "level": 7, "broken": "a\r\nx-admin: 1", "long": "more than ten bytes",
    }));
    let pair = issuer.pair()?;
    let token = pair.sign(&tests::issuer::header(&pair), &claims);
    // Copies of the client's own, in every spelling, must not survive beside or in place of ours.
    let authorization = format!("Bearer {token}");
    let mut fields =
        vec![("authorization", authorization.as_str()), ("x_user", "admin"), ("X_Payload", "admin")];
    fields.extend(names.iter().map(|name| (name.as_str(), "admin")));
    let reply = raw::get(envoy.address, "/a", &fields).await?;
    assert_eq!(reply.status, 200, "{reply:?}");
    let expected = [
        ("x-user", Some("alice")),
        ("x-roles", Some("teller,auditor")),
        ("x-first-role", Some("teller")),
        ("x-tenant", Some("acme")),
        ("x-dotted", Some("true")),
        ("x-level", Some("7")),
        ("x-object", Some(r#"{"roles":["teller","auditor"]}"#)),
        ("x-absent", None),
        ("x-broken", None),
        ("x-short", None),
        ("x_user", None),
        ("x_payload", None),
        ("x-jwt-sub", None),
    ];
    for (name, value) in expected {
        assert_eq!(seen(&reply, name), value, "{name}");
    }
    let payload = URL_SAFE_NO_PAD.decode(seen(&reply, "x-payload").unwrap_or_default())?;
    assert_eq!(serde_json::from_slice::<Value>(&payload)?, claims);

    let public = raw::get(envoy.address, "/public", &fields).await?;
    assert_eq!(public.status, 200);
    for name in &names {
        assert_eq!(seen(&public, name), None, "{name} on a public route");
    }
    Ok(())
}

#[tokio::test]
async fn the_usual_headers_tell_the_usual_claims() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&configuration(&[issuer.inline_provider()]), &[]).await?;
    let claims = issuer.claims(&json!({"scope": ["a", "b:c"]}));
    let pair = issuer.pair()?;
    let token = pair.sign(&tests::issuer::header(&pair), &claims);
    for attempt in ["first", "remembered"] {
        let reply = raw::bearer(envoy.address, "/a", &token).await?;
        assert_eq!(seen(&reply, "x-jwt-sub"), Some("alice"), "{attempt}");
        assert_eq!(seen(&reply, "x-jwt-scope"), Some("a b:c"), "{attempt}");
        assert_eq!(seen(&reply, "x-jwt-iss"), claims["iss"].as_str(), "{attempt}");
        assert_eq!(seen(&reply, "x-jwt-jti"), claims["jti"].as_str(), "{attempt}");
        assert_eq!(seen(&reply, "x-jwt-exp"), Some(claims["exp"].to_string().as_str()), "{attempt}");
    }
    Ok(())
}

/// Envoy had chosen a route before the filter saw the request, by headers that the client alone had written.
#[tokio::test]
async fn claims_choose_the_route_and_a_client_does_not() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let route = json!({
        "match": {"prefix": "/", "headers": [{"name": "x-jwt-sub", "string_match": {"exact": "alice"}}]},
        "direct_response": {"status": 202},
    });
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["rules"] = json!([{"match": {"path": {"exact": "/public"}}, "public": true}]);
    let envoy =
        tools.start_with(&configuration, &[], Options { routes: vec![route], ..Options::default() }).await?;
    let authorization = format!("Bearer {}", issuer.token(&json!({}))?);
    let chosen = raw::get(envoy.address, "/a", &[("authorization", authorization.as_str())]).await?;
    assert_eq!(chosen.status, 202, "{chosen:?}");
    let pretended = raw::get(envoy.address, "/public", &[("x-jwt-sub", "alice")]).await?;
    assert_eq!(pretended.status, 200, "{pretended:?}");
    Ok(())
}
