//! One judgement, two readers: the real filter in Envoy before the real order service, and the same service alone, are
//! sent the same bodies. The service never takes what the filter refuses, and never reads another amount; both say the
//! same of each body.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser as _;
use order::config::Config;
use serde_json::{Value, json};
use testing::{Database, Kind};
use tests::amount::{Tools, Way};
use tests::bodies;
use tests::dice::Dice;
use tests::envoy::{Envoy, Options};
use tests::post::{Framing, Post};
use tests::raw::{Connection, Reply};
use tokio::net::TcpListener;

const CLIENTS: u64 = 8;
/// What the service says of an order that it takes: it is somebody else's, so nothing is bought.
const TAKEN: &str = "403 user-mismatch";

/// The order service with a store of its own; nobody pays.
async fn service(database: &Database) -> Result<SocketAddr> {
    let arguments = ["order-service", "--database-url", &database.url, "--payment-url", "http://127.0.0.1:9"];
    let state = order::start(&Config::try_parse_from(arguments)?).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = kit::server::with_defaults(order::router(state));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

fn post(dice: &mut Dice) -> Post {
    let mut body = bodies::order(dice);
    if dice.below(500) == 0 {
        body.resize(65_530 + dice.below(12), b' ');
    }
    let content_type = match dice.below(40) {
        0 => "application/json; charset=\"UTF-8\"; x=\";charset=utf-16\"",
        1 => "application/json;charset=utf-16",
        2 => "application/problem+json",
        3 => "Application/JSON\t; charset=utf-8",
        4 => "",
        _ => "application/json",
    };
    let framing = if dice.below(4) == 0 { Framing::Pieces(1 + dice.below(400)) } else { Framing::Length };
    let post = Post::json("/order/create", body).content_type(content_type).framed(framing);
    let post = post.with("x-jwt-sub", "nobody").with("x-jwt-jti", "j").with("idempotency-key", "k");
    match dice.below(60) {
        0 => post.with("content-encoding", "gzip"),
        1 => post.with("content-encoding", "identity"),
        2 => post.with("content-type", "application/json"),
        // The filter alone may say it.
        3 => post.with("x-amount-verified", "1;currency=USD;exponent=2"),
        _ => post,
    }
}

/// Status, problem and faults.
fn said(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let faults = body["errors"].as_array().into_iter().flatten();
    let faults = faults.map(|fault| format!("{} {}", fault["code"], fault["pointer"]));
    let said = format!("{} {}", reply.verdict(), faults.collect::<Vec<_>>().join(" "));
    // Envoy joins a repeated Content-Type before the filter sees it; the service sees two.
    said.replace("repeated_header", "content_type").trim_end().to_owned()
}

async fn send(connection: &mut Connection, address: SocketAddr, bytes: &[u8]) -> Result<Reply> {
    if let Ok(reply) = connection.send(bytes).await {
        return Ok(reply);
    }
    // The last answer may have ended the connection.
    *connection = Connection::open(address).await?;
    connection.send(bytes).await
}

/// Sends so many bodies both ways; how often each answer came.
async fn compare(
    through: SocketAddr,
    direct: SocketAddr,
    client: u64,
    count: u64,
) -> Result<BTreeMap<String, u64>> {
    let mut dice = Dice::new(7, client);
    let (mut one, mut other) = (Connection::open(through).await?, Connection::open(direct).await?);
    let mut answers = BTreeMap::new();
    for _ in 0..count {
        let mut post = post(&mut dice);
        let by_both = send(&mut one, through, &post.bytes()).await?;
        post.fields.retain(|(name, _)| name != "x-amount-verified");
        let alone = send(&mut other, direct, &post.bytes()).await?;
        let short = || String::from_utf8_lossy(&post.body).chars().take(2000).collect::<String>();
        assert_eq!(
            said(&by_both),
            said(&alone),
            "filter and service, service alone: {:?} {}",
            post.fields,
            short()
        );
        *answers.entry(by_both.verdict()).or_default() += 1;
    }
    Ok(answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_and_service_read_every_body_alike() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let count = 100_000;
    let database = Database::new(Kind::Sqlite).context("a database")?;
    let direct = service(&database).await?;
    let configuration: Value = serde_json::from_slice(order::AMOUNT_RULE)?;
    let mut options = Options::default();
    options.setup.http_filters.push(tools.filter(&configuration, Way::Held));
    options.setup.plain = true;
    options.upstream = Some(direct);
    let envoy = Envoy::start_with(tools.binary.clone(), options).await?;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(compare(envoy.address, direct, client, count / CLIENTS));
    }
    let mut answers: BTreeMap<String, u64> = BTreeMap::new();
    while let Some(one) = clients.join_next().await {
        for (answer, count) in one?? {
            *answers.entry(answer).or_default() += count;
        }
    }
    eprintln!("{}", json!(answers));
    assert!(answers.get(TAKEN).is_some_and(|taken| *taken > count / 10), "too few good ones: {answers:?}");
    for expected in
        ["400 malformed-body", "413 body-too-large", "415 unsupported-media-type", "422 invalid-amount"]
    {
        assert!(answers.contains_key(expected), "no {expected}: {answers:?}");
    }
    assert_eq!(envoy.vm_failures()?, 0);
    Ok(())
}
