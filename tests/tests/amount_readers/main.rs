//! One judgement, two readers: the filter in Envoy before the service's own reader, and the services alone, are sent the
//! same bodies. The service never takes what the filter refuses, and never reads other figures than the filter judged, or
//! than a third reader finds; both say the same of each body.

mod posts;
mod reading;
mod service;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use posts::Sent;
use serde_json::{Value, json};
use service::Services;
use tests::amount::{Tools, WAYS, Way, order_rule, rules};
use tests::client::Client;
use tests::dice::Dice;
use tests::envoy::{Envoy, Options};
use tests::post::Post;
use tests::raw::Reply;
use tests::upstream::MARK;
use tokio::task::JoinSet;

/// Of each way.
const CLIENTS: u64 = 4;
/// What the services alone say of a body that they take: the order is somebody else's, and nobody says who may pay.
const TAKEN: [&str; 2] = ["403 user-mismatch", "503 upstream-unavailable"];
/// What the service refuses for itself, since it is no matter of money.
const OWN: [&str; 2] = ["not_a_text", "unknown_payment_method"];
const REFUSALS: [&str; 4] =
    ["400 malformed-body", "413 body-too-large", "415 unsupported-media-type", "422 invalid-amount"];

/// How often each answer came.
type Answers = BTreeMap<String, u64>;

/// Status, problem and faults.
fn said(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let faults = body["errors"].as_array().into_iter().flatten();
    let faults = faults.map(|fault| format!("{} {}", fault["code"], fault["pointer"]));
    let said = format!("{} {}", reply.verdict(), faults.collect::<Vec<_>>().join(" "));
    // Envoy joins a repeated Content-Type before the filter sees it; the service sees two.
    said.replace("repeated_header", "content_type").trim_end().to_owned()
}

/// A client that sends on where the last answer has ended the connection.
struct Patient {
    client: Client,
    address: SocketAddr,
    version: u8,
}

impl Patient {
    async fn open(address: SocketAddr, version: u8) -> Result<Self> {
        Ok(Self { client: Client::open(address, version).await?, address, version })
    }

    async fn send(&mut self, post: &Post, trailers: Option<&HeaderMap>) -> Result<Reply> {
        if let Ok(reply) = try_send(&mut self.client, post, trailers).await {
            return Ok(reply);
        }
        self.client = Client::open(self.address, self.version).await?;
        try_send(&mut self.client, post, trailers).await
    }
}

async fn try_send(client: &mut Client, post: &Post, trailers: Option<&HeaderMap>) -> Result<Reply> {
    match (client, trailers) {
        (Client::Second(client), Some(trailers)) => client.send_with_trailers(post, trailers.clone()).await,
        (client, _) => client.send(post).await,
    }
}

/// What is wrong with what the service has read behind the filter.
fn faults(reply: &Reply, sent: &Sent, way: Way) -> Vec<String> {
    let mut faults = Vec::new();
    let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let read = (reply.status == 200).then(|| &answer["read"]);
    if read != sent.says.as_ref() {
        faults.push(format!("the service reads {read:?}, another reader {:?}", sent.says));
    }
    if let Some(read) = read {
        let total = read.get("total").unwrap_or(read);
        let judged = format!(
            "{};currency={};exponent={}",
            total["amount"],
            total["currency"].as_str().unwrap_or("?"),
            total["exponent"]
        );
        let expected = if way == Way::Held { json!([judged]) } else { json!([]) };
        if answer["told"] != expected {
            faults.push(format!("the filter tells of {}, the service reads {judged}", answer["told"]));
        }
    } else if reply.has(MARK) {
        let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_own = |error: &Value| error["code"].as_str().is_some_and(|code| OWN.contains(&code));
        if errors.is_empty() || !errors.iter().all(is_own) {
            faults.push("the filter let it through, and the service refuses it".to_owned());
        }
    }
    faults
}

fn trailers(dice: &mut Dice) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-amount-verified", HeaderValue::from_static("1;currency=USD;exponent=2"));
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    (dice.below(2) == 0).then_some(trailers)
}

/// Sends so many bodies both ways.
async fn compare(
    way: Way,
    through: SocketAddr,
    direct: SocketAddr,
    client: u64,
    count: u64,
) -> Result<Answers> {
    let mut dice = Dice::new(7, client);
    let version = if client.is_multiple_of(CLIENTS) { 2 } else { 1 };
    let mut one = Patient::open(through, version).await?;
    let mut other = Patient::open(direct, 1).await?;
    let mut answers = Answers::new();
    for _ in 0..count {
        let mut sent = Sent::new(&mut dice);
        let trailers = trailers(&mut dice).filter(|_| version == 2);
        let by_both = one.send(&sent.post, trailers.as_ref()).await?;
        sent.post.fields.retain(|(name, _)| name != "x-amount-verified");
        let alone = other.send(&sent.post, None).await?;
        let mut faults = faults(&by_both, &sent, way);
        let (both, single) = (said(&by_both), said(&alone));
        if both != single && !(by_both.status == 200 && TAKEN.contains(&single.as_str())) {
            faults.push(format!("behind the filter {both}, alone {single}"));
        }
        let shown = || String::from_utf8_lossy(&sent.post.bytes()).chars().take(2000).collect::<String>();
        assert!(faults.is_empty(), "{way:?}, HTTP/{version}: {faults:#?}: {}", shown());
        let name = if by_both.status == 200 && !sent.is_untouched { " though harmed" } else { "" };
        let name = format!("{way:?} HTTP/{version} {}{name}", by_both.verdict());
        *answers.entry(name).or_default() += 1;
    }
    Ok(answers)
}

async fn envoy(tools: &Tools, way: Way, service: SocketAddr) -> Result<Envoy> {
    let mut payments: Value = serde_json::from_slice(payment::AMOUNT_RULE)?;
    let configuration = rules(&[order_rule(), payments["rules"][0].take()]);
    let mut options = Options::default();
    options.setup.http_filters.push(tools.filter(&configuration, way));
    options.setup.plain = true;
    options.upstream = Some(service);
    Envoy::start_with(tools.binary.clone(), options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_and_service_read_every_body_alike() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let count = 100_000 / (CLIENTS * WAYS.len() as u64);
    let (reader, services) = (service::reader().await?, Services::start().await?);
    let (mut envoys, mut clients) = (Vec::new(), JoinSet::new());
    for (way, first) in WAYS.into_iter().zip([0, CLIENTS]) {
        let envoy = envoy(&tools, way, reader).await?;
        for client in first..first + CLIENTS {
            clients.spawn(compare(way, envoy.address, services.address, client, count));
        }
        envoys.push(envoy);
    }
    let mut answers = Answers::new();
    while let Some(one) = clients.join_next().await {
        for (answer, count) in one?? {
            *answers.entry(answer).or_default() += count;
        }
    }
    eprintln!("{answers:#?}");
    for way in WAYS {
        for version in [1, 2] {
            let of = |answer: &str| answers.get(&format!("{way:?} HTTP/{version} {answer}")).copied();
            assert!(of("200").is_some_and(|taken| taken > count / 10), "too few good ones: {answers:?}");
            for expected in REFUSALS.into_iter().chain(["200 though harmed"]) {
                of(expected).with_context(|| format!("no {expected}: {answers:?}"))?;
            }
        }
    }
    for envoy in envoys {
        assert_eq!(envoy.vm_failures()?, 0);
    }
    Ok(())
}
