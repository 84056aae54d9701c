//! Amounts, their currencies and their sums.

use anyhow::Result;
use serde_json::json;
use tests::amount::{Case, Tools, amount_rule, invalid, judge_both_ways, malformed, order_rule, rules};
use tests::post::Post;

use super::{order_case, total};

const ITEM: &str = r#"{"id":"i","quantity":1,"price":100}"#;

#[tokio::test]
async fn a_total_is_an_integer_of_minor_units() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let at = |code: &str| invalid(code, "/totalAmount");
    let cases = [
        total("100", "200"),
        total("10.5", &at("not_an_integer")),
        total("1e2", &at("not_an_integer")),
        total("1E2", &at("not_an_integer")),
        total("1.0", &at("not_an_integer")),
        total("100.0", &at("not_an_integer")),
        total("0", &at("zero")),
        total("-1", &at("negative")),
        total("-0", &at("minus_zero")),
        total("-0.0", &at("not_an_integer")),
        total("9007199254740992", &at("too_large")),
        total("9223372036854775808", &at("too_large")),
        total("18446744073709551716", &at("too_large")),
        total("99999999999999999999999999", &at("too_large")),
        total("-9007199254740992", &at("too_large")),
        total("9007199254740991", &at("above_cap")),
        total("100000001", &at("above_cap")),
        total("\"100\"", &at("not_a_number")),
        total("\"１００\"", &at("not_a_number")),
        total("\"١٠٠\"", &at("not_a_number")),
        total("null", &at("not_a_number")),
        total("true", &at("not_a_number")),
        total("[100]", &at("not_a_number")),
        total("{\"amount\":100}", &at("not_a_number")),
        total("NaN", &malformed("syntax")),
        total("Infinity", &malformed("syntax")),
        total("-Infinity", &malformed("syntax")),
        total("01", &malformed("syntax")),
        total("+1", &malformed("syntax")),
        total("0x64", &malformed("syntax")),
        total("1_00", &malformed("syntax")),
        total("１００", &malformed("syntax")),
        total(".5", &malformed("syntax")),
        total("1.", &malformed("syntax")),
        total("1e", &malformed("syntax")),
        total("", &malformed("syntax")),
        total("1e400", &malformed("number_range")),
        total("-1e400", &malformed("number_range")),
        total("1e-400", &malformed("number_range")),
        total(&format!("1{}", "0".repeat(400)), &malformed("number_range")),
        total("1e99999999999999999999", &malformed("number_range")),
        order_case("no total", &[(r#""totalAmount":100,"#, "")], &at("missing")),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn items_have_prices_and_quantities_that_make_the_total() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let huge = |quantity: i64| format!(r#"{{"id":"i","quantity":{quantity},"price":9007199254740991}}"#);
    let overflow = format!("{},{}", huge(1000), huge(1000));
    let hundred = vec![r#"{"id":"i","quantity":1,"price":1}"#; 100].join(",");
    let more = vec![r#"{"id":"i","quantity":1,"price":1}"#; 101].join(",");
    let items = |items: &str, expected: &str| order_case(items, &[(ITEM, items)], expected);
    let price = |value: &str, expected: &str| {
        order_case(value, &[(r#""price":100"#, &format!(r#""price":{value}"#))], expected)
    };
    let quantity = |value: &str, expected: &str| {
        order_case(value, &[(r#""quantity":1"#, &format!(r#""quantity":{value}"#))], expected)
    };
    let (at_price, at_quantity) = ("/items/0/price", "/items/0/quantity");
    let cases = [
        total("101", &invalid("sum_mismatch", "/totalAmount")),
        total("99", &invalid("sum_mismatch", "/totalAmount")),
        items(&huge(1000), &invalid("sum_mismatch", "/totalAmount")),
        items(&overflow, &invalid("overflow", "/items")),
        items(&hundred, "200"),
        items(&more, &invalid("out_of_range", "/items")),
        items("", &invalid("out_of_range", "/items")),
        items("100", &invalid("not_an_object", "/items/0")),
        items("[]", &invalid("not_an_object", "/items/0")),
        items("null", &invalid("not_an_object", "/items/0")),
        price("0", &invalid("zero", at_price)),
        price("-100", &invalid("negative", at_price)),
        price("100.0", &invalid("not_an_integer", at_price)),
        price("\"100\"", &invalid("not_a_number", at_price)),
        quantity("0", &invalid("out_of_range", at_quantity)),
        quantity("-1", &invalid("out_of_range", at_quantity)),
        quantity("1001", &invalid("out_of_range", at_quantity)),
        quantity("1.0", &invalid("not_an_integer", at_quantity)),
        quantity("\"1\"", &invalid("not_a_number", at_quantity)),
        quantity("-0", &invalid("minus_zero", at_quantity)),
        order_case("no quantity", &[(r#""quantity":1,"#, "")], &invalid("missing", at_quantity)),
        order_case("no price", &[(r#","price":100"#, "")], &invalid("missing", at_price)),
        order_case("items are one", &[(&format!("[{ITEM}]"), ITEM)], &invalid("not_an_array", "/items")),
        order_case("items are 1", &[(&format!("[{ITEM}]"), "1")], &invalid("not_an_array", "/items")),
        order_case("no items", &[(&format!(r#""items":[{ITEM}],"#), "")], &invalid("missing", "/items")),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn a_currency_is_payable_and_allowed() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let currency = |value: &str, expected: &str| {
        let to = format!(r#""totalAmount":100,"currency":{value}"#);
        order_case(value, &[(r#""totalAmount":100"#, &to)], expected)
    };
    let unknown = invalid("unknown_currency", "/currency");
    let mut cases =
        vec![currency(r#""USD""#, "200"), currency(r#""JPY""#, "200"), currency(r#""\u0055SD""#, "200")];
    for value in [
        "\"XXX\"",
        "\"XAU\"",
        "\"XTS\"",
        "\"HRK\"",
        "\"DEM\"",
        "\"usd\"",
        "\"Usd\"",
        "\"CHF\"",
        "\"\"",
        "\"US\"",
        "\"USDX\"",
        "\"US D\"",
        "\" USD\"",
        "\"ＵＳＤ\"",
        "\"$\"",
        "840",
        "null",
        "[\"USD\"]",
        "true",
    ] {
        cases.push(currency(value, &unknown));
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

fn money(path: &str, amount: &str, currency: &str, expected: &str) -> Case {
    let body = format!(r#"{{"amount":{amount},"currency":"{currency}"}}"#);
    let expected = if expected.len() > 3 && !expected.contains(' ') {
        invalid(expected, "/amount")
    } else {
        expected.to_owned()
    };
    Case::new(format!("{amount} {currency} to /{path}"), Post::json(&format!("/{path}"), body), expected)
}

/// No decimal number as JSON and the currencies have it.
const ODD_AMOUNTS: &[&str] = &[
    "",
    " 10",
    "10 ",
    "+10",
    "010",
    "00.10",
    ".50",
    "10.",
    "1,000.00",
    "1 000",
    "1e2",
    "1E2",
    "10,50",
    "0x10",
    "１０",
    "١٠",
    "10\\u0000",
    "10.5.0",
    "--1",
    "-",
    "NaN",
    "Infinity",
    "1_0",
    "\\u0031\\u0030x",
];

#[tokio::test]
async fn major_units_have_the_currencys_decimals() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let text = |amount: &str, currency: &str, expected: &str| {
        money("major", &format!("\"{amount}\""), currency, expected)
    };
    let mut cases = vec![
        text("10.50", "USD", "200"),
        text("10.5", "USD", "200"),
        text("10", "USD", "200"),
        text("1.001", "USD", "too_many_decimals"),
        text("1.000", "USD", "too_many_decimals"),
        text("10.50", "JPY", "too_many_decimals"),
        text("10.0", "JPY", "too_many_decimals"),
        text("10", "JPY", "200"),
        text("1.234", "KWD", "200"),
        text("1.2345", "KWD", "too_many_decimals"),
        text("1.2345", "CLF", "200"),
        text("1.23456", "CLF", "too_many_decimals"),
        text("0.01", "USD", "200"),
        text("0.00", "USD", "zero"),
        text("0", "USD", "zero"),
        text("-1.00", "USD", "negative"),
        text("-0", "USD", "minus_zero"),
        text("-0.00", "USD", "minus_zero"),
        text("90071992547409.91", "USD", "200"),
        text("90071992547409.92", "USD", "too_large"),
        text("9007199254740991", "USD", "too_large"),
        text("184467440737095516.17", "USD", "too_large"),
        text("99999999999999999999999", "JPY", "too_large"),
        money("major", "10", "USD", "not_a_string"),
        money("major", "10.50", "USD", "not_a_string"),
        money("major", "null", "USD", "not_a_string"),
    ];
    cases.extend(ODD_AMOUNTS.iter().map(|odd| text(odd, "USD", "not_an_amount")));
    let configuration = rules(&[amount_rule("major", json!({"unit": "major"}))]);
    judge_both_ways(&tools, &configuration, &cases).await
}

#[tokio::test]
async fn major_units_may_be_numbers_and_have_limits_in_minor_units() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let number = |amount: &str, currency: &str, expected: &str| money("number", amount, currency, expected);
    let capped = |amount: &str, currency: &str, expected: &str| {
        money("capped", &format!("\"{amount}\""), currency, expected)
    };
    let mut cases = vec![
        number("10.50", "USD", "200"),
        number("10", "JPY", "200"),
        number("1.001", "USD", "too_many_decimals"),
        number("10.50", "JPY", "too_many_decimals"),
        number("0.00", "USD", "zero"),
        number("-0.00", "USD", "minus_zero"),
        number("1e400", "USD", &malformed("number_range")),
        money("number", "\"10.50\"", "USD", "not_a_number"),
        capped("0.50", "USD", "200"),
        capped("0.49", "USD", "too_small"),
        capped("1000.00", "USD", "200"),
        capped("1000.01", "USD", "above_cap"),
        capped("100000", "JPY", "200"),
        capped("100001", "JPY", "above_cap"),
        capped("100.000", "KWD", "200"),
        capped("100.001", "KWD", "above_cap"),
    ];
    for odd in ["1e2", "1E2", "1.5e1", "10e-1"] {
        cases.push(number(odd, "USD", "not_an_amount"));
    }
    let configuration = rules(&[
        amount_rule("number", json!({"unit": "major", "form": "number"})),
        amount_rule("capped", json!({"unit": "major", "min": 50, "max": 100_000})),
    ]);
    judge_both_ways(&tools, &configuration, &cases).await
}

#[tokio::test]
async fn minor_units_may_be_text_and_zero_where_the_rule_says_so() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let configuration = rules(&[
        amount_rule("text", json!({"form": "string"})),
        amount_rule("free", json!({"min": 0})),
        amount_rule("free-major", json!({"min": 0, "unit": "major"})),
    ]);
    let mut cases = vec![
        money("text", "\"100\"", "USD", "200"),
        money("text", "100", "USD", "not_a_string"),
        money("text", "\"10.0\"", "USD", "not_an_integer"),
        money("text", "\"0\"", "USD", "zero"),
        money("text", "\"9007199254740991\"", "USD", "200"),
        money("text", "\"9007199254740992\"", "USD", "too_large"),
        money("text", "\"99999999999999999999999999\"", "USD", "too_large"),
        money("free", "0", "USD", "200"),
        money("free", "-0", "USD", "minus_zero"),
        money("free", "0.0", "USD", "not_an_integer"),
        money("free", "-1", "USD", "negative"),
        money("free-major", "\"0.00\"", "USD", "200"),
        money("free-major", "\"-0.00\"", "USD", "minus_zero"),
        money("free-major", "\"0.000\"", "USD", "too_many_decimals"),
        money("free", "1", "VES", "200"),
    ];
    for odd in ["0100", "00", "１００", "١٠٠", " 100", "100 ", "+100", "1e2", "", "1_0", "0x1"] {
        cases.push(money("text", &format!("\"{odd}\""), "USD", "not_an_amount"));
    }
    judge_both_ways(&tools, &configuration, &cases).await
}
