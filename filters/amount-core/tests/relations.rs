//! What the amounts of one body must be to each other.

mod common;

use common::{detail, judged, with};
use rstest::rstest;
use serde_json::{Value, json};

fn invoice(changes: Value) -> Value {
    let invoice = json!({
        "amounts": [
            {"pointer": "/total"},
            {"pointer": "/items/*/price", "min": 0, "optional": true},
            {"pointer": "/tax", "optional": true, "min": 0},
            {"pointer": "/fees/*", "min": 0},
            {"pointer": "/discount", "optional": true},
        ],
        "counts": [{"pointer": "/items/*/n", "min": 0, "max": 1_000_000_000_000_000_u64}],
        "sums": [{
            "total": "/total", "items": {"price": "/items/*/price", "quantity": "/items/*/n"},
            "plus": ["/tax", "/fees/*"], "minus": ["/discount"],
        }],
    });
    with(invoice, changes)
}

#[rstest]
#[case::items(r#"{"total":7,"items":[{"price":2,"n":3},{"n":1,"price":1}]}"#, "")]
#[case::all(r#"{"total":10,"items":[{"price":2,"n":3}],"tax":3,"fees":[1,1],"discount":1}"#, "")]
#[case::no_items(r#"{"total":3,"tax":3}"#, "")]
#[case::absent_price(r#"{"total":3,"tax":3,"items":[{"n":5}]}"#, "")]
#[case::price_between(r#"{"total":8,"items":[{"n":5},{"n":2,"price":4},{"n":7}]}"#, "")]
#[case::more(r#"{"total":8,"items":[{"price":2,"n":3},{"n":1,"price":1}]}"#, "sum_mismatch /total")]
#[case::below_zero(r#"{"total":1,"discount":2}"#, "sum_mismatch /total")]
#[case::unsound(r#"{"total":8,"items":[{"price":-2,"n":3}]}"#, "negative /items/0/price")]
#[case::unsound_count(r#"{"total":8,"items":[{"price":2,"n":-3}]}"#, "out_of_range /items/0/n")]
#[case::misplaced(r#"{"total":8,"items":1}"#, "not_an_array /items")]
#[case::product(r#"{"total":8,"items":[{"price":9007199254740991,"n":1000000000}]}"#, "overflow /items")]
#[case::sum(
    r#"{"total":8,"items":[{"price":9007199254740991,"n":1000},{"price":9007199254740991,"n":1000}]}"#,
    "overflow /items"
)]
#[case::sum_and_plus(
    r#"{"total":8,"tax":9007199254740991,"items":[{"price":9007199254740991,"n":1023}],"fees":[9007199254740991,9007199254740991]}"#,
    "overflow /items"
)]
fn sums(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(judged(invoice(json!({})), body), expected);
    if expected.starts_with("overflow") {
        assert_eq!(detail(invoice(json!({})), body), "must add up to at most 2^63-1");
    }
}

#[test]
fn an_absent_total_is_not_compared() {
    let changes = json!({"amounts": [{"pointer": "/total", "optional": true}, {"pointer": "/part"}],
        "sums": [{"total": "/total", "plus": ["/part"]}]});
    assert_eq!(judged(changes.clone(), r#"{"part":1}"#), "");
    assert_eq!(judged(changes, r#"{"part":1,"total":2}"#), "sum_mismatch /total");
}

#[test]
fn a_sentence_says_the_sum_as_the_total_is_written() {
    let changes = json!({
        "amounts": [{"pointer": "/total", "unit": "major"}, {"pointer": "/parts/*"}],
        "sums": [{"total": "/total", "items": {"price": "/parts/*"}}],
    });
    assert_eq!(judged(changes.clone(), r#"{"total":"1.05","parts":[5,100]}"#), "");
    assert_eq!(detail(changes, r#"{"total":"1","parts":[5,100]}"#), "must be 1.05, the sum of the items");
    let parts = detail(invoice(json!({})), r#"{"total":1,"tax":3}"#);
    assert_eq!(parts, "must be 3, the sum of its parts");
}

/// Orders, each with its own total and currency.
fn orders() -> Value {
    json!({
        "currency": {"pointer": "/orders/*/c", "default": "USD"},
        "amounts": [
            {"pointer": "/orders/*/total", "unit": "major", "optional": true},
            {"pointer": "/orders/*/lines/*/price", "unit": "major"},
            {"pointer": "/orders/*/tax", "unit": "major", "optional": true},
        ],
        "counts": [{"pointer": "/orders/*/lines/*/n", "max": 1000}],
        "sums": [{
            "total": "/orders/*/total", "plus": ["/orders/*/tax"],
            "items": {"price": "/orders/*/lines/*/price", "quantity": "/orders/*/lines/*/n"},
        }],
    })
}

#[rstest]
#[case::each(
    r#"{"orders":[{"total":"3.50","lines":[{"price":"1.50","n":1},{"price":"1","n":2}]},{"total":"0.01","tax":"0.01","lines":[]}]}"#, ""
)]
#[case::not_of_another(
    r#"{"orders":[{"total":"1","lines":[{"price":"2","n":1}]},{"total":"2","lines":[{"price":"1","n":1}]}]}"#,
    "sum_mismatch /orders/0/total, sum_mismatch /orders/1/total"
)]
#[case::absent_between(
    r#"{"orders":[{"total":"1","lines":[{"price":"1","n":1}]},{"lines":[{"price":"5","n":1}]},{"total":"3","lines":[{"price":"3","n":1}]}]}"#, ""
)]
#[case::currencies(
    r#"{"orders":[{"c":"KWD","total":"1.005","lines":[{"price":"1.005","n":1}]},{"c":"JPY","total":"3","lines":[{"price":"3","n":1}]}]}"#, ""
)]
#[case::overflow(
    r#"{"orders":[{"total":"1","lines":[{"price":"1","n":1}]},{"total":"3","lines":[{"price":"90071992547409","n":1000},{"price":"90071992547409","n":1000}]}]}"#,
    "overflow /orders/1/lines"
)]
fn groups(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(judged(orders(), body), expected);
}

