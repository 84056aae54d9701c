//! Bodies that must be refused, each for its reason, by FinPay's own rule for orders.

mod common;

use amount_core::{Config, Fault, Scratch, json};
use proptest::prelude::*;
use rstest::rstest;

const RULES: &[u8] = include_bytes!("../../../services/order/src/amount-rule.json");
const ORDER: &str = r#"{"userId":"u","items":[{"id":"i","quantity":1,"price":100}],"totalAmount":100,"paymentMethod":"credit_card"}"#;

fn judge(body: &str) -> Result<(), Vec<Fault>> {
    let config = Config::from_json(RULES).expect("the rules");
    let guard = common::guard(&config, "/order/create");
    let faults = config.judge(guard, body.as_bytes(), &mut Scratch::default()).faults;
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn first(body: &str) -> String {
    match judge(body) {
        Ok(()) => "ok".to_owned(),
        Err(faults) => {
            let fault = faults.first().expect("a fault");
            format!("{} {} {}", fault.kind().status(), fault.code, fault.pointer).trim_end().to_owned()
        }
    }
}

#[test]
fn the_order_itself_passes() {
    assert_eq!(first(ORDER), "ok");
}

#[rstest]
#[case("10.5", "422 not_an_integer /totalAmount")]
#[case("1e2", "422 not_an_integer /totalAmount")]
#[case("1.0", "422 not_an_integer /totalAmount")]
#[case("0", "422 zero /totalAmount")]
#[case("-1", "422 negative /totalAmount")]
#[case("-0", "422 minus_zero /totalAmount")]
#[case("NaN", "400 syntax")]
#[case("Infinity", "400 syntax")]
#[case("01", "400 syntax")]
#[case("+1", "400 syntax")]
#[case("1e400", "400 number_range")]
#[case("1e-400", "400 number_range")]
#[case("9007199254740992", "422 too_large /totalAmount")]
#[case("99999999999999999999", "422 too_large /totalAmount")]
#[case("100000001", "422 above_cap /totalAmount")]
#[case("\"100\"", "422 not_a_number /totalAmount")]
#[case("\"\u{ff11}00\"", "422 not_a_number /totalAmount")]
#[case("null", "422 not_a_number /totalAmount")]
#[case("101", "422 sum_mismatch /totalAmount")]
fn amounts(#[case] value: &str, #[case] expected: &str) {
    assert_eq!(first(&ORDER.replace("\"totalAmount\":100", &format!("\"totalAmount\":{value}"))), expected);
}

#[rstest]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"totalAmount\":1", "400 duplicate_key")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"\\u0074otalAmount\":1", "400 duplicate_key")]
#[case("\"price\":100", "\"price\":100,\"price\":1", "400 duplicate_key /items/0")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"tip\":1", "422 unknown_field /tip")]
#[case("\"price\":100", "\"price\":100,\"tax\":1", "422 unknown_field /items/0/tax")]
#[case("\"quantity\":1", "\"quantity\":0", "422 out_of_range /items/0/quantity")]
#[case("\"quantity\":1,", "", "422 missing /items/0/quantity")]
#[case("\"totalAmount\":100,", "", "422 missing /totalAmount")]
#[case("[{\"id\":\"i\",\"quantity\":1,\"price\":100}]", "[]", "422 out_of_range /items")]
#[case("[{\"id\":\"i\",\"quantity\":1,\"price\":100}]", "1", "422 not_an_array /items")]
#[case(
    "\"quantity\":1,\"price\":100",
    "\"quantity\":1000,\"price\":9007199254740991",
    "422 sum_mismatch /totalAmount"
)]
#[case(
    "{\"id\":\"i\",\"quantity\":1,\"price\":100}",
    "{\"id\":\"i\",\"quantity\":1000,\"price\":9007199254740991},{\"id\":\"i\",\"quantity\":1000,\"price\":9007199254740991}",
    "422 overflow /items"
)]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"4111111111111111\":1", "422 unknown_field")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"currency\":\"XXX\"", "422 unknown_currency /currency")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"currency\":\"XAU\"", "422 unknown_currency /currency")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"currency\":\"HRK\"", "422 unknown_currency /currency")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"currency\":\"usd\"", "422 unknown_currency /currency")]
#[case("\"totalAmount\":100", "\"totalAmount\":100,\"currency\":\"CHF\"", "422 unknown_currency /currency")]
#[case("\"u\"", "\"\\ud800\"", "400 lone_surrogate")]
#[case("{\"userId\"", "\u{feff}{\"userId\"", "400 byte_order_mark")]
fn bodies(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert_eq!(first(&ORDER.replacen(from, to, 1)), expected);
}

