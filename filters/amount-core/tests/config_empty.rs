//! What is there has a value: neither null nor an empty list or map is taken for "no limit".

mod common;

use amount_core::Config;
use common::{rule, with};
use rstest::rstest;
use serde_json::{Value, json};

fn parse(config: &Value) -> Result<Config, String> {
    Config::from_json(config.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// Every field that a configuration can have.
fn all() -> Value {
    let currency = json!({"pointer": "/currency", "default": "USD", "allowed": ["USD", "EUR"]});
    let lift = json!({"header": "x-jwt-scope", "has": "large", "max": 20, "caps": {"USD": 30}});
    json!({
        "holdHeaders": true,
        "dryRunHeader": "x-dry-run",
        "rules": [{
            "name": "pay",
            "match": {"hosts": ["a.example"], "methods": ["POST"], "path": {"exact": "/pay"}},
            "dryRun": false,
            "maxBodyBytes": 1000,
            "maxDepth": 5,
            "unknownFields": "refuse",
            "fields": ["/note"],
            "currency": currency,
            "sameCurrency": false,
            "amounts": [
                {
                    "pointer": "/total", "unit": "minor", "form": "number", "min": 1, "max": 10, "caps": {"USD": 20},
                    "optional": false, "currency": {"fixed": "USD"}, "lift": lift,
                },
                {"pointer": "/items/*/price", "currency": {"fixed": "USD"}},
            ],
            "counts": [{"pointer": "/items/*/n", "min": 1, "max": 9, "optional": false}],
            "arrays": [{"pointer": "/items", "min": 1, "max": 9, "optional": false}],
            "sums": [{
                "total": "/total", "items": {"price": "/items/*/price", "quantity": "/items/*/n"}, "plus": [],
                "minus": [],
            }],
            "atMost": [{"amount": "/items/*/price", "limit": "/total"}],
            "verified": "/total",
        }],
    })
}

/// The pointers to all values in one.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in below {
        let at = format!("{at}/{name}");
        self::places(value, &at, places);
        places.push(at);
    }
}

#[test]
fn nothing_may_be_null() {
    assert_eq!(parse(&all()).map(|_| ()), Ok(()));
    let mut found = Vec::new();
    places(&all(), "", &mut found);
    assert!(found.len() > 60, "{}", found.len());
    let accepted = found.into_iter().filter(|place| {
        let mut config = all();
        *config.pointer_mut(place).expect("a place") = Value::Null;
        parse(&config).is_ok()
    });
    assert_eq!(accepted.collect::<Vec<_>>(), Vec::<String>::new());
}

#[rstest]
#[case::max("max", "amounts[0].max: must have a value")]
#[case::min("min", "amounts[0].min: must have a value")]
#[case::caps("caps", "amounts[0].caps: invalid type: null")]
#[case::lift("lift", "amounts[0].lift: must have a value")]
fn a_message_says_where(#[case] field: &str, #[case] expected: &str) {
    let config = format!(
        r#"{{"rules":[{{"name":"a","match":{{"methods":["POST"],"path":{{"exact":"/a"}}}},
        "currency":{{"fixed":"USD"}},"amounts":[{{"pointer":"/a","{field}":null}}]}}]}}"#
    );
    let error = Config::from_json(config.as_bytes()).expect_err("refused").to_string();
    assert!(error.starts_with(&format!("rules[0].{expected}")), "{error}");
}

fn amount(changes: Value) -> Value {
    json!({"amounts": [with(json!({"pointer": "/amount"}), changes)]})
}

#[rstest]
#[case::caps(amount(json!({"caps": {}})), "amounts[0].caps: must name some, or be left out")]
#[case::caps_with_max(amount(json!({"caps": {}, "max": 5})), "amounts[0].caps: must name some, or be left out")]
#[case::lifted_caps(
    amount(json!({"max": 5, "lift": {"header": "h", "has": "x", "caps": {}}})),
    "amounts[0].lift.caps: must name some, or be left out"
)]
#[case::lift_without_limit(
    amount(json!({"max": 5, "lift": {"header": "h", "has": "x"}})),
    "amounts[0].lift: must have max or caps"
)]
#[case::list_for_an_object(
    json!({"match": [["a"], ["POST"], {"exact": "/a"}]}),
    "match: must be an object"
)]
#[case::hosts(
    json!({"match": {"hosts": [], "methods": ["POST"], "path": {"exact": "/a"}}}),
    "match.hosts: must name some, or be left out"
)]
fn nothing_may_be_empty_that_limits(#[case] changes: Value, #[case] expected: &str) {
    assert_eq!(parse(&json!({"rules": [rule(changes)]})).err(), Some(format!("rules[0].{expected}")));
}

#[rstest]
#[case("fields", 1000)]
#[case("amounts", 64)]
#[case("counts", 64)]
#[case("arrays", 64)]
#[case("sums", 64)]
#[case("atMost", 64)]
fn lists_have_a_limit(#[case] list: &str, #[case] most: usize) {
    let refusal = |count: usize| {
        let entry = |at: usize| match list {
            "fields" => json!(format!("/x{at}x")),
            "sums" => json!({"total": "/amount", "plus": ["/b"]}),
            "atMost" => json!({"amount": "/amount", "limit": "/b"}),
            _ => json!({"pointer": format!("/x{at}x"), "max": 1, "optional": true}),
        };
        let base = json!({"amounts": [{"pointer": "/amount"}, {"pointer": "/b"}]});
        let entries: Vec<_> = (0..count).map(entry).collect();
        parse(&json!({"rules": [rule(with(base, json!({list: entries})))]})).err()
    };
    assert_eq!(refusal(most), None);
    assert_eq!(refusal(most + 1), Some(format!("rules[0].{list}: must be at most {most}")));
}
