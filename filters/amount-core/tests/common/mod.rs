//! Configurations and what they make of bodies.

#![allow(dead_code, reason = "each test takes what it needs")]

use amount_core::{Admission, Config, Guard, Outcome, Scratch};
use serde_json::{Value, json};

/// One rule for `POST /pay`, with these members in place of its own.
pub(crate) fn rule(changes: Value) -> Value {
    let rule = json!({
        "name": "pay",
        "match": {"methods": ["POST"], "path": {"exact": "/pay"}},
        "currency": {"fixed": "USD"},
        "amounts": [{"pointer": "/amount"}],
    });
    with(rule, changes)
}

/// An object with other members; null takes one away.
pub(crate) fn with(object: Value, changes: Value) -> Value {
    let (Value::Object(mut members), Value::Object(changes)) = (object, changes) else { panic!("objects") };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name)
        } else {
            members.insert(name, value)
        };
    }
    Value::Object(members)
}

/// The configuration of these rules.
pub(crate) fn config(rules: &[Value]) -> Config {
    Config::from_json(json!({"rules": rules}).to_string().as_bytes()).expect("a configuration")
}

/// The guard of a POST of JSON to this path, with these headers.
pub(crate) fn guard_with<'a>(
    config: &Config,
    path: &'a str,
    headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) -> Guard {
    let own = [(":method", "POST"), (":path", path), ("content-type", "application/json")];
    let own = own.into_iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    match config.admit(own.chain(headers), false) {
        Admission::Body(guard) => guard,
        other => panic!("{other:?}"),
    }
}

/// The same without headers.
pub(crate) fn guard(config: &Config, path: &str) -> Guard {
    guard_with(config, path, std::iter::empty())
}

/// What the rules for `POST /pay` make of a body, with these headers.
pub(crate) fn outcome_with(config: &Config, headers: &[(&str, &str)], body: &str) -> Outcome {
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    config.judge(guard_with(config, "/pay", headers), body.as_bytes(), &mut Scratch::default())
}

/// The same without headers.
pub(crate) fn outcome(config: &Config, body: &str) -> Outcome {
    outcome_with(config, &[], body)
}

/// All faults, as `code pointer`, the kind's status before them where it is not 422.
pub(crate) fn faults(outcome: &Outcome) -> String {
    let fault = |fault: &amount_core::Fault| match fault.kind().status() {
        422 => format!("{} {}", fault.code, fault.pointer).trim_end().to_owned(),
        status => format!("{status} {} {}", fault.code, fault.pointer).trim_end().to_owned(),
    };
    outcome.faults.iter().map(fault).collect::<Vec<_>>().join(", ")
}

/// The faults of a body by one rule with these members.
pub(crate) fn judged(changes: Value, body: &str) -> String {
    faults(&outcome(&config(&[rule(changes)]), body))
}

/// The first fault's sentence.
pub(crate) fn detail(changes: Value, body: &str) -> String {
    let outcome = outcome(&config(&[rule(changes)]), body);
    outcome.faults.first().expect("a fault").detail.clone()
}
