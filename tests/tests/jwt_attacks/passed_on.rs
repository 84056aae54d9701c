//! What of a request's own words goes on to the service beside the filter's.

use anyhow::Result;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tests::envoy::Options;
use tests::http2::Http2;
use tests::issuer::Issuer;
use tests::jwt::{Tools, with};
use tests::post::Post;
use tests::raw;
use tests::upstream::Upstream;

use super::guarded;

/// Some servers read trailers as header fields that come late.
#[tokio::test]
async fn trailers_do_not_say_who_calls() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let upstream = Upstream::start().await?;
    let mut configuration = guarded(&issuer);
    configuration["providers"][0]["claimHeaders"] = json!([{"header": "x-user", "claim": "sub"}]);
    let options = Options { upstream: Some(upstream.address), ..Options::default() };
    let envoy = tools.start_with(&configuration, &[], options).await?;
    let authorization = format!("Bearer {}", issuer.token(&json!({}))?);
    for (path, body, user) in
        [("/order/1", "{}", vec!["alice"]), ("/order/1", "", vec!["alice"]), ("/public", "{}", vec![])]
    {
        let mut trailers = HeaderMap::new();
        for name in ["x-user", "x_user", "x-jwt-sub", "x_jwt.sub", "x-jwt-anything"] {
            trailers.append(HeaderName::from_static(name), HeaderValue::from_static("root"));
            trailers.append(HeaderName::from_static(name), HeaderValue::from_static("admin"));
        }
        trailers.append("x-checksum", HeaderValue::from_static("5"));
        let post = Post::json(path, body).with("authorization", &authorization);
        let reply = Http2::open(envoy.address).await?.send_with_trailers(&post, trailers).await?;
        assert_eq!(reply.status, 200, "{reply:?}");
        let seen = upstream.seen();
        assert_eq!(seen.trailers, [("x-checksum".to_owned(), b"5".to_vec())], "{path} {body}");
        assert_eq!(seen.values("x-user"), user, "{path} {body}");
    }
    assert_eq!(envoy.vm_failures()?, 0);
    Ok(())
}

/// A service that finds the token in `Authorization` finds there nothing that was not looked at.
#[tokio::test]
async fn a_token_that_is_moved_takes_the_place_of_whatever_stood_there() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let token = issuer.token(&json!({}))?;
    let (cookie, bearer) = (format!("session={token}"), format!("Bearer {token}"));
    for (forward, passes) in [("authorization", false), ("keep", true), ("strip", true)] {
        let mut configuration = guarded(&issuer);
        let dry = json!({"match": {"path": {"exact": "/dry"}}, "dryRun": true});
        configuration["rules"].as_array_mut().into_iter().for_each(|rules| rules.push(dry.clone()));
        let moved = json!({"tokenPlaces": [{"cookie": "session"}], "forward": forward});
        let options = Options { seen: vec!["authorization".to_owned()], ..Options::default() };
        let envoy = tools.start_with(&with(configuration, &moved), &[], options).await?;
        for path in ["/public", "/optional", "/dry"] {
            let reply = raw::get(envoy.address, path, &[("Authorization", "Bearer forged")]).await?;
            let expected = if passes { "Bearer forged" } else { "" };
            assert_eq!(
                (reply.status, reply.header("seen-authorization")),
                (200, expected),
                "{path} {forward}"
            );
        }
        for path in ["/optional", "/order/1"] {
            let fields = [("authorization", "Bearer forged"), ("cookie", &cookie)];
            let reply = raw::get(envoy.address, path, &fields).await?;
            let expected = if passes { "Bearer forged" } else { bearer.as_str() };
            assert_eq!(
                (reply.status, reply.header("seen-authorization")),
                (200, expected),
                "{path} {forward}"
            );
        }
    }
    Ok(())
}
