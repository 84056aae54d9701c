//! The amount that the service is told of, by the filter alone.

use anyhow::{Context, Result};
use hyper::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tests::amount::{
    ORDER, ORDERS, Tools, WAYS, Way, amount_rule, assert_told, order, order_rule, plain, rules,
};
use tests::http2::Http2;
use tests::post::{Framing, Post};

const NAME: &str = "x-amount-verified";

fn configuration() -> Value {
    let mut major = amount_rule("major", json!({"unit": "major"}));
    major["verified"] = "/amount".into();
    let mut optional = amount_rule("optional", json!({"optional": true}));
    optional["verified"] = "/amount".into();
    let mut dry = amount_rule("dry", json!({"max": 10}));
    dry["verified"] = "/amount".into();
    dry["dryRun"] = true.into();
    rules(&[order_rule(), major, optional, dry, amount_rule("silent", json!({}))])
}

fn money(path: &str, amount: &str, currency: &str) -> Post {
    Post::json(path, format!(r#"{{"amount":{amount},"currency":"{currency}"}}"#))
}

#[tokio::test]
async fn a_judged_amount_is_told_in_minor_units() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start_with(&configuration(), Way::Held, plain()).await?;
    let yen = order(&[("\"paymentMethod\"", "\"currency\":\"JPY\",\"paymentMethod\"")]);
    for (post, expected) in [
        (Post::json(ORDERS, ORDER), vec!["100;currency=USD;exponent=2"]),
        (Post::json(ORDERS, ORDER).framed(Framing::Pieces(3)), vec!["100;currency=USD;exponent=2"]),
        (Post::json(ORDERS, yen), vec!["100;currency=JPY;exponent=0"]),
        (money("/major", "\"123.45\"", "USD"), vec!["12345;currency=USD;exponent=2"]),
        (money("/major", "\"123.4\"", "USD"), vec!["12340;currency=USD;exponent=2"]),
        (money("/major", "\"1\"", "KWD"), vec!["1000;currency=KWD;exponent=3"]),
        (money("/major", "\"0.0001\"", "CLF"), vec!["1;currency=CLF;exponent=4"]),
        (money("/major", "\"90071992547409.91\"", "USD"), vec!["9007199254740991;currency=USD;exponent=2"]),
        (Post::json("/optional", r#"{"currency":"USD"}"#), vec![]),
        (money("/optional", "7", "EUR"), vec!["7;currency=EUR;exponent=2"]),
        (money("/silent", "7", "EUR"), vec![]),
        (money("/dry", "11", "EUR"), vec![]),
        (money("/elsewhere", "7", "EUR"), vec![]),
        (Post::json("/elsewhere", "").by("GET").framed(Framing::Own), vec![]),
    ] {
        for version in [1, 2] {
            // Its own word for it, in several spellings and numbers.
            for claims in [
                &[][..],
                &[(NAME, "1;currency=USD;exponent=2")],
                &[("X-Amount-Verified", "1;currency=USD;exponent=2")],
                &[(NAME, "1"), (NAME, "2"), ("X-AMOUNT-VERIFIED", "3")],
                &[("x_amount_verified", "1"), ("x-amount_verified", "2"), ("X_Amount-Verified", "3")],
            ] {
                let mut post = post.clone();
                for (name, value) in claims {
                    post = post.with(name, value);
                }
                let reply = stand.send_by(version, &post).await?;
                let case = format!("{} with {claims:?}", String::from_utf8_lossy(&post.bytes()));
                assert_told(&reply, "200", &case);
                let seen = stand.upstream.seen();
                let told: Vec<_> = seen
                    .headers
                    .iter()
                    .filter(|(name, _)| name.replace('_', "-") == NAME)
                    .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                    .collect();
                assert_eq!(told, expected, "{case}");
            }
        }
    }
    stand.is_sound().await
}

#[tokio::test]
async fn nobody_else_tells_it_where_headers_go_ahead() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    // Where it is not asked for, a client's own copy must go all the same.
    let mut silent = order_rule();
    silent.as_object_mut().context("a rule")?.remove("verified");
    for (rule, way) in [(silent.clone(), Way::Held), (silent, Way::Ahead), (order_rule(), Way::Ahead)] {
        let is_asked = rule.get("verified").is_some();
        let stand = tools.start_with(&rules(&[rule]), way, plain()).await?;
        // Asked for where it cannot be done: said once, in the log.
        assert_eq!(stand.envoy.log()?.contains("`verified` needs holdHeaders"), is_asked, "{way:?}");
        for post in
            [Post::json(ORDERS, ORDER), Post::json("/elsewhere", ORDER), Post::json(ORDERS, ORDER).by("PUT")]
        {
            for name in [NAME, "X-Amount-Verified", "x_amount_verified"] {
                let reply = stand.send(&post.clone().with(name, "1").with(name, "2")).await?;
                assert_told(&reply, "200", "");
                let seen = stand.upstream.seen();
                let is_there = seen.headers.iter().any(|(name, _)| name.replace('_', "-") == NAME);
                assert!(!is_there, "{name}, {way:?}: {seen:?}");
            }
        }
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn trailers_do_not_tell_of_it() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for post in [Post::json(ORDERS, ORDER), money("/elsewhere", "7", "EUR")] {
            let mut trailers = HeaderMap::new();
            trailers.append(NAME, HeaderValue::from_static("1;currency=USD;exponent=2"));
            trailers.append("x-checksum", HeaderValue::from_static("5"));
            let reply = Http2::open(stand.envoy.address).await?.send_with_trailers(&post, trailers).await?;
            assert_eq!(reply.status, 200, "{reply:?}");
            let expected = [("x-checksum".to_owned(), b"5".to_vec())];
            assert_eq!(stand.upstream.seen().trailers, expected, "{way:?}");
        }
        stand.is_sound().await?;
    }
    Ok(())
}
