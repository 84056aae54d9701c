//! A rule that only counts: nothing of it is refused, whatever is wrong, and what it would have done is told.

use anyhow::Result;
use serde_json::{Value, json};
use tests::amount::{
    ORDER, ORDERS, Stand, Tools, WAYS, amount_rule, assert_told, order, order_rule, plain, rules, verdicts,
};
use tests::post::{Framing, Post};
use tests::raw::Reply;

const TOLD: &str = "x-amount-dry-run";

fn configuration(name: Option<&str>) -> Value {
    let mut rule = order_rule();
    rule["dryRun"] = true.into();
    let mut configuration = rules(&[rule, amount_rule("pay", json!({"max": 100}))]);
    if let Some(name) = name {
        configuration["dryRunHeader"] = name.into();
    }
    configuration
}

/// Orders that would be refused, and for what.
fn bad() -> Vec<(Post, &'static str)> {
    let total = |value: &str| order(&[("\"totalAmount\":100", &format!("\"totalAmount\":{value}"))]);
    let json = |body: String| Post::json(ORDERS, body);
    vec![
        (json(total("0")), "zero"),
        (json(total("1e400")), "number_range"),
        (json(total("101")), "sum_mismatch"),
        (json("no JSON".to_owned()), "syntax"),
        (json(String::new()), "empty_body"),
        (json(" ".repeat(70_000)), "too_large_body"),
        (json(" ".repeat(3 << 20)), "too_large_body"),
        (json(" ".repeat(3 << 20)).framed(Framing::Pieces(9_000)), "too_large_body"),
        (json(ORDER.to_owned()).content_type("text/plain"), "content_type"),
        (json(ORDER.to_owned()).with("content-encoding", "gzip"), "content_encoding"),
        (Post::json("/order//create", ORDER), "path"),
    ]
}

fn passes(stand: &Stand, post: &Post, reply: &Reply, code: &str) {
    let case = format!("{code} with {} bytes, {:?}", post.body.len(), stand.way);
    assert_told(reply, "200", &case);
    assert_eq!(reply.header(TOLD), code, "{case}");
    assert!(stand.upstream.seen().body == post.body, "{case}: the body arrives as it was sent");
}

#[tokio::test]
async fn what_would_be_refused_passes_and_is_told() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(Some(TOLD)), way, plain()).await?;
        let reply = stand.send(&Post::json(ORDERS, ORDER)).await?;
        passes(&stand, &Post::json(ORDERS, ORDER), &reply, "");
        assert!(!reply.has(TOLD), "nothing to tell");
        for (post, code) in bad() {
            let before = verdicts(&stand.envoy, "would_deny", code, "order-create").await?;
            passes(&stand, &post, &stand.send(&post).await?, code);
            let reply = stand.send_by(2, &post).await?;
            passes(&stand, &post, &reply, code);
            let after = verdicts(&stand.envoy, "would_deny", code, "order-create").await?;
            assert_eq!(after - before, 2, "{code}, {way:?}");
        }
        assert_eq!(verdicts(&stand.envoy, "allow", "ok", "order-create").await?, 1);
        // Other rules refuse as ever, and say nothing of dry runs.
        let reply = stand.send(&Post::json("/pay", r#"{"amount":0,"currency":"USD"}"#)).await?;
        assert_told(&reply, "422 invalid-amount: zero /amount", "");
        assert!(!reply.has(TOLD));
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn without_the_header_it_only_counts() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start_with(&configuration(None), WAYS[0], plain()).await?;
    for (post, code) in bad() {
        let reply = stand.send(&post).await?;
        assert_told(&reply, "200", format_args!("{code}"));
        assert!(!reply.has(TOLD));
        assert!(verdicts(&stand.envoy, "would_deny", code, "order-create").await? > 0, "{code}");
    }
    stand.is_sound().await
}

/// A rule on trial beside one that is in force, on one route.
#[tokio::test]
async fn a_stricter_rule_on_trial_changes_nothing() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let wide = amount_rule("pay", json!({"max": 1000}));
    let mut narrow = amount_rule("narrow", json!({"max": 100}));
    narrow["match"]["path"] = json!({"prefix": "/pay"});
    narrow["dryRun"] = true.into();
    narrow["maxBodyBytes"] = 100.into();
    let mut configuration = rules(&[narrow, wide]);
    configuration["dryRunHeader"] = TOLD.into();
    for way in WAYS {
        let stand = tools.start_with(&configuration, way, plain()).await?;
        let body = |amount: i64, blanks: usize| {
            format!("{}{}", json!({"amount": amount, "currency": "USD"}), " ".repeat(blanks))
        };
        for (body, expected, told) in [
            (body(100, 0), "200", ""),
            (body(101, 0), "200", "above_cap"),
            (body(100, 200), "200", "too_large_body"),
            (body(1001, 0), "422 invalid-amount: above_cap /amount", ""),
            (body(1001, 200), "422 invalid-amount: above_cap /amount", ""),
            ("{".to_owned(), "400 malformed-body: syntax", ""),
        ] {
            let post = Post::json("/pay", body.clone());
            let reply = stand.send(&post).await?;
            assert_told(&reply, expected, format_args!("{body}, {way:?}"));
            if expected == "200" {
                assert_eq!(reply.header(TOLD), told, "{body}, {way:?}");
            }
        }
        let count = async |verdict: &str, rule: &str| -> Result<u64> {
            let mut sum = 0;
            for reason in ["ok", "above_cap", "too_large_body", "syntax"] {
                sum += verdicts(&stand.envoy, verdict, reason, rule).await?;
            }
            Ok(sum)
        };
        assert_eq!(count("allow", "pay").await?, 3);
        assert_eq!(count("deny", "pay").await?, 3);
        assert_eq!(count("deny", "narrow").await?, 0);
        assert_eq!(count("would_deny", "narrow").await? + count("allow", "narrow").await?, 6);
        stand.is_sound().await?;
    }
    Ok(())
}
