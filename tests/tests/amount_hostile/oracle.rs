//! The core, asked natively for what the filter must say.

use std::sync::Arc;

use amount_core::{Admission, Config, Outcome, Scratch};
use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use tests::amount::{amount_rule, order_rule, rules};
use tests::post::Post;
use tests::upstream::Judge;

/// The order's rule, and others that ask for what it does not.
pub(crate) fn configuration() -> Value {
    let mut order = order_rule();
    order["fields"] = json!(["/userId", "/items/*/id", "/paymentMethod", "/metadata/**"]);
    order["arrays"][0]["max"] = 2000.into();
    let mut pay = amount_rule(
        "pay",
        json!({"unit": "major", "max": 100_000, "lift": {"header": "x-jwt-scope", "has": "large", "max": 10_000_000}}),
    );
    pay["match"]["path"] = json!({"prefix": "/pay"});
    pay["unknownFields"] = "allow".into();
    let mut narrow = amount_rule("narrow", json!({"unit": "major", "caps": {"JPY": 500}, "max": 50_000}));
    narrow["match"]["path"] = json!({"template": "/pay/{id}/capture"});
    narrow["maxDepth"] = 5.into();
    narrow["maxBodyBytes"] = 2000.into();
    rules(&[order, pay, narrow])
}

fn config() -> Result<Config> {
    Config::from_json(configuration().to_string().as_bytes()).map_err(|problem| anyhow!("{problem}"))
}

/// What becomes of a request.
fn outcome(
    config: &Config,
    fields: &[(&[u8], &[u8])],
    body: &[u8],
    scratch: &mut Scratch,
) -> Option<Outcome> {
    let outcome = match config.admit(fields.iter().copied(), body.is_empty()) {
        Admission::Pass => return None,
        Admission::Decided(outcome) => outcome,
        Admission::Body(guard) => config.judge(guard, body, scratch),
    };
    Some(outcome).filter(Outcome::is_refused)
}

/// For the service: whether a complete request may have come.
pub(crate) fn judge() -> Result<Arc<Judge>> {
    let config = config()?;
    Ok(Arc::new(move |fields, body| outcome(&config, fields, body, &mut Scratch::default()).is_none()))
}

/// For a client.
pub(crate) struct Oracle {
    config: Config,
    scratch: Scratch,
}

impl Oracle {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { config: config()?, scratch: Scratch::default() })
    }

    /// What must be told of a request, in the form of [`tests::amount::told`].
    pub(crate) fn told(&mut self, post: &Post) -> String {
        let names: Vec<_> = post.fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let mut fields = vec![
            (b":method".as_slice(), post.method.as_bytes()),
            (b":path", post.target.as_slice()),
            (b":authority", b"finpay.example"),
        ];
        fields.extend(
            names.iter().zip(&post.fields).map(|(name, (_, value))| (name.as_bytes(), value.as_slice())),
        );
        let length = post.body.len().to_string();
        if post.framing == tests::post::Framing::Length {
            fields.push((b"content-length", length.as_bytes()));
        }
        let Some(outcome) = outcome(&self.config, &fields, &post.body, &mut self.scratch) else {
            return "200".to_owned();
        };
        let Some(first) = outcome.faults.first() else { return "200".to_owned() };
        let faults = outcome
            .faults
            .iter()
            .map(|fault| format!("{} {}", fault.code, fault.pointer).trim_end().to_owned());
        let faults: Vec<_> = faults.collect();
        format!("{} {}: {}", first.kind().status(), first.kind().problem(), faults.join(", "))
    }
}
