//! The amount filter as Envoy loads it, in front of a service that counts what reaches it.

mod rules;

use std::fmt::Display;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use hyper::header::HeaderValue;
use serde_json::Value;

pub use rules::{ORDER, ORDERS, amount_rule, order, order_rule, rules};

use crate::PROBLEMS;
use crate::client::Client;
use crate::envoy::{self, Envoy, Options, Setup};
use crate::post::Post;
use crate::raw::{self, Reply};
use crate::upstream::{MARK, Upstream};
use crate::wait::until;

/// What a test starts Envoys of its own with.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Envoy.
    pub binary: PathBuf,
    /// The filter's module.
    pub module: PathBuf,
}

/// When the header fields go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With the body, after the verdict: Envoy's `allow_on_headers_stop_iteration`.
    Held,
    /// Before the body, as under a WasmPlugin.
    Ahead,
}

/// Both.
pub const WAYS: [Way; 2] = [Way::Held, Way::Ahead];

impl Tools {
    /// Those that `FINPAY_ENVOY` and `FINPAY_WASM_DIR` name, or `None` (with a word).
    pub fn from_env() -> Option<Self> {
        Some(Self { binary: envoy::binary()?, module: envoy::module("amount")? })
    }

    /// The HTTP filter with this configuration.
    pub fn filter(&self, configuration: &Value, way: Way) -> Value {
        let mut configuration = configuration.clone();
        let holds = way == Way::Held;
        configuration["holdHeaders"] = holds.into();
        let mut filter = envoy::wasm_filter("amount", &self.module, &configuration.to_string());
        filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = holds.into();
        filter
    }

    /// An Envoy with the filter in front of a service.
    pub async fn start(&self, configuration: &Value, way: Way) -> Result<Stand> {
        self.start_with(configuration, way, Options::default()).await
    }

    /// The same with all that can be chosen.
    pub async fn start_with(
        &self,
        configuration: &Value,
        way: Way,
        options: impl Into<Options>,
    ) -> Result<Stand> {
        self.start_before(Upstream::start().await?, configuration, way, options).await
    }

    /// The same with a service of the test's own choice.
    pub async fn start_before(
        &self,
        upstream: Upstream,
        configuration: &Value,
        way: Way,
        options: impl Into<Options>,
    ) -> Result<Stand> {
        let mut options = options.into();
        options.setup.http_filters.push(self.filter(configuration, way));
        options.upstream = Some(upstream.address);
        let envoy = Envoy::start_with(self.binary.clone(), options).await?;
        Ok(Stand { envoy, upstream, way })
    }
}

/// Envoy and the service behind it.
#[derive(Debug)]
pub struct Stand {
    /// The first.
    pub envoy: Envoy,
    /// The second.
    pub upstream: Upstream,
    /// When header fields go on.
    pub way: Way,
}

/// A request and what must become of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is.
    pub name: String,
    /// The request.
    pub post: Post,
    /// As [`told`] tells it.
    pub expected: String,
}

impl Case {
    /// One.
    pub fn new(name: impl Into<String>, post: Post, expected: impl Into<String>) -> Self {
        Self { name: name.into(), post, expected: expected.into() }
    }
}

impl Stand {
    /// Over a connection of its own.
    pub async fn send(&self, post: &Post) -> Result<Reply> {
        raw::send(self.envoy.address, &post.bytes()).await
    }

    /// The same by this version of HTTP, 1 or 2.
    pub async fn send_by(&self, version: u8, post: &Post) -> Result<Reply> {
        Client::open(self.envoy.address, version).await?.send(post).await
    }

    /// What is wrong with the answers to these requests, each over HTTP/1.1 and, where it can be said there, over
    /// HTTP/2, and with what the service saw of them.
    pub async fn judge(&self, cases: &[Case]) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut passed = self.upstream.seen().complete;
        for case in cases {
            for version in [1, 2] {
                if version == 2 && !is_plain(&case.post) {
                    continue;
                }
                let before = self.upstream.seen();
                let reply = self.send_by(version, &case.post).await?;
                let mut faults = faults(&reply, &case.expected);
                let seen = self.upstream.seen();
                if case.expected == "200" {
                    passed += 1;
                    if seen.body != case.post.body {
                        faults.push("the body is not the one that was sent".to_owned());
                    }
                } else if self.way == Way::Held && seen.arrived != before.arrived {
                    faults.push("its header fields arrived".to_owned());
                }
                if seen.complete != passed {
                    faults.push(format!("{} complete, {passed} passed", seen.complete));
                    passed = seen.complete;
                }
                let name = &case.name;
                let way = self.way;
                wrong.extend(
                    faults.into_iter().map(|fault| format!("{name} (HTTP/{version}, {way:?}): {fault}")),
                );
            }
        }
        // What came late is none of its own case.
        self.is_sound().await?;
        let seen = self.upstream.seen();
        if seen.complete != passed || self.way == Way::Held && seen.arrived != passed {
            wrong.push(format!(
                "{:?}: {} arrived, {} complete, {passed} passed",
                self.way, seen.arrived, seen.complete
            ));
        }
        Ok(wrong)
    }

    /// Waits until the filter holds so many requests.
    pub async fn holds(&self, count: u64) -> Result<()> {
        until(&format!("{count} requests are held"), async || {
            Ok((sum(&self.envoy, &["buffered_requests"]).await? == count).then_some(()))
        })
        .await
    }

    /// Nothing ended a VM, and nothing is held.
    pub async fn is_sound(&self) -> Result<()> {
        ensure!(self.envoy.vm_failures()? == 0, "a VM ended: {}", self.envoy.log()?);
        self.holds(0).await
    }
}

