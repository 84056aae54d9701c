//! Where a token may stand, and what becomes of it.

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::{Envoy, Options};
use tests::issuer::Issuer;
use tests::jwt::{Tools, configuration, faults};
use tests::raw;

use super::seen;

const MALFORMED: &str = "400 invalid-request";

async fn start(tools: &Tools, issuer: &Issuer, forward: &str) -> Result<Envoy> {
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["tokenPlaces"] = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "X-Access-Token"},
        {"header": "x-other", "scheme": "Token"},
        {"cookie": "session"},
        {"query": "access_token"},
    ]);
    configuration["forward"] = forward.into();
    configuration["rules"] = json!([{"match": {"path": {"exact": "/public"}}, "public": true}]);
    let seen = [":path", "authorization", "cookie", "x-access-token", "x-other"].map(str::to_owned).to_vec();
    tools.start_with(&configuration, &[], Options { seen, ..Options::default() }).await
}

/// A request with the token in each place: the path, and a header beside it.
fn placed(token: &str) -> [(String, &'static str, String); 5] {
    [
        ("/a?b=1".to_owned(), "authorization", format!("Bearer {token}")),
        ("/a?b=1".to_owned(), "x-access-token", token.to_owned()),
        ("/a?b=1".to_owned(), "x-other", format!("token {token}")),
        ("/a?b=1".to_owned(), "cookie", format!("theme=dark; session={token}; lang=en")),
        (format!("/a?access_token={token}&b=1"), "x-nothing", String::new()),
    ]
}

#[tokio::test]
async fn each_place_is_read_and_forwarded_as_told() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let token = issuer.token(&json!({}))?;
    let bearer = format!("Bearer {token}");
    for forward in ["keep", "strip", "authorization"] {
        let envoy = start(&tools, &issuer, forward).await?;
        for (target, name, value) in placed(&token) {
            let reply = raw::get(envoy.address, &target, &[(name, &value)]).await?;
            let case = format!("{forward}, {name}: {reply:?}");
            assert_eq!(reply.status, 200, "{case}");
            assert_eq!(seen(&reply, "x-jwt-sub"), Some("alice"), "{case}");
            assert_eq!(seen(&reply, "path"), Some("/a?b=1"), "{case}");
            let rest = (name == "cookie").then_some("theme=dark; lang=en");
            match forward {
                "keep" if name == "x-nothing" => {}
                "keep" => assert_eq!(seen(&reply, name), Some(value.as_str()), "{case}"),
                "strip" => assert!(!reply.mentions(&token), "{case}"),
                _ => assert_eq!(seen(&reply, "authorization"), Some(bearer.as_str()), "{case}"),
            }
            if forward != "keep" && name != "authorization" {
                assert_eq!(seen(&reply, name), rest, "{case}");
            }
        }
        let alone = format!("session={token}");
        let reply = raw::get(envoy.address, "/a", &[("cookie", &alone)]).await?;
        assert_eq!(seen(&reply, "cookie"), (forward == "keep").then_some(alone.as_str()), "{forward}");
    }
    Ok(())
}

#[tokio::test]
async fn two_places_are_one_too_many() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = start(&tools, &issuer, "keep").await?;
    let token = issuer.token(&json!({}))?;
    let all = placed(&token);
    for (at, (_, first, first_value)) in all.iter().enumerate() {
        for (target, second, second_value) in &all[at + 1..] {
            let fields = [(*first, first_value.as_str()), (*second, second_value.as_str())];
            let reply = raw::get(envoy.address, target, &fields).await?;
            assert_eq!(faults(&reply, MALFORMED, &[&token]), Vec::<String>::new(), "{first} and {second}");
        }
    }
    let twice = format!("/a?access_token={token}&access_token={token}");
    let cookies = format!("session={token}; session={token}");
    for (target, name, value) in [
        (twice.as_str(), "x-nothing", ""),
        ("/a", "cookie", &cookies),
        ("/a?access_token=", "x-nothing", ""),
        ("/a", "x-access-token", ""),
    ] {
        let reply = raw::get(envoy.address, target, &[(name, value)]).await?;
        assert_eq!(faults(&reply, MALFORMED, &[&token]), Vec::<String>::new(), "{target:.30} {name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_in_the_query_reaches_no_service_and_no_log() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = start(&tools, &issuer, "keep").await?;
    let token = issuer.token(&json!({}))?;
    let (bad, twice) = (format!("{token}A"), format!("{token}&access_token={token}"));
    for (path, value, status) in [
        ("/a", &token, 200),
        ("/public", &token, 200),
        ("/public", &bad, 200),
        ("/a", &bad, 401),
        ("/a", &twice, 400),
    ] {
        let reply = raw::get(envoy.address, &format!("{path}?x=1&access_token={value}&y=2"), &[]).await?;
        assert_eq!(reply.status, status, "{path}");
        assert!(!reply.mentions(&token), "{path}: {reply:?}");
        if status == 200 {
            assert_eq!(seen(&reply, "path"), Some(format!("{path}?x=1&y=2").as_str()));
        }
    }
    let log = envoy.logs("access: GET /a?x=1&y=2 400").await?;
    assert!(log.contains("access: GET /a?x=1&y=2 401"), "the log shows what is left: {log}");
    let (_, signature) = token.rsplit_once('.').unwrap_or_default();
    assert!(!log.contains(signature), "the token is in the log");
    Ok(())
}

#[tokio::test]
async fn preflights_pass_where_they_may() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "POST")];
    let ask = async |envoy: &Envoy, method: &str, fields: &[(&str, &str)]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        raw::send(envoy.address, &raw::request(method, b"/a", &fields)).await.map(|reply| reply.status)
    };
    for (passes, expected) in [(Value::Null, 200), (json!(true), 200), (json!(false), 401)] {
        let mut configuration = configuration(&[issuer.inline_provider()]);
        if !passes.is_null() {
            configuration["corsPreflight"] = passes.clone();
        }
        let envoy = tools.start(&configuration, &[]).await?;
        assert_eq!(ask(&envoy, "OPTIONS", &preflight).await?, expected, "corsPreflight {passes}");
        assert_eq!(ask(&envoy, "OPTIONS", &preflight[..1]).await?, 401, "without the method it is none");
        assert_eq!(ask(&envoy, "OPTIONS", &preflight[1..]).await?, 401, "without the origin it is none");
        assert_eq!(ask(&envoy, "GET", &preflight).await?, 401, "GET is none");
    }
    Ok(())
}