#[test]
fn an_amount_is_at_most_another() {
    let changes = json!({
        "amounts": [{"pointer": "/captured"}, {"pointer": "/refunds/*/amount"}, {"pointer": "/refunds/*/fee", "optional": true}],
        "atMost": [
            {"amount": "/refunds/*/amount", "limit": "/captured"},
            {"amount": "/refunds/*/fee", "limit": "/refunds/*/amount"},
        ],
    });
    assert_eq!(
        judged(changes.clone(), r#"{"captured":5,"refunds":[{"amount":5,"fee":5},{"amount":1}]}"#),
        ""
    );
    let body = r#"{"captured":5,"refunds":[{"amount":6,"fee":2},{"amount":2,"fee":3}]}"#;
    assert_eq!(judged(changes.clone(), body), "above_limit /refunds/0/amount, above_limit /refunds/1/fee");
    assert_eq!(detail(changes, body), "must be at most 5, which is /captured");
}

fn two_currencies(same: bool) -> Value {
    let own = json!({"pointer": "/fee/c", "default": "EUR"});
    json!({
        "sameCurrency": same,
        "currency": {"pointer": "/c"},
        "amounts": [{"pointer": "/total"}, {"pointer": "/fee/value", "currency": own, "optional": true}],
    })
}

#[rstest]
#[case::same(r#"{"total":2,"c":"EUR","fee":{"value":2,"c":"EUR"}}"#, "")]
#[case::other(r#"{"total":2,"c":"EUR","fee":{"value":2,"c":"USD"}}"#, "currency_mismatch /fee/c")]
#[case::by_default(r#"{"total":2,"c":"EUR","fee":{"value":2}}"#, "")]
#[case::other_by_default(r#"{"total":2,"c":"USD","fee":{"value":2}}"#, "currency_mismatch /fee/value")]
#[case::absent(r#"{"total":2,"c":"USD"}"#, "sum_mismatch /total")]
fn one_currency(#[case] body: &str, #[case] expected: &str) {
    let sums = json!({"sums": [{"total": "/total", "plus": ["/fee/value"]}]});
    assert_eq!(judged(with(two_currencies(true), sums), body), expected);
    let limit = json!({"atMost": [{"amount": "/total", "limit": "/fee/value"}]});
    let expected = if body.contains("fee") { expected } else { "" };
    assert_eq!(judged(with(two_currencies(true), limit), body), expected);
    let named = if expected.starts_with("currency_mismatch") { expected } else { "" };
    assert_eq!(judged(two_currencies(true), body), named);
    assert_eq!(judged(two_currencies(false), body), "");
}

/// What amounts are of counts, whoever says it: the body, a default or the configuration.
#[rstest]
#[case::fixed(r#"{"total":2,"c":"EUR","fee":{"value":2}}"#, "currency_mismatch /c")]
#[case::same_as_fixed(r#"{"total":2,"c":"USD","fee":{"value":2}}"#, "")]
#[case::fixed_alone(r#"{"total":2,"c":"EUR"}"#, "")]
#[case::default(r#"{"total":2,"fee":{"value":2}}"#, "currency_mismatch /total")]
#[case::default_alone(r#"{"total":2}"#, "")]
#[case::two_defaults(
    r#"{"total":2,"tips":[{"value":1},{"value":1}]}"#,
    "currency_mismatch /tips/0/value, currency_mismatch /tips/1/value"
)]
#[case::a_default_and_a_name(
    r#"{"total":2,"tips":[{"value":1,"c":"EUR"},{"value":1}]}"#,
    "currency_mismatch /tips/1/value"
)]
#[case::a_name_and_a_default(r#"{"total":2,"tips":[{"value":1,"c":"JPY"}]}"#, "currency_mismatch /total")]
#[case::two_names(r#"{"total":2,"c":"JPY","tips":[{"value":1,"c":"EUR"}]}"#, "currency_mismatch /tips/0/c")]
#[case::names(r#"{"total":2,"c":"JPY","tips":[{"value":1,"c":"JPY"}]}"#, "")]
fn one_currency_whoever_says_it(#[case] body: &str, #[case] expected: &str) {
    let rules = |same: bool| {
        json!({
            "sameCurrency": same,
            "currency": {"pointer": "/c", "default": "EUR"},
            "amounts": [
                {"pointer": "/total"},
                {"pointer": "/fee/value", "optional": true, "currency": {"fixed": "USD"}},
                {"pointer": "/tips/*/value", "currency": {"pointer": "/tips/*/c", "default": "GBP"}},
            ],
        })
    };
    assert_eq!(judged(rules(true), body), expected);
    assert_eq!(judged(rules(false), body), "");
}
