//! Several rules on one route: what they say together.

mod common;

use amount_core::Code;
use common::{config, faults, outcome, rule};
use rstest::rstest;
use serde_json::{Value, json};

/// A rule that takes depth, and one that does not; each with what else it asks.
fn rules(deep: &Value, shallow: &Value) -> [Value; 2] {
    [("deep", 64, deep), ("shallow", 2, shallow)].map(|(name, depth, amounts)| {
        rule(json!({"name": name, "maxDepth": depth, "amounts": amounts, "unknownFields": "allow"}))
    })
}

/// What both rules say, whichever is the first.
fn both(deep: &Value, shallow: &Value, body: &str) -> [String; 2] {
    let [deep, shallow] = rules(deep, shallow);
    [[deep.clone(), shallow.clone()], [shallow, deep]].map(|rules| faults(&outcome(&config(&rules), body)))
}

#[rstest]
#[case::beside_one(json!([{"pointer": "/amount"}]), r#"{"amount":-1,"x":[[]]}"#, "400 too_deep, negative /amount")]
#[case::beside_none(json!([{"pointer": "/amount"}]), r#"{"amount":1,"x":[[]]}"#, "400 too_deep")]
#[case::before_two(
    json!([{"pointer": "/a"}, {"pointer": "/b"}]), r#"{"b":0,"amount":1,"x":[[]]}"#, "400 too_deep, missing /a, zero /b"
)]
fn the_status_does_not_depend_on_the_rules_order(
    #[case] deep: Value,
    #[case] body: &str,
    #[case] expected: &str,
) {
    assert_eq!(both(&deep, &json!([{"pointer": "/amount"}]), body), [expected, expected]);
}

#[test]
fn a_full_answer_drops_no_fault_that_is_its_status() {
    let body = format!(r#"{{"amount":1,"x":[[]],"all":[{}]}}"#, ["-1"; 20].join(","));
    for told in both(&json!([{"pointer": "/all/*"}]), &json!([{"pointer": "/amount"}]), &body) {
        assert!(
            told.starts_with("400 too_deep, negative /all/0, ") && told.ends_with(", negative /all/18"),
            "{told}"
        );
    }
}

#[test]
fn a_rule_counts_its_own_first_fault() {
    let amounts = json!([{"pointer": "/amount"}]);
    let outcome = outcome(&config(&rules(&amounts, &amounts)), r#"{"amount":-1,"x":[[]]}"#);
    let codes: Vec<_> = outcome.rulings.iter().filter_map(|ruling| ruling.code).map(Code::as_str).collect();
    assert_eq!(codes, ["negative", "too_deep"]);
}
