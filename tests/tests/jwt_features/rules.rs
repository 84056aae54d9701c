//! Which requests need what.

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::Envoy;
use tests::http2::Http2;
use tests::issuer::Issuer;
use tests::jwt::{Tools, arrived, configuration, faults, verdicts, with};
use tests::post::Post;
use tests::raw;

use super::seen;

async fn ask(
    envoy: &Envoy,
    method: &str,
    target: &str,
    token: Option<&str>,
    host: &str,
) -> Result<raw::Reply> {
    let authorization = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
    let mut fields: Vec<(&[u8], &[u8])> = vec![(b"host", host.as_bytes())];
    if token.is_some() {
        fields.push((b"authorization", authorization.as_bytes()));
    }
    raw::send(envoy.address, &raw::request(method, target.as_bytes(), &fields)).await
}

fn rules() -> Value {
    let path = |exact: &str| json!({"path": {"exact": exact}});
    json!([
        {"match": path("/public"), "public": true},
        {"match": path("/optional"), "optional": true},
        {"match": path("/optional-scope"), "optional": true, "scopes": ["orders:read"]},
        {"match": path("/all"), "scopes": ["orders:read", "orders:write"]},
        {"match": path("/any"), "anyScopes": ["admin", "orders:read"]},
        {"match": path("/claims"), "claims": [{"pointer": "/org/roles", "contains": "teller"}, {"claim": "level", "equals": 2}]},
        {"match": path("/first"), "providers": ["first"]},
        {"match": {"path": {"template": "/order/{id}/lines"}, "methods": ["GET"]}, "public": true},
        {"match": {"path": {"prefix": "/files"}, "methods": ["GET"]}, "public": true},
        {"match": {"path": {"prefix": "/"}, "hosts": ["docs.finpay.example", "*.open.example"]}, "public": true},
    ])
}

/// Method, target, token, host and the right answer.
type Case<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, &'a str);

/// What is wrong with the answers.
async fn judged(envoy: &Envoy, cases: Vec<Case<'_>>) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (method, target, token, host, expected) in cases {
        let reply = ask(envoy, method, target, token, host).await?;
        let case = format!("{method} {target} at {host}");
        if expected == "200" {
            wrong.extend((reply.status != 200).then(|| format!("{case}: {}", reply.verdict())));
        } else {
            let secrets = token.map_or(Vec::new(), |token| vec![token]);
            wrong.extend(faults(&reply, expected, &secrets).iter().map(|fault| format!("{case}: {fault}")));
        }
    }
    Ok(wrong)
}

