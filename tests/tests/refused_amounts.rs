//! Bad amounts: refused by the filter, and the service behind sees nothing of the request. Each row of what must be
//! refused goes through the whole mesh; `amount_rules` has them with their codes.

use std::net::SocketAddr;

use anyhow::Result;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use tests::cluster::Cluster;
use tests::http2::Http2;
use tests::post::{Framing, Post};
use tests::raw::{self, Reply};
use tests::{System, User, metrics, orders};

const PATH: &str = "/order/create";
const AMOUNT: &str = r#""totalAmount":100"#;
const ITEM: &str = r#"{"id":"item456","quantity":1,"price":100}"#;
/// Two of them are above 2^63.
const HUGE_ITEM: &str = r#"{"id":"item456","quantity":1000,"price":9007199254740991}"#;
const MALFORMED: &str = "400 malformed-body";
const MEDIA_TYPE: &str = "415 unsupported-media-type";
const INVALID: &str = "422 invalid-amount";

/// What it is, the request, and its verdict.
type Case = (String, Post, &'static str);

/// In place of the total.
fn totals(user: &str) -> impl Iterator<Item = Case> {
    let invalid = [
        "-1",
        "0",
        "-0",
        "10.5",
        "1.0",
        "1e2",
        "\"100\"",
        "\"１００\"",
        "\"١٠٠\"",
        "9007199254740992",
        "100000001",
        "101",
        "100,\"discount\":1",
        "100,\"currency\":\"XXX\"",
        "100,\"currency\":\"XAU\"",
        "100,\"currency\":\"HRK\"",
        "100,\"currency\":\"usd\"",
    ];
    let malformed = [
        "NaN",
        "Infinity",
        "01",
        "+1",
        "1e400",
        "１００",
        "100,\"totalAmount\":100",
        "1,\"\\u0074otalAmount\":100",
        "100,\"note\":\"\\ud800\"",
    ];
    let deep = format!("100,\"note\":{}{}", "[".repeat(32), "]".repeat(32));
    let invalid = invalid.map(|value| (value.to_owned(), INVALID));
    let malformed = malformed.map(|value| (value.to_owned(), MALFORMED));
    invalid.into_iter().chain(malformed).chain([(deep, MALFORMED)]).map(move |(value, expected)| {
        let total = format!("\"totalAmount\":{value}");
        (total.clone(), Post::json(PATH, orders::seed_text(user, &[(AMOUNT, &total)])), expected)
    })
}

/// In place of the body, and of the header fields.
fn others(user: &str) -> Vec<Case> {
    let seed = |replacements: &[(&str, &str)]| orders::seed_text(user, replacements);
    let body = |name: &str, body: Vec<u8>, expected| (name.to_owned(), Post::json(PATH, body), expected);
    let good = || Post::json(PATH, seed(&[]));
    let zero = || Post::json(PATH, seed(&[(AMOUNT, r#""totalAmount":0"#)]));
    let latin = seed(&[]).bytes().map(|byte| if byte == b'_' { 0xff } else { byte }).collect();
    let field =
        |name: &str, value: &str, expected| (format!("{name}: {value}"), good().with(name, value), expected);
    let types = ["text/plain", "application/merge-patch+json", "application/json; charset=utf-16", ""];
    let types = types.map(|of| (format!("content-type: {of}"), good().content_type(of), MEDIA_TYPE));
    let mut cases = vec![
        body(
            "quantity x price overflows",
            seed(&[(ITEM, &[HUGE_ITEM, HUGE_ITEM].join(","))]).into(),
            INVALID,
        ),
        body("an empty body", Vec::new(), MALFORMED),
        body("trailing data", (seed(&[]) + "{}").into(), MALFORMED),
        body("a byte order mark", format!("\u{feff}{}", seed(&[])).into(), MALFORMED),
        body("no UTF-8", latin, MALFORMED),
        body("65 KiB", seed(&[("item456", &"x".repeat(65 * 1024))]).into(), "413 body-too-large"),
        field("content-encoding", "gzip", MEDIA_TYPE),
        ("in chunks".to_owned(), zero().framed(Framing::Pieces(1)), INVALID),
    ];
    cases.extend(types);
    cases
}

/// By this version of HTTP. In HTTP/2 trailers end the body: none of its frames is the last one then.
async fn send(address: SocketAddr, user: &User, version: u8, post: &Post) -> Result<Reply> {
    let post = post.clone().with("authorization", format!("Bearer {}", user.token));
    if version == 1 {
        return raw::send(address, &post.bytes()).await;
    }
    let trailers = HeaderMap::from_iter([("x-trailer".parse()?, HeaderValue::from_static("1"))]);
    Http2::open(address).await?.send_with_trailers(&post, trailers).await
}

#[tokio::test]
async fn bad_amounts_never_reach_the_service() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, address) = (system.new_user().await?, system.address().await?);
    let seen = || metrics::requests_seen(&system.client, "order-service", PATH);
    let before = seen().await?;
    let mut wrong = Vec::new();
    for (name, post, expected) in totals(&user.id).chain(others(&user.id)) {
        for version in [1, 2] {
            let verdict = send(address, &user, version, &post).await?.verdict();
            eprintln!("{name} (HTTP/{version}): {verdict}");
            if verdict != expected {
                wrong.push(format!("{name} (HTTP/{version}): {verdict} instead of {expected}"));
            }
        }
    }
    // Whoever refuses it: the gateway of the mesh on one machine upgrades nothing, Istio's does.
    let upgrade = Post::json(PATH, orders::seed_text(&user.id, &[]));
    let upgrade = upgrade.with("connection", "upgrade").with("upgrade", "websocket");
    let reply = send(address, &user, 1, &upgrade).await?;
    if ![400, 403].contains(&reply.status) {
        wrong.push(format!("an upgrade: {reply:?}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A WasmPlugin alone cannot hold the headers back (k8s/components/headers-held can): there the service sees the
    // beginning of a request that is then reset.
    let held = match Cluster::from_env() {
        Some(cluster) => cluster.kubectl(&["get", "envoyfilter", "amount-headers-held"]).await.is_ok(),
        None => true,
    };
    if held {
        assert!((seen().await? - before).abs() < f64::EPSILON, "the order service saw a refused request");
    } else {
        eprintln!("skipped: without the component headers-held the service sees the headers");
    }

    let good = system.post(PATH, &user.token, &orders::seed(&user.id)).await?;
    assert_eq!(good.status, 201, "{good:?}");
    assert!(seen().await? > before, "the counter counts what does arrive");
    Ok(())
}
