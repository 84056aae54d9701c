//! What the amounts of one body must be to each other.

use anyhow::Result;
use serde_json::{Value, json};
use tests::amount::{Case, Tools, invalid, judge_both_ways, rules};

use super::case;

fn rule(name: &str, members: Value) -> Value {
    let mut rule = members;
    rule["name"] = name.into();
    rule["match"] = json!({"methods": ["POST"], "path": {"exact": format!("/{name}")}});
    if rule.get("currency").is_none() {
        rule["currency"] = json!({"fixed": "USD"});
    }
    rule
}

fn invoice() -> Value {
    let optional = |pointer: &str| json!({"pointer": pointer, "optional": true, "min": 0});
    rule(
        "invoice",
        json!({
            "amounts": [
                {"pointer": "/total", "min": 0}, optional("/tax"), optional("/tip"), optional("/discount"),
                {"pointer": "/lines/*/price"}, optional("/fees/*"),
            ],
            "counts": [{"pointer": "/lines/*/count", "max": 10}],
            "sums": [{
                "total": "/total",
                "items": {"price": "/lines/*/price", "quantity": "/lines/*/count"},
                "plus": ["/tax", "/tip", "/fees/*"],
                "minus": ["/discount"],
            }],
        }),
    )
}

#[tokio::test]
async fn a_total_is_its_parts_less_what_is_taken_off() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let lines = json!([{"price": 100, "count": 2}, {"price": 7, "count": 1}]);
    let of = |total: i64, more: &Value| {
        let mut body = json!({"total": total, "lines": lines});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let wrong = invalid("sum_mismatch", "/total");
    let most = 9_007_199_254_740_991_i64;
    let cases = [
        case("/invoice", &of(207, &json!({})), "200"),
        case("/invoice", &of(206, &json!({})), &wrong),
        case("/invoice", &of(217, &json!({"tax": 10})), "200"),
        case("/invoice", &of(207, &json!({"tax": 10})), &wrong),
        case("/invoice", &of(219, &json!({"tax": 10, "tip": 5, "discount": 3})), "200"),
        case("/invoice", &of(222, &json!({"tax": 10, "tip": 5, "discount": 3})), &wrong),
        case("/invoice", &of(0, &json!({"discount": 207})), "200"),
        case("/invoice", &of(0, &json!({"discount": 208})), &wrong),
        case("/invoice", &of(210, &json!({"fees": [1, 2]})), "200"),
        case("/invoice", &of(209, &json!({"fees": [1, 2]})), &wrong),
        case("/invoice", &of(207, &json!({"fees": []})), "200"),
        case("/invoice", &of(most, &json!({"tax": most})), &wrong),
        // An unsound part is told alone: there is nothing to compare.
        case("/invoice", &of(1, &json!({"tax": -1})), &invalid("negative", "/tax")),
        case("/invoice", &of(1, &json!({"fees": [1, "2"]})), &invalid("not_a_number", "/fees/1")),
        case("/invoice", &of(1, &json!({"fees": 3})), &invalid("not_an_array", "/fees")),
        case("/invoice", &json!({"total": 0, "lines": []}), "200"),
    ];
    judge_both_ways(&tools, &rules(&[invoice()]), &cases).await
}

#[tokio::test]
async fn no_sum_wraps() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let counted = rule(
        "counted",
        json!({
            "amounts": [{"pointer": "/total"}, {"pointer": "/lines/*/price"}],
            "counts": [{"pointer": "/lines/*/count", "max": 9_007_199_254_740_991_i64}],
            "sums": [{"total": "/total", "items": {"price": "/lines/*/price", "quantity": "/lines/*/count"}}],
        }),
    );
    let most = 9_007_199_254_740_991_i64;
    let of = |price: i64, count: i64, lines: usize| json!({"total": 1, "lines": vec![json!({"price": price, "count": count}); lines]});
    let overflow = invalid("overflow", "/lines");
    let cases = [
        // 2^32 x 2^32 is 2^64: 0 in 64 bits, and a total of 1 with one line of 1.
        case("/counted", &of(1 << 32, 1 << 32, 1), &overflow),
        case(
            "/counted",
            &json!({"total": 1, "lines": [{"price": 1_i64 << 32, "count": 1_i64 << 32}, {"price": 1, "count": 1}]}),
            &overflow,
        ),
        case("/counted", &of(1 << 31, 1 << 32, 1), &overflow),
        case("/counted", &of(most, 1024, 1), &invalid("sum_mismatch", "/total")),
        case("/counted", &of(most, 1025, 1), &overflow),
        case("/counted", &of(most, 512, 2), &invalid("sum_mismatch", "/total")),
        case("/counted", &of(most, 512, 3), &overflow),
        case("/counted", &of(most, most, 2), &overflow),
    ];
    judge_both_ways(&tools, &rules(&[counted]), &cases).await
}

