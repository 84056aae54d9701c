//! Amounts in every unit and form, their currencies and their limits.

mod common;

use common::{config, detail, faults, judged, outcome, outcome_with, rule, with};
use rstest::rstest;
use serde_json::{Value, json};

fn amount(changes: Value, currency: &str) -> Value {
    let amount = with(json!({"pointer": "/amount"}), changes);
    json!({"amounts": [amount], "currency": {"fixed": currency}})
}

fn body(value: &str) -> String {
    format!(r#"{{"amount":{value}}}"#)
}

#[rstest]
#[case::minor_text(json!({"form": "string"}), r#""105""#, "")]
#[case::minor_text_of_a_number(json!({"form": "string"}), "105", "not_a_string /amount")]
#[case::minor_text_with_a_zero(json!({"form": "string"}), r#""0105""#, "not_an_amount /amount")]
#[case::minor_text_with_a_plus(json!({"form": "string"}), r#""+105""#, "not_an_amount /amount")]
#[case::minor_text_with_a_blank(json!({"form": "string"}), r#"" 105""#, "not_an_amount /amount")]
#[case::minor_text_with_an_exponent(json!({"form": "string"}), r#""1e2""#, "not_an_amount /amount")]
#[case::minor_text_with_a_fraction(json!({"form": "string"}), r#""1.0""#, "not_an_integer /amount")]
#[case::minor_text_below_zero(json!({"form": "string"}), r#""-1""#, "negative /amount")]
#[case::minor_text_of_nothing(json!({"form": "string"}), r#""""#, "not_an_amount /amount")]
#[case::minor_text_full_width(json!({"form": "string"}), "\"\u{ff11}\"", "not_an_amount /amount")]
#[case::minor_text_arabic(json!({"form": "string"}), "\"\u{0661}\"", "not_an_amount /amount")]
#[case::minor_text_escaped(json!({"form": "string"}), r#""\u0031\u0030""#, "")]
#[case::minor_text_too_large(json!({"form": "string"}), r#""9007199254740992""#, "too_large /amount")]
#[case::major_text(json!({"unit": "major"}), r#""10.50""#, "")]
#[case::major_text_with_fewer_decimals(json!({"unit": "major"}), r#""10.5""#, "")]
#[case::major_text_without_decimals(json!({"unit": "major"}), r#""10""#, "")]
#[case::major_text_with_more_decimals(json!({"unit": "major"}), r#""10.500""#, "too_many_decimals /amount")]
#[case::major_text_of_a_number(json!({"unit": "major"}), "10.5", "not_a_string /amount")]
#[case::major_text_of_no_whole(json!({"unit": "major"}), r#"".5""#, "not_an_amount /amount")]
#[case::major_text_of_no_fraction(json!({"unit": "major"}), r#""5.""#, "not_an_amount /amount")]
#[case::major_text_with_commas(json!({"unit": "major"}), r#""1,000.00""#, "not_an_amount /amount")]
#[case::major_zero(json!({"unit": "major"}), r#""0.00""#, "zero /amount")]
#[case::major_zero_allowed(json!({"unit": "major", "min": 0}), r#""0.00""#, "")]
#[case::major_minus_zero(json!({"unit": "major", "min": 0}), r#""-0.00""#, "minus_zero /amount")]
#[case::major_below_zero(json!({"unit": "major"}), r#""-0.01""#, "negative /amount")]
#[case::major_least(json!({"unit": "major", "min": 50}), r#""0.49""#, "too_small /amount")]
#[case::major_largest(json!({"unit": "major"}), r#""90071992547409.91""#, "")]
#[case::major_too_large(json!({"unit": "major"}), r#""90071992547409.92""#, "too_large /amount")]
#[case::major_number(json!({"unit": "major", "form": "number"}), "10.50", "")]
#[case::major_number_whole(json!({"unit": "major", "form": "number"}), "10", "")]
#[case::major_number_with_an_exponent(json!({"unit": "major", "form": "number"}), "1e1", "not_an_amount /amount")]
#[case::major_number_with_decimals(json!({"unit": "major", "form": "number"}), "1.001", "too_many_decimals /amount")]
#[case::major_number_minus_zero(json!({"unit": "major", "form": "number"}), "-0", "minus_zero /amount")]
#[case::major_number_too_large(json!({"unit": "major", "form": "number"}), "90071992547410", "too_large /amount")]
#[case::major_number_no_double_holds(json!({"unit": "major", "form": "number"}), "70368744177664.01", "too_large /amount")]
#[case::major_number_of_15_digits(json!({"unit": "major", "form": "number"}), "9999999999999.99", "")]
#[case::major_number_of_16_digits(json!({"unit": "major", "form": "number"}), "10000000000000.00", "too_large /amount")]
#[case::major_number_whole_of_16_digits(json!({"unit": "major", "form": "number"}), "10000000000000", "too_large /amount")]
#[case::major_number_whole_of_15_digits(json!({"unit": "major", "form": "number"}), "9999999999999", "")]
#[case::major_text_of_16_digits(json!({"unit": "major"}), r#""10000000000000.00""#, "")]
#[case::major_number_of_a_text(json!({"unit": "major", "form": "number"}), r#""10""#, "not_a_number /amount")]
#[case::minor_number_of_18_digits(json!({}), "100000000000000000", "too_large /amount")]
#[case::minor_number_of_19_digits(json!({}), "1000000000000000000", "too_large /amount")]
#[case::minor_number_of_five_beyond_64_bits(json!({}), "18446744073709551621", "too_large /amount")]
#[case::major_text_of_five_beyond_64_bits(json!({"unit": "major"}), r#""184467440737095516.21""#, "too_large /amount")]
#[case::an_object(json!({}), "{}", "not_a_number /amount")]
#[case::an_array(json!({}), "[1]", "not_a_number /amount")]
#[case::no_value(json!({"optional": true}), "null", "not_a_number /amount")]
fn in_us_dollars(#[case] changes: Value, #[case] value: &str, #[case] expected: &str) {
    assert_eq!(judged(amount(changes, "USD"), &body(value)), expected);
}

#[rstest]
#[case("JPY", "10", "")]
#[case("JPY", "10.50", "too_many_decimals /amount")]
#[case("JPY", "10.0", "too_many_decimals /amount")]
#[case("KWD", "10.505", "")]
#[case("KWD", "10.5055", "too_many_decimals /amount")]
#[case("CLF", "10.5055", "")]
#[case("VES", "10.50", "")]
fn as_many_decimals_as_the_currency_has(#[case] currency: &str, #[case] value: &str, #[case] expected: &str) {
    assert_eq!(judged(amount(json!({"unit": "major"}), currency), &body(&format!("\"{value}\""))), expected);
}

#[rstest]
#[case(json!({"unit": "major", "max": 100_000_000}), "USD", r#""1000000.01""#, "must be at most 1000000.00")]
#[case(json!({"unit": "major", "max": 100}), "JPY", r#""101""#, "must be at most 100")]
#[case(json!({"unit": "major", "min": 5}), "KWD", r#""0.001""#, "must be at least 0.005")]
#[case(json!({"max": 100}), "USD", "101", "must be at most 100")]
#[case(json!({"unit": "major"}), "USD", r#""1.001""#, "must have at most 2 decimals in USD")]
#[case(json!({"unit": "major"}), "JPY", r#""1.5""#, "must have no decimals in JPY")]
#[case(json!({"unit": "major", "form": "number"}), "USD", "1e13", "must be decimal digits, without sign, exponent or leading zero")]
#[case(json!({"unit": "major", "form": "number"}), "USD", "10000000000000", "must be below 10^15 minor units as a number of major units")]
fn a_sentence_says_what_would_be_right(
    #[case] changes: Value,
    #[case] currency: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    assert_eq!(detail(amount(changes, currency), &body(value)), expected);
}

#[test]
fn caps_are_by_currency_and_max_is_for_the_others() {
    let changes = json!({
        "currency": {"pointer": "/c"},
        "amounts": [{"pointer": "/amount", "caps": {"JPY": 500, "USD": 5}, "max": 10}],
    });
    for (currency, most) in [("USD", 5), ("JPY", 500), ("EUR", 10)] {
        let body = |amount| format!(r#"{{"amount":{amount},"c":"{currency}"}}"#);
        assert_eq!(judged(changes.clone(), &body(most)), "", "{currency}");
        assert_eq!(judged(changes.clone(), &body(most + 1)), "above_cap /amount", "{currency}");
    }
}

#[rstest]
#[case::none(&[], false)]
#[case::the_word(&[("x-jwt-scope", "a payments:large b")], true)]
#[case::with_commas(&[("x-jwt-scope", "a,payments:large")], true)]
#[case::part_of_a_word(&[("x-jwt-scope", "payments:larger")], false)]
#[case::other_case(&[("x-jwt-scope", "Payments:large")], false)]
#[case::other_header(&[("x-scope", "payments:large")], false)]
#[case::twice(&[("x-jwt-scope", "payments:large"), ("x-jwt-scope", "payments:large")], false)]
#[case::twice_and_empty(&[("x-jwt-scope", "payments:large"), ("x-jwt-scope", "")], false)]
#[case::three_times(&[("x-jwt-scope", ""), ("x-jwt-scope", ""), ("x-jwt-scope", "payments:large")], false)]
fn a_word_in_a_header_lifts_limits(#[case] headers: &[(&str, &str)], #[case] lifts: bool) {
    let lift = json!({"header": "X-Jwt-Scope", "has": "payments:large", "max": 1000});
    let config = config(&[rule(amount(json!({"max": 10, "lift": lift}), "USD"))]);
    let judged = |value: &str| faults(&outcome_with(&config, headers, &body(value)));
    assert_eq!(judged("10"), "");
    assert_eq!(judged("11"), if lifts { "" } else { "above_cap /amount" });
    assert_eq!(judged("1001"), "above_cap /amount");
}

#[test]
fn each_word_lifts_its_own_limit() {
    let lifted = |pointer: &str, word: &str| json!({"pointer": pointer, "max": 10, "lift": {"header": "scope", "has": word, "max": 1000}});
    let config =
        config(&[rule(json!({"amounts": [lifted("/a", "one"), lifted("/b", "two"), lifted("/c", "one")]}))]);
    let judged =
        |scope: &str| faults(&outcome_with(&config, &[("scope", scope)], r#"{"a":11,"b":11,"c":11}"#));
    assert_eq!(judged("one"), "above_cap /b");
    assert_eq!(judged("two"), "above_cap /a, above_cap /c");
    assert_eq!(judged("two one"), "");
}

#[rstest]
#[case::named(r#"{"amount":1,"c":"EUR"}"#, "")]
#[case::escaped(r#"{"amount":1,"c":"\u0045UR"}"#, "")]
#[case::not_allowed(r#"{"amount":1,"c":"GBP"}"#, "unknown_currency /c")]
#[case::lower_case(r#"{"amount":1,"c":"eur"}"#, "unknown_currency /c")]
#[case::a_number(r#"{"amount":1,"c":978}"#, "unknown_currency /c")]
#[case::an_object(r#"{"amount":1,"c":{}}"#, "unknown_currency /c")]
#[case::absent(r#"{"amount":1}"#, "missing /c")]
#[case::absent_with_a_bad_amount(r#"{"amount":-1}"#, "missing /c, negative /amount")]
#[case::both_absent("{}", "missing /c, missing /amount")]
fn the_currency_is_told_first(#[case] body: &str, #[case] expected: &str) {
    let changes = json!({"currency": {"pointer": "/c", "allowed": ["USD", "EUR"]}});
    assert_eq!(judged(changes, body), expected);
}

#[test]
fn a_currency_is_needed_only_where_an_amount_is() {
    let changes = json!({
        "amounts": [
            {"pointer": "/amount"},
            {"pointer": "/tip/value", "optional": true, "currency": {"pointer": "/tip/currency"}},
        ],
    });
    assert_eq!(judged(changes.clone(), r#"{"amount":1}"#), "");
    assert_eq!(judged(changes.clone(), r#"{"amount":1,"tip":{}}"#), "");
    assert_eq!(judged(changes.clone(), r#"{"amount":1,"tip":{"value":1}}"#), "missing /tip/currency");
    assert_eq!(judged(changes, r#"{"amount":1,"tip":{"currency":"HRK"}}"#), "unknown_currency /tip/currency");
}

#[test]
fn each_item_s_amount_goes_with_its_own_currency() {
    let own = json!({"pointer": "/items/*/c", "default": "JPY"});
    let changes = json!({
        "currency": own,
        "amounts": [{"pointer": "/items/*/price", "unit": "major"}, {"pointer": "/items/*/fees/*/fee", "unit": "major"}],
    });
    let item = |currency: &str, price: &str, fee: &str| {
        format!(r#"{{{currency}"price":"{price}","fees":[{{"fee":"{fee}"}},{{"fee":"1"}}]}}"#)
    };
    let items = |items: &[String]| format!(r#"{{"items":[{}]}}"#, items.join(","));
    let (usd, kwd) = (r#""c":"USD","#, r#""c":"KWD","#);
    assert_eq!(
        judged(
            changes.clone(),
            &items(&[item(usd, "1.50", "0.01"), item(kwd, "1.505", "0.001"), item("", "1", "2")])
        ),
        ""
    );
    assert_eq!(
        judged(
            changes,
            &items(&[item(kwd, "1.505", "0.1"), item(usd, "1.505", "0.001"), item("", "1.5", "2")])
        ),
        "too_many_decimals /items/1/price, too_many_decimals /items/2/price, too_many_decimals /items/1/fees/0/fee"
    );
}

#[test]
fn an_amount_above_zero_is_told_of_once_all_is_right() {
    let changes = json!({"currency": {"pointer": "/c", "default": "KWD"}, "verified": "/amount",
        "amounts": [{"pointer": "/amount", "unit": "major", "optional": true}]});
    let config = config(&[rule(changes)]);
    let verified = |body: &str| outcome(&config, body).verified;
    assert_eq!(verified(r#"{"amount":"10.5"}"#).as_deref(), Some("10500;currency=KWD;exponent=3"));
    assert_eq!(verified(r#"{"amount":"10.5","c":"USD"}"#).as_deref(), Some("1050;currency=USD;exponent=2"));
    assert_eq!(verified("{}"), None);
    assert_eq!(verified(r#"{"amount":"10.5","x":1}"#), None);
}