#[tokio::test]
async fn each_route_asks_for_what_it_says() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let first = Issuer::start().await?;
    let second = Issuer::start_as("https://second.example").await?;
    let providers = [
        with(first.inline_provider(), &json!({"name": "first"})),
        with(second.inline_provider(), &json!({"name": "second"})),
    ];
    let envoy = tools.start(&with(configuration(&providers), &json!({"rules": rules()})), &[]).await?;
    let both = first.token(&json!({}))?;
    let read = first.token(&json!({"scope": "orders:read"}))?;
    let none = first.token(&json!({"scope": null}))?;
    let teller = first.token(&json!({"org": {"roles": ["clerk", "teller"]}, "level": 2}))?;
    let clerk = first.token(&json!({"org": {"roles": ["clerk"]}, "level": 2}))?;
    let text = first.token(&json!({"org": {"roles": ["teller"]}, "level": "2"}))?;
    let theirs = second.token(&json!({}))?;
    let bad = format!("{both}A");
    let crossed = first.token(&json!({"iss": "https://second.example"}))?;
    let (missing, invalid, short) = ("401 missing-token", "401 invalid-token", "403 insufficient-scope");
    let host = "api.example";
    let cases: Vec<Case<'_>> = vec![
        ("GET", "/public", None, host, "200"),
        ("GET", "/public", Some(&bad), host, "200"),
        ("GET", "/optional", None, host, "200"),
        ("GET", "/optional", Some(&both), host, "200"),
        ("GET", "/optional", Some(&bad), host, invalid),
        ("GET", "/optional-scope", None, host, "200"),
        ("GET", "/optional-scope", Some(&none), host, short),
        ("GET", "/all", None, host, missing),
        ("GET", "/all", Some(&both), host, "200"),
        ("GET", "/all", Some(&read), host, short),
        ("GET", "/any", Some(&read), host, "200"),
        ("GET", "/any", Some(&none), host, short),
        ("GET", "/claims", Some(&teller), host, "200"),
        ("GET", "/claims", Some(&clerk), host, short),
        ("GET", "/claims", Some(&text), host, short),
        ("GET", "/first", Some(&both), host, "200"),
        ("GET", "/first", Some(&theirs), host, invalid),
        ("GET", "/elsewhere", Some(&theirs), host, "200"),
        ("GET", "/elsewhere", Some(&crossed), host, invalid),
        ("GET", "/order/7/lines", None, host, "200"),
        ("HEAD", "/order/7/lines", None, host, "200"),
        ("POST", "/order/7/lines", None, host, missing),
        ("GET", "/order//lines", None, host, "400 invalid-path"),
        ("GET", "/order/7/lines/1", None, host, missing),
        ("GET", "/files", None, host, "200"),
        ("GET", "/files/1/2", None, host, "200"),
        ("GET", "/filesystem", None, host, missing),
        ("DELETE", "/files/1", None, host, missing),
        ("GET", "/x", None, "docs.finpay.example", "200"),
        ("GET", "/x", None, "DOCS.finpay.EXAMPLE:8080", "200"),
        ("GET", "/x", None, "docs.finpay.example.", "400 invalid-path"),
        ("GET", "/x", None, "a.open.example", "200"),
        ("GET", "/x", None, "open.example", missing),
        ("GET", "/x", None, "docs.finpay.example.evil.example", missing),
    ];
    let wrong = judged(&envoy, cases).await?;
    assert!(wrong.is_empty(), "{wrong:#?}");
    let reply = ask(&envoy, "GET", "/all", Some(&read), host).await?;
    let challenge = r#"Bearer realm="finpay", error="insufficient_scope", scope="orders:read orders:write""#;
    assert_eq!(reply.header("www-authenticate"), challenge);
    for (target, token, sub) in
        [("/optional", Some(&both), Some("alice")), ("/optional", None, None), ("/public", Some(&both), None)]
    {
        let reply = ask(&envoy, "GET", target, token.map(String::as_str), host).await?;
        assert_eq!(seen(&reply, "x-jwt-sub"), sub, "{target}");
    }
    Ok(())
}

#[tokio::test]
async fn no_spelling_is_a_way_around_a_rule() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["rules"] = json!([
        {"match": {"path": {"exact": "/admin"}, "methods": ["POST"], "hosts": ["api.example"]}, "scopes": ["admin"]},
        {"match": {"path": {"prefix": "/"}}, "optional": true},
    ]);
    let envoy = tools.start(&configuration, &[]).await?;
    let plain = issuer.token(&json!({"scope": "orders:read"}))?;
    let mut cases: Vec<Case<'_>> = Vec::new();
    for path in ["/admin", "/admin/", "/Admin", "/admin.", "/ADMIN/?a"] {
        cases.extend([
            ("POST", path, None, "api.example:80", "401 missing-token"),
            ("POST", path, Some(plain.as_str()), "API.example", "403 insufficient-scope"),
            ("GET", path, None, "api.example", "200"),
            ("POST", path, None, "other.example", "200"),
        ]);
    }
    for host in ["api.example:x", "api.example:80:80", "[api.example]", "api.example]"] {
        cases.push(("POST", "/admin", None, host, "400 invalid-path"));
    }
    let wrong = judged(&envoy, cases).await?;
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Envoy's own parser of HTTP/1.1 takes none of these.
    for method in ["post", "Post", "gET"] {
        let post = Post::json("/admin", "").by(method);
        let reply = Http2::open(envoy.address).await?.send(&post).await?;
        assert_eq!(reply.verdict(), "400 invalid-path", "{method}");
    }
    Ok(())
}