fn refund() -> Value {
    rule(
        "refund",
        json!({
            "currency": {"pointer": "/currency"},
            "amounts": [
                {"pointer": "/refund"},
                {"pointer": "/captured", "optional": true, "unit": "major"},
                {"pointer": "/parts/*/amount", "optional": true},
                {"pointer": "/parts/*/limit", "optional": true},
            ],
            "atMost": [
                {"amount": "/refund", "limit": "/captured"},
                {"amount": "/parts/*/amount", "limit": "/parts/*/limit"},
                {"amount": "/parts/*/amount", "limit": "/refund"},
            ],
        }),
    )
}

#[tokio::test]
async fn an_amount_is_at_most_another() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let of = |refund: i64, captured: &str, currency: &str| json!({"refund": refund, "captured": captured, "currency": currency});
    let parts = |parts: Value| json!({"refund": 100, "currency": "USD", "parts": parts});
    let above = invalid("above_limit", "/refund");
    let cases = [
        case("/refund", &of(1000, "10.00", "USD"), "200"),
        case("/refund", &of(1001, "10.00", "USD"), &above),
        case("/refund", &of(11, "10", "JPY"), &above),
        case("/refund", &of(10_000, "10", "KWD"), "200"),
        case("/refund", &json!({"refund": 9_007_199_254_740_991_i64, "currency": "USD"}), "200"),
        case("/refund", &parts(json!([{"amount": 5, "limit": 5}, {"amount": 7}, {"limit": 1}])), "200"),
        case(
            "/refund",
            &parts(json!([{"amount": 5, "limit": 5}, {"amount": 7, "limit": 6}])),
            &invalid("above_limit", "/parts/1/amount"),
        ),
        case("/refund", &parts(json!([{"amount": 101}])), &invalid("above_limit", "/parts/0/amount")),
        // Each with the limit of its own item.
        case(
            "/refund",
            &parts(json!([{"amount": 1, "limit": 100}, {"amount": 2, "limit": 1}])),
            &invalid("above_limit", "/parts/1/amount"),
        ),
    ];
    judge_both_ways(&tools, &rules(&[refund()]), &cases).await
}

#[tokio::test]
async fn currencies_do_not_mix() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let transfer = rule(
        "transfer",
        json!({
            "sameCurrency": true,
            "amounts": [
                {"pointer": "/total", "currency": {"pointer": "/currency"}},
                {"pointer": "/legs/*/amount", "currency": {"pointer": "/legs/*/currency"}},
            ],
            "sums": [{"total": "/total", "items": {"price": "/legs/*/amount"}}],
        }),
    );
    let apart = rule(
        "apart",
        json!({
            "amounts": [{"pointer": "/legs/*/amount", "currency": {"pointer": "/legs/*/currency"}, "caps": {"JPY": 1000}, "max": 10}],
        }),
    );
    let of = |total: i64, legs: Value| json!({"total": total, "currency": "USD", "legs": legs});
    let leg = |amount: i64, currency: &str| json!({"amount": amount, "currency": currency});
    let mut cases: Vec<Case> = vec![
        case("/transfer", &of(3, json!([leg(1, "USD"), leg(2, "USD")])), "200"),
        case("/transfer", &of(4, json!([leg(1, "USD"), leg(2, "USD")])), &invalid("sum_mismatch", "/total")),
        case("/apart", &json!({"legs": [leg(1000, "JPY"), leg(10, "USD")]}), "200"),
        case(
            "/apart",
            &json!({"legs": [leg(1001, "JPY"), leg(10, "USD")]}),
            &invalid("above_cap", "/legs/0/amount"),
        ),
        // Each amount with the currency of its own item.
        case(
            "/apart",
            &json!({"legs": [leg(10, "USD"), leg(1000, "USD"), leg(1000, "JPY")]}),
            &invalid("above_cap", "/legs/1/amount"),
        ),
        case("/apart", &json!({"legs": [{"amount": 1}]}), &invalid("missing", "/legs/0/currency")),
    ];
    let mixed = of(3, json!([leg(1, "USD"), leg(2, "EUR")]));
    cases.push(case("/transfer", &mixed, &invalid("currency_mismatch", "/legs/1/currency")));
    judge_both_ways(&tools, &rules(&[transfer, apart]), &cases).await
}