/// Judges these requests both ways.
pub async fn judge_both_ways(tools: &Tools, configuration: &Value, cases: &[Case]) -> Result<()> {
    let mut wrong = Vec::new();
    for way in WAYS {
        let stand = tools.start_with(configuration, way, plain()).await?;
        wrong.extend(stand.judge(cases).await?);
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// An Envoy that logs little.
pub fn plain() -> Setup {
    Setup { plain: true, ..Setup::default() }
}

/// Whether HTTP/2 can say it and a client would.
fn is_plain(post: &Post) -> bool {
    let fields_of_one_hop = ["connection", "upgrade", "host", "transfer-encoding", "te", "http2-settings"];
    let is_own = |name: &str| fields_of_one_hop.contains(&name.to_ascii_lowercase().as_str());
    post.framing != crate::post::Framing::Own
        && post.target.starts_with(b"/")
        && str::from_utf8(&post.target).is_ok_and(|target| target.parse::<hyper::Uri>().is_ok())
        && !post.fields.iter().any(|(name, value)| is_own(name) || HeaderValue::from_bytes(value).is_err())
}

/// The sum of the filter's counters and gauges whose names hold all these texts.
pub async fn sum(envoy: &Envoy, texts: &[&str]) -> Result<u64> {
    let stats = envoy.stats("finpay_amount").await?;
    let named = stats.iter().filter(|(name, _)| texts.iter().all(|text| name.contains(text)));
    Ok(named.map(|(_, value)| value).sum())
}

/// How often a rule came to this verdict for this reason.
pub async fn verdicts(envoy: &Envoy, verdict: &str, reason: &str, rule: &str) -> Result<u64> {
    let label = |name: &str, value: &str| format!("{name}=.={value};.;");
    let labels = [label("verdict", verdict), label("reason", reason), label("rule", rule)];
    sum(envoy, &labels.each_ref().map(String::as_str)).await
}

/// An answer in one line: `200`, or `422 invalid-amount: zero /totalAmount, missing /items/0/price`.
pub fn told(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let errors: Vec<_> = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or("?").to_owned();
            format!("{} {}", text("code"), text("pointer")).trim_end().to_owned()
        })
        .collect();
    let verdict = reply.verdict();
    if errors.is_empty() { verdict } else { format!("{verdict}: {}", errors.join(", ")) }
}

/// What is said of one place.
pub fn invalid(code: &str, pointer: &str) -> String {
    format!("422 invalid-amount: {code} {pointer}").trim_end().to_owned()
}

/// What is said of the whole body.
pub fn malformed(code: &str) -> String {
    format!("400 malformed-body: {code}")
}

/// The answer is this one.
///
/// # Panics
/// If [`faults`] finds any.
#[track_caller]
pub fn assert_told(reply: &Reply, expected: &str, case: impl Display) {
    let faults = faults(reply, expected);
    assert!(faults.is_empty(), "{case}: {faults:#?}");
}

/// What is wrong with an answer, if anything is: what it tells, and its form.
pub fn faults(reply: &Reply, expected: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if told(reply) != expected {
        return vec![format!("{} instead of {expected}", told(reply))];
    }
    if expected == "200" {
        faults.extend((!reply.has(MARK)).then(|| "not the service's answer".to_owned()));
        return faults;
    }
    faults.extend(reply.has(MARK).then(|| "it is the service's own answer".to_owned()));
    if !expected.contains(' ') {
        // Envoy's own refusal.
        return faults;
    }
    for (name, value) in [("content-type", "application/problem+json"), ("cache-control", "no-store")] {
        if reply.header(name) != value {
            faults.push(format!("{name}: {:?}", reply.header(name)));
        }
    }
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    if body["status"] != reply.status
        || !body["type"].as_str().is_some_and(|uri| uri.starts_with(PROBLEMS))
        || !is_text(&body["title"])
        || !is_text(&body["detail"])
    {
        faults.push(format!("no proper problem: {body}"));
    }
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.is_empty() || !errors.iter().all(|error| is_text(&error["detail"])) {
        faults.push(format!("errors without their details: {body}"));
    }
    faults
}
