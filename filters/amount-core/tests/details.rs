//! Each fault says what would be right, and nothing of the body but amounts.

mod common;

use amount_core::{Admission, Outcome};
use common::{config, outcome, rule};
use rstest::rstest;
use serde_json::{Value, json};

fn rules() -> Value {
    rule(json!({
        "sameCurrency": true,
        "currency": {"pointer": "/currency", "default": "USD", "allowed": ["USD", "EUR"]},
        "amounts": [
            {"pointer": "/amount", "max": 9000, "min": 5},
            {"pointer": "/tip/text", "form": "string", "optional": true, "currency": {"pointer": "/tip/currency"}},
            {"pointer": "/items/*/price", "unit": "major", "form": "number"},
        ],
        "counts": [{"pointer": "/items/*/count", "max": 3, "optional": true}],
        "arrays": [{"pointer": "/items", "min": 0, "max": 2, "optional": true}],
        "atMost": [{"amount": "/items/*/price", "limit": "/amount"}],
        "fields": ["/note/**"],
    }))
}

/// All faults of an outcome, as `pointer: detail`.
fn details(outcome: &Outcome) -> String {
    let told = outcome.faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail));
    told.collect::<Vec<_>>().join("; ")
}

#[rstest]
#[case::no_object("[]", ": must be a JSON object")]
#[case::no_object_in_it(r#"{"amount":5,"tip":1}"#, "/tip: must be an object")]
#[case::no_array(r#"{"amount":5,"items":1}"#, "/items: must be an array")]
#[case::too_many(r#"{"amount":5,"items":[1,1,1]}"#, "/items: must have 0 to 2 items")]
#[case::absent("{}", "/amount: must be there")]
#[case::text(r#"{"amount":"5"}"#, "/amount: must be a JSON number")]
#[case::number(r#"{"amount":5,"tip":{"text":5,"currency":"USD"}}"#, "/tip/text: must be a JSON string")]
#[case::fraction(
    r#"{"amount":5.5}"#,
    "/amount: must be an integer of minor units, without fraction or exponent"
)]
#[case::fraction_of_text(
    r#"{"amount":5,"tip":{"text":"5.5","currency":"USD"}}"#,
    "/tip/text: must be an integer of minor units, without fraction"
)]
#[case::comma(
    r#"{"amount":5,"tip":{"text":"5,5","currency":"USD"}}"#,
    "/tip/text: must be decimal digits, without sign, exponent or leading zero"
)]
#[case::decimals(
    r#"{"amount":5,"items":[{"price":0.001}]}"#,
    "/items/0/price: must have at most 2 decimals in USD"
)]
#[case::minus_zero(r#"{"amount":-0}"#, "/amount: must not be -0")]
#[case::large(r#"{"amount":9007199254740992}"#, "/amount: must be within 2^53-1")]
#[case::large_for_a_double(
    r#"{"amount":5,"items":[{"price":10000000000000}]}"#,
    "/items/0/price: must be below 10^15 minor units as a number of major units"
)]
#[case::negative(r#"{"amount":-1}"#, "/amount: must not be negative")]
#[case::zero(r#"{"amount":0}"#, "/amount: must not be zero")]
#[case::small(r#"{"amount":1}"#, "/amount: must be at least 5")]
#[case::above(r#"{"amount":9001}"#, "/amount: must be at most 9000")]
#[case::above_another(
    r#"{"amount":5,"items":[{"price":0.06}]}"#,
    "/items/0/price: must be at most 0.05, which is /amount"
)]
#[case::count(r#"{"amount":5,"items":[{"price":0.01,"count":4}]}"#, "/items/0/count: must be 1 to 3")]
#[case::currency(r#"{"amount":5,"currency":1}"#, "/currency: must be a string")]
#[case::no_such_currency(
    r#"{"amount":5,"currency":"XXX"}"#,
    "/currency: must be an active ISO 4217 code in capitals, with a minor unit"
)]
#[case::currency_that_is_not_allowed(
    r#"{"amount":5,"currency":"GBP"}"#,
    "/currency: must be one of USD, EUR"
)]
#[case::other_currency(
    r#"{"amount":5,"currency":"USD","tip":{"text":"1","currency":"EUR"}}"#,
    "/tip/currency: must be the same currency everywhere"
)]
#[case::currency_beside_a_default(
    r#"{"amount":5,"tip":{"text":"1","currency":"EUR"}}"#,
    "/amount: must be of the currency EUR"
)]
#[case::field(r#"{"amount":5,"x":1}"#, "/x: must not be there")]
#[case::item(r#"{"amount":5,"tip":{"text":["5"],"currency":"USD"}}"#, "/tip/text: must be a JSON string")]
#[case::spelling(
    r#"{"amount":5,"Amount":5}"#,
    "/Amount: must be spelled as the known field, or not be there"
)]
#[case::field_that_is_not_told(
    r#"{"amount":5,"items":[{"price":0.01,"4111":1}]}"#,
    "/items/0: must have known fields only"
)]
fn a_body_is_told_what_would_be_right(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(details(&outcome(&config(&[rules()]), body)), expected);
}

