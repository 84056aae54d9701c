//! Requests without bodies where one is due, with bodies where none is usual, and those that ask before they send.

use anyhow::Result;
use serde_json::json;
use tests::amount::{
    Case, ORDER, ORDERS, Tools, WAYS, amount_rule, assert_told, judge_both_ways, order, order_rule, plain,
    rules, told,
};
use tests::post::{Framing, Post};
use tests::raw::Connection;
use tests::upstream::MARK;

use super::{PAY, SMALL, configuration};

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on_and_judged() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for way in WAYS {
        let stand = tools.start_with(&configuration(), way, plain()).await?;
        for (body, verdict) in SMALL {
            let post = Post::json(PAY, body).with("expect", "100-continue");
            let mut connection = Connection::open(stand.envoy.address).await?;
            connection.start(&post.head()).await?;
            assert_eq!(connection.read().await?.status, 100, "{way:?}");
            connection.start(&post.body).await?;
            assert_told(&connection.read().await?, verdict, format_args!("{body}, {way:?}"));
        }
        assert_eq!(stand.upstream.seen().complete, 1);
        let before = stand.upstream.seen().arrived;
        // What the header fields refuse is refused without the body. Envoy says "go on" all the same.
        let head = Post::json(ORDERS, ORDER).content_type("text/plain").with("expect", "100-continue");
        let mut connection = Connection::open(stand.envoy.address).await?;
        connection.start(&head.head()).await?;
        let mut reply = connection.read().await?;
        if reply.status == 100 {
            reply = connection.read().await?;
        }
        assert_eq!(told(&reply), "415 unsupported-media-type: content_type");
        let too_long = Post::json(ORDERS, "")
            .framed(Framing::Own)
            .with("content-length", "70000")
            .with("expect", "100-continue");
        let mut connection = Connection::open(stand.envoy.address).await?;
        connection.start(&too_long.head()).await?;
        let mut reply = connection.read().await?;
        if reply.status == 100 {
            reply = connection.read().await?;
        }
        assert_eq!(told(&reply), "413 body-too-large: too_large_body");
        assert_eq!(stand.upstream.seen().arrived, before, "they are not forwarded");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn get_with_a_body_is_judged_where_a_rule_says_so() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut quote = amount_rule("quote", json!({"max": 100}));
    quote["match"]["methods"] = json!(["GET", "DELETE"]);
    let mut cases = Vec::new();
    for method in ["GET", "DELETE"] {
        for (body, verdict) in SMALL {
            cases.push(Case::new(format!("{method} {body}"), Post::json("/quote", body).by(method), verdict));
            let elsewhere = Post::json("/elsewhere", body).by(method);
            cases.push(Case::new(format!("{method} {body} elsewhere"), elsewhere, "200"));
        }
        let empty = "400 malformed-body: empty_body";
        let bare = Post::json("/quote", "").by(method);
        cases.push(Case::new(format!("{method} with a length of 0"), bare.clone(), empty));
        cases.push(Case::new(format!("{method} without a length"), bare.framed(Framing::Own), empty));
    }
    cases.push(Case::new("POST is not in the rule", Post::json("/quote", "no JSON"), "200"));
    judge_both_ways(&tools, &rules(&[quote, order_rule()]), &cases).await
}

#[tokio::test]
async fn head_has_no_body_and_gets_none() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut quote = amount_rule("quote", json!({"max": 100}));
    quote["match"]["methods"] = json!(["GET"]);
    for way in WAYS {
        let stand = tools.start_with(&rules(&[quote.clone(), order_rule()]), way, plain()).await?;
        let mut connection = Connection::open(stand.envoy.address).await?;
        for (target, status) in [("/elsewhere", 200), (ORDERS, 200), ("/quote", 400), ("/elsewhere", 200)] {
            let before = stand.upstream.seen().arrived;
            let head = Post::json(target, "").by("HEAD").framed(Framing::Own);
            connection.start(&head.head()).await?;
            let reply = connection.read_head().await?;
            assert_eq!(
                (reply.status, reply.has(MARK)),
                (status, status == 200),
                "{target}, {way:?}: {reply:?}"
            );
            assert_eq!(stand.upstream.seen().arrived - before, u64::from(status == 200), "{target}, {way:?}");
            if reply.header("connection") == "close" {
                connection = Connection::open(stand.envoy.address).await?;
            }
        }
        for target in ["/QUOTE", "/quote/", "//quote", "/quot%65"] {
            let before = stand.upstream.seen().arrived;
            let mut connection = Connection::open(stand.envoy.address).await?;
            connection.start(&Post::json(target, "").by("HEAD").framed(Framing::Own).head()).await?;
            assert_eq!(connection.read_head().await?.status, 400, "{target}, {way:?}");
            assert_eq!(stand.upstream.seen().arrived, before, "{target}, {way:?}");
        }
        // GET is what a server answers HEAD by, so its rule counts.
        let head = Post::json("/quote", SMALL[1].0).by("HEAD");
        let mut connection = Connection::open(stand.envoy.address).await?;
        connection.start(&head.bytes()).await?;
        assert_eq!(connection.read_head().await?.status, 422, "{way:?}");
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_body_on_other_routes_passes() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let bare = |method: &str| Post::json("/elsewhere", "").by(method).content_type("");
    let cases = [
        Case::new("GET", bare("GET").framed(Framing::Own), "200"),
        Case::new("POST, a length of 0", bare("POST"), "200"),
        Case::new("POST, chunks, but none", bare("POST").framed(Framing::Pieces(1)), "200"),
        Case::new("POST, no length", bare("POST").framed(Framing::Own), "200"),
        Case::new("a bad order", Post::json("/elsewhere", order(&[("100}", "-100}")])), "200"),
    ];
    judge_both_ways(&tools, &configuration(), &cases).await
}
