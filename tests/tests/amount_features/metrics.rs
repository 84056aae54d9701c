//! What the filter counts.

use anyhow::Result;
use serde_json::json;
use tests::amount::{ORDER, ORDERS, Tools, WAYS, amount_rule, order_rule, plain, rules, sum, verdicts};
use tests::envoy::Setup;
use tests::metrics;
use tests::post::{Framing, Post, chunk};
use tests::raw::Connection;
use tests::wait::until;

/// More than the filter times one of.
const MANY: u64 = 100;

#[tokio::test]
async fn verdicts_are_counted_by_rule_and_reason() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut both = amount_rule("both", json!({"max": 10}));
    both["match"]["path"] = json!({"prefix": "/pay"});
    let configuration = rules(&[order_rule(), amount_rule("pay", json!({"max": 5})), both]);
    for way in WAYS {
        let stand = tools.start_with(&configuration, way, plain()).await?;
        let mut bytes = 0;
        for _ in 0..MANY {
            assert_eq!(stand.send(&Post::json(ORDERS, ORDER)).await?.status, 200);
            bytes += ORDER.len() as u64;
        }
        assert_eq!(verdicts(&stand.envoy, "allow", "ok", "order-create").await?, MANY);
        for (amount, pay, both) in [(5, "ok", "ok"), (6, "above_cap", "ok"), (11, "above_cap", "above_cap")] {
            let body = json!({"amount": amount, "currency": "USD"}).to_string();
            bytes += body.len() as u64;
            let before = [("pay", pay), ("both", both)];
            let count = async |rule: &str, reason: &str| {
                let verdict = if reason == "ok" { "allow" } else { "deny" };
                verdicts(&stand.envoy, verdict, reason, rule).await
            };
            let counts = [count("pay", pay).await?, count("both", both).await?];
            stand.send(&Post::json("/pay", body)).await?;
            for ((rule, reason), count_before) in before.into_iter().zip(counts) {
                assert_eq!(
                    count(rule, reason).await?,
                    count_before + 1,
                    "{amount}: {rule} {reason}, {way:?}"
                );
            }
        }
        assert_eq!(sum(&stand.envoy, &["body_bytes_total"]).await?, bytes, "{way:?}");
        // Refused by the header fields alone: no bytes.
        for (post, reason) in [
            (Post::json(ORDERS, ORDER).content_type("text/plain"), "content_type"),
            (Post::json(ORDERS, "").with("content-length", "70000").framed(Framing::Own), "too_large_body"),
            (Post::json("/order//create", ORDER), "path"),
            (Post::json(ORDERS, ""), "empty_body"),
        ] {
            stand.send(&post).await?;
            assert_eq!(verdicts(&stand.envoy, "deny", reason, "order-create").await?, 1, "{reason}, {way:?}");
        }
        assert_eq!(sum(&stand.envoy, &["body_bytes_total"]).await?, bytes, "{way:?}");
        // Without a rule nothing is counted.
        let all = sum(&stand.envoy, &["requests_total"]).await?;
        assert_eq!(stand.send(&Post::json("/elsewhere", ORDER)).await?.status, 200);
        assert_eq!(sum(&stand.envoy, &["requests_total"]).await?, all);
        until("some durations are told", async || {
            let text = stand.envoy.prometheus().await?;
            let timed = metrics::sum(&text, "finpay_amount_duration_microseconds_count", &[]);
            Ok((timed >= 1.0).then_some(()))
        })
        .await?;
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_gauge_tells_what_all_workers_hold() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let setup = Setup { concurrency: 3, ..plain() };
        let stand = tools.start_with(&rules(&[order_rule()]), way, setup).await?;
        let mut connections = Vec::new();
        for _ in 0..5 {
            let mut connection = Connection::open(stand.envoy.address).await?;
            connection.start(&Post::json(ORDERS, "").framed(Framing::Pieces(1)).head()).await?;
            connection.start(&chunk(&ORDER.as_bytes()[..10])).await?;
            connections.push(connection);
        }
        stand.holds(5).await?;
        // One is aborted, one is refused, one passes.
        connections.pop();
        stand.holds(4).await?;
        if let Some(mut refused) = connections.pop() {
            refused.start(&chunk(" ".repeat(70_000).as_bytes())).await?;
            assert_eq!(refused.read().await?.status, 413, "{way:?}");
        }
        stand.holds(3).await?;
        if let Some(mut good) = connections.pop() {
            good.start(&[chunk(&ORDER.as_bytes()[10..]).as_slice(), b"0\r\n\r\n"].concat()).await?;
            assert_eq!(good.read().await?.status, 200, "{way:?}");
        }
        stand.holds(2).await?;
        connections.clear();
        stand.is_sound().await?;
    }
    Ok(())
}