#[tokio::test]
async fn a_dry_run_refuses_nothing_and_counts_all() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["rules"] =
        json!([{"match": {"path": {"prefix": "/try"}}, "scopes": ["admin"], "dryRun": true}]);
    let envoy = tools.start(&configuration, &[]).await?;
    let (admin, plain) = (issuer.token(&json!({"scope": "admin"}))?, issuer.token(&json!({}))?);
    let expired = issuer.token(&json!({"exp": 1000}))?;
    for _ in 0..3 {
        for token in [None, Some(&admin), Some(&plain), Some(&expired)] {
            let reply = ask(&envoy, "GET", "/try", token.map(String::as_str), "api.example").await?;
            assert_eq!(reply.status, 200, "{reply:?}");
            let sub = (token == Some(&admin)).then_some("alice");
            assert_eq!(seen(&reply, "x-jwt-sub"), sub, "who would be refused is nobody");
        }
    }
    for reason in ["missing_token", "scope", "expired"] {
        assert_eq!(verdicts(&envoy, "would_deny", reason).await?, 3, "{reason}");
    }
    assert_eq!(verdicts(&envoy, "allow", "ok").await?, 3);
    assert_eq!(envoy.stats("verdict=.=deny;").await?, vec![], "nothing was refused");
    assert_eq!(arrived(&envoy).await?, 12);
    let elsewhere = ask(&envoy, "GET", "/other", None, "api.example").await?;
    assert_eq!(elsewhere.verdict(), "401 missing-token", "other routes are in earnest");
    Ok(())
}

#[tokio::test]
async fn a_dry_run_tells_its_client_if_it_is_to() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["rules"] =
        json!([{"match": {"path": {"prefix": "/try"}}, "scopes": ["admin"], "dryRun": true}]);
    configuration["dryRunHeader"] = "x-jwt-dry-run".into();
    let envoy = tools.start(&configuration, &[]).await?;
    let (admin, plain) = (issuer.token(&json!({"scope": "admin"}))?, issuer.token(&json!({}))?);
    let expired = issuer.token(&json!({"exp": 1000}))?;
    for (token, reason) in [
        (None, Some("missing_token")),
        (Some(&plain), Some("scope")),
        (Some(&expired), Some("expired")),
        (Some(&admin), None),
    ] {
        let reply = ask(&envoy, "GET", "/try", token.map(String::as_str), "api.example").await?;
        let told = reply.has("x-jwt-dry-run").then(|| reply.header("x-jwt-dry-run"));
        assert_eq!((reply.status, told), (200, reason), "{reply:?}");
    }
    Ok(())
}

/// What a dry run would have refused is told in any case, all else if it is to be.
#[tokio::test]
async fn access_logs_are_told_if_they_are_to() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = configuration(&[with(issuer.inline_provider(), &json!({"name": "one"}))]);
    configuration["rules"] = json!([
        {"match": {"path": {"exact": "/admin"}}, "scopes": ["admin"]},
        {"match": {"path": {"exact": "/try"}}, "scopes": ["admin"], "dryRun": true},
    ]);
    let token = issuer.token(&json!({"sub": "alice"}))?;
    for is_told in [false, true] {
        configuration["logState"] = is_told.into();
        let envoy = tools.start(&configuration, &[]).await?;
        for (path, token) in [("/told", &*token), ("/refused", "a.b.c"), ("/admin", &token), ("/try", &token)]
        {
            raw::bearer(envoy.address, path, token).await?;
        }
        raw::get(envoy.address, "/try", &[]).await?;
        let state = |text: &'static str| if is_told { text } else { "-" };
        for line in [
            format!("/told 200 direct_response state: {}", state("allow ok one alice")),
            format!("/refused 401 malformed state: {}", state("deny malformed none -")),
            format!("/admin 403 scope state: {}", state("deny scope one alice")),
            "/try 200 direct_response state: would_deny scope one alice".to_owned(),
            "/try 200 direct_response state: would_deny missing_token none -".to_owned(),
        ] {
            envoy.logs(&format!("access: GET {line}\n")).await?;
        }
        assert!(!envoy.log()?.contains(&token), "a log holds the token");
    }
    Ok(())
}