#[test]
fn the_payments_own_rule_tells_of_the_amount() {
    let rules = include_bytes!("../../../services/payment/src/amount-rule.json");
    let config = Config::from_json(rules).expect("the rules");
    let guard = common::guard(&config, "/payment");
    let judge = |currency: &str| {
        let body = format!(r#"{{"orderId":"o","amount":100,{currency}"paymentMethod":"credit_card"}}"#);
        config.judge(guard, body.as_bytes(), &mut Scratch::default())
    };
    assert_eq!(judge(r#""currency":"USD","#).verified.as_deref(), Some("100;currency=USD;exponent=2"));
    assert_eq!(judge("").faults.first().map(|fault| fault.code.as_str()), Some("missing"));
}

#[test]
fn what_is_around_the_body_counts_too() {
    assert_eq!(first(""), "400 empty_body");
    assert_eq!(first(&format!("{ORDER}{{}}")), "400 trailing_data");
    assert_eq!(first(&"[".repeat(33)), "400 too_deep");
    assert_eq!(first("[]"), "422 not_an_object");
    assert_eq!(json::parse(b"\"\xff\"").map_err(|fault| fault.code.as_str()), Err("not_utf8"));
}

#[test]
fn very_many_faults_are_told_as_few() {
    let item = r#"{"id":"i","quantity":1,"price":100}"#;
    let many = |count: usize| ORDER.replace(item, &vec!["0"; count].join(","));
    let codes = |body: &str| judge(body).expect_err("refused").len();
    assert_eq!(first(&many(32_000)), "422 out_of_range /items");
    assert!(codes(&many(32_000)) <= 20);
    assert_eq!(codes(&many(100)), 20);
}

#[test]
fn rules_are_refused_with_their_place() {
    let text = String::from_utf8(RULES.to_vec()).expect("text");
    let refused = |from: &str, to: &str| {
        Config::from_json(text.replacen(from, to, 1).as_bytes()).expect_err("refused").to_string()
    };
    assert!(refused("\"name\"", "\"nmae\"").starts_with("rules[0]"), "{}", refused("\"name\"", "\"nmae\""));
    assert!(refused("\"EUR\"", "\"HRK\"").starts_with("rules[0].currency.allowed"));
    assert!(refused("\"/totalAmount\"", "\"totalAmount\"").starts_with("rules[0].amounts[0].pointer"));
}

proptest! {
    /// Wide integers as the oracle: the sum is right, or refused.
    #[test]
    fn sums_are_right_or_refused(
        items in prop::collection::vec((1_i64..=1000, 1_i64..=9_007_199_254_740_991), 1..5), off in -2_i64..=2,
    ) {
        let sum: i128 = items.iter().map(|(quantity, price)| i128::from(*quantity) * i128::from(*price)).sum();
        let total = sum + i128::from(off);
        let rows: Vec<_> = items
            .iter()
            .map(|(quantity, price)| format!(r#"{{"id":"i","quantity":{quantity},"price":{price}}}"#))
            .collect();
        let body = format!(
            r#"{{"userId":"u","items":[{}],"totalAmount":{total},"paymentMethod":"credit_card"}}"#, rows.join(",")
        );
        let right = off == 0 && total <= 100_000_000;
        prop_assert_eq!(judge(&body).is_ok(), right, "{}", body);
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = json::parse(&body);
    }

    /// Whatever we take, serde_json takes, and reads the same text.
    #[test]
    fn whatever_is_taken_is_json(body in "[\\[\\]{}\",:0-9a-e\\\\u.\\- ]{0,40}") {
        if json::parse(body.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{}", body);
        }
    }
}
