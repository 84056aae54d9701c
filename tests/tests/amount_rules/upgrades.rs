//! A guarded route takes no upgrade and no tunnel: behind it bytes would flow that nobody judges.

use anyhow::Result;
use tests::amount::{
    Case, ORDER, ORDERS, Tools, WAYS, faults, judge_both_ways, malformed, order, order_rule, plain, rules,
};
use tests::http2::Http2;
use tests::post::{Framing, Post};
use tests::raw;

fn websocket(method: &str, target: &str) -> Post {
    Post::json(target, "")
        .by(method)
        .framed(Framing::Own)
        .with("connection", "Upgrade")
        .with("upgrade", "websocket")
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

#[tokio::test]
async fn a_websocket_is_refused_by_any_method() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let upgrade = malformed("upgrade");
    let mut cases = Vec::new();
    for method in ["GET", "POST", "PUT"] {
        cases.push(Case::new(method, websocket(method, ORDERS), &*upgrade));
    }
    cases.push(Case::new("with a query", websocket("GET", "/order/create?x"), &*upgrade));
    let with_body = websocket("POST", ORDERS).framed(Framing::Length);
    cases.push(Case::new("with a body", Post { body: ORDER.into(), ..with_body }, &*upgrade));
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

/// A path in another spelling, with an upgrade: refused for either.
#[tokio::test]
async fn nor_by_another_spelling() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        for target in ["/order//create", "/ORDER/create", "/order/%63reate", "/order/create;x"] {
            for method in ["GET", "POST"] {
                let reply = stand.send(&websocket(method, target)).await?;
                let fine = [malformed("upgrade"), malformed("path")];
                assert!(
                    fine.iter().any(|fine| faults(&reply, fine).is_empty()),
                    "{method} {target}: {reply:?}"
                );
            }
        }
        assert_eq!(stand.upstream.seen().arrived, 0);
    }
    Ok(())
}

#[tokio::test]
async fn an_upgrade_to_http_2_is_dropped_and_the_body_judged() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let post = |body: String| {
        Post::json(ORDERS, body)
            .with("connection", "Upgrade, HTTP2-Settings")
            .with("upgrade", "h2c")
            .with("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA")
    };
    let bad = order(&[(r#""totalAmount":100"#, r#""totalAmount":0"#)]);
    let cases = [
        Case::new("a good one", post(ORDER.to_owned()), "200"),
        Case::new("a bad one", post(bad), "422 invalid-amount: zero /totalAmount"),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn nothing_is_tunnelled() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&rules(&[order_rule()]), way, plain()).await?;
        for target in ["finpay.example:80", "/order/create"] {
            let reply =
                raw::send(stand.envoy.address, &raw::request("CONNECT", target.as_bytes(), &[])).await?;
            assert!(reply.status >= 400, "{target}: {reply:?}");
        }
        let connect = Post::json("finpay.example:80", "").by("CONNECT");
        let begun = Http2::open(stand.envoy.address).await?.begin(&connect, false).await?;
        let refused = begun.reply().await.map_or(true, |reply| reply.status >= 400);
        assert!(refused, "CONNECT of HTTP/2");
        // RFC 8441: a WebSocket in a stream of HTTP/2.
        for protocol in ["websocket", "connect-udp"] {
            let connect = Post::json(ORDERS, "").by("CONNECT");
            let mut client = Http2::open(stand.envoy.address).await?;
            let begun = client.connect(&connect, protocol).await?;
            let reply = begun.reply().await?;
            let is_ours = faults(&reply, &malformed("upgrade")).is_empty();
            assert!(is_ours || protocol != "websocket" && reply.status >= 400, "{protocol}: {reply:?}");
        }
        assert_eq!(stand.upstream.seen().arrived, 0);
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn other_routes_may_be_upgraded() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let stand = tools.start_with(&rules(&[order_rule()]), WAYS[0], plain()).await?;
    // The service speaks no WebSocket, so it answers as to any request: it was asked.
    let reply = stand.send(&websocket("GET", "/chat")).await?;
    assert_eq!(stand.upstream.seen().arrived, 1, "{reply:?}");
    assert_eq!(stand.upstream.seen().values("upgrade"), ["websocket"]);
    Ok(())
}