/// In the rules' own words: a key on the way that no rule knows might be a card's number.
#[rstest]
#[case::of_the_whole(r#"{"amount":5,"amount":5}"#, "")]
#[case::of_an_item(r#"{"amount":5,"items":[{"price":1},{"x":1,"x":1}]}"#, "/items/1")]
#[case::among_many(
    r#"{"tip":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"a":1}}"#,
    "/tip"
)]
#[case::below_a_field(r#"{"amount":5,"note":{"4111":{"x":1,"x":1}}}"#, "")]
#[case::below_an_unknown_field(r#"{"items":[{"4111":[{"x":1,"x":1}]}]}"#, "/items/0")]
#[case::behind_an_array(r#"{"items":[{"price":1}],"tip":{"x":1,"x":1}}"#, "/tip")]
#[case::beyond_an_array_s_limit(r#"{"items":[{},{},{"x":1,"x":1}]}"#, "/items")]
fn a_doubled_key_is_told_with_the_place_of_its_object(#[case] body: &str, #[case] pointer: &str) {
    let other = rule(json!({"name": "other", "unknownFields": "allow"}));
    for rules in [vec![rules()], vec![rules(), other.clone()], vec![other.clone(), rules()]] {
        let outcome = outcome(&config(&rules), body);
        let [fault] = outcome.faults.as_slice() else { panic!("{outcome:?}") };
        assert_eq!((fault.code.as_str(), fault.pointer.as_str()), ("duplicate_key", pointer));
        assert!(fault.detail.ends_with(": a key must come once."), "{}", fault.detail);
    }
}

#[rstest]
#[case::type_twice(&[("content-type", "application/json")], "Content-Type must come once.")]
#[case::coding_twice(&[("content-encoding", ""), ("content-encoding", "")], "Content-Encoding must come once.")]
#[case::type_by_another_name(&[("content_type", "text/plain")], "Content-Type must come once.")]
#[case::coding(&[("content-encoding", "gzip")], "Send the body without a content coding.")]
#[case::length(&[("content-length", "+5")], "Content-Length must be a number.")]
#[case::length_twice(&[("content-length", "5"), ("content-length", "5")], "Content-Length must come once.")]
#[case::long(&[("content-length", "70000")], "At most 65536 bytes.")]
#[case::upgrade(&[("upgrade", "websocket")], "The request must not be an upgrade or CONNECT.")]
#[case::path(
    &[(":path", "/PAY")],
    "The path, host and method must have one reading: this request could be one for another route."
)]
#[case::nothing(&[], "There must be a body.")]
fn headers_are_told_what_would_be_right(#[case] changes: &[(&str, &str)], #[case] expected: &str) {
    let own = [(":method", "POST"), (":path", "/pay"), ("content-type", "application/json")];
    let headers = own.iter().chain(changes).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let Admission::Decided(outcome) = config(&[rules()]).admit(headers, true) else { panic!("not refused") };
    assert_eq!(details(&outcome), format!(": {expected}"));
}
