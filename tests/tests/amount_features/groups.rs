//! Arrays in arrays: each total goes with its own lines, each currency with its own amounts.

use anyhow::Result;
use serde_json::{Value, json};
use tests::amount::{Case, Tools, invalid, judge_both_ways, rules};
use tests::post::Post;

use super::case;

fn batch() -> Value {
    json!({
        "name": "batch",
        "match": {"methods": ["POST"], "path": {"exact": "/batch"}},
        "currency": {"pointer": "/orders/*/currency", "default": "USD"},
        "amounts": [
            {"pointer": "/orders/*/total", "max": 1000, "caps": {"JPY": 100_000}},
            {"pointer": "/orders/*/lines/*/price"},
            {"pointer": "/orders/*/lines/*/taxes/*", "optional": true},
        ],
        "counts": [{"pointer": "/orders/*/lines/*/count", "max": 9}],
        "arrays": [{"pointer": "/orders", "max": 50}, {"pointer": "/orders/*/lines", "max": 3}],
        "sums": [{
            "total": "/orders/*/total",
            "items": {"price": "/orders/*/lines/*/price", "quantity": "/orders/*/lines/*/count"},
            "plus": ["/orders/*/lines/*/taxes/*"],
        }],
    })
}

fn line(price: i64, count: i64) -> Value {
    json!({"price": price, "count": count})
}

fn order(total: i64, lines: &[Value]) -> Value {
    json!({"total": total, "lines": lines})
}

fn of(orders: &[Value]) -> Value {
    json!({"orders": orders})
}

#[tokio::test]
async fn each_total_is_that_of_its_own_lines() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let good = order(5, &[line(1, 2), line(3, 1)]);
    let taxed = json!({"total": 9, "lines": [{"price": 1, "count": 2, "taxes": [3, 4]}]});
    let yen = json!({"total": 90_000, "currency": "JPY", "lines": [line(90_000, 1)]});
    let many: Vec<_> = (1..=50).map(|number| order(number, &[line(number, 1)])).collect();
    let mut one_wrong = many.clone();
    one_wrong[37]["total"] = 1.into();
    let cases = [
        case("/batch", &of(std::slice::from_ref(&good)), "200"),
        case("/batch", &of(&[good.clone(), taxed.clone(), yen.clone()]), "200"),
        case("/batch", &of(&many), "200"),
        case("/batch", &of(&one_wrong), &invalid("sum_mismatch", "/orders/37/total")),
        // Right over all, wrong in each.
        case(
            "/batch",
            &of(&[order(4, &[line(5, 1)]), order(6, &[line(5, 1)])]),
            "422 invalid-amount: sum_mismatch /orders/0/total, sum_mismatch /orders/1/total",
        ),
        case(
            "/batch",
            &of(&[good.clone(), order(1001, &[line(1001, 1)])]),
            &invalid("above_cap", "/orders/1/total"),
        ),
        case(
            "/batch",
            &of(&[yen, order(90_000, &[line(90_000, 1)])]),
            &invalid("above_cap", "/orders/1/total"),
        ),
        case(
            "/batch",
            &of(&[good.clone(), order(5, &[line(5, 1), line(0, 1)])]),
            &invalid("zero", "/orders/1/lines/1/price"),
        ),
    ];
    judge_both_ways(&tools, &rules(&[batch()]), &cases).await
}

#[tokio::test]
async fn faults_have_the_place_in_their_group() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let good = order(1, &[line(1, 1)]);
    let with = |second: Value| of(&[good.clone(), second]);
    let cases = [
        case("/batch", &with(order(1, &[])), &invalid("out_of_range", "/orders/1/lines")),
        case("/batch", &with(order(4, &vec![line(1, 1); 4])), &invalid("out_of_range", "/orders/1/lines")),
        case("/batch", &with(json!({"total": 1})), &invalid("missing", "/orders/1/lines")),
        case("/batch", &with(json!({"lines": [line(1, 1)]})), &invalid("missing", "/orders/1/total")),
        case(
            "/batch",
            &with(order(1, &[json!({"price": 1})])),
            &invalid("missing", "/orders/1/lines/0/count"),
        ),
        case("/batch", &with(order(1, &[json!([])])), &invalid("not_an_object", "/orders/1/lines/0")),
        case(
            "/batch",
            &with(json!({"total": 1, "lines": {"0": line(1, 1)}})),
            &invalid("not_an_array", "/orders/1/lines"),
        ),
        case("/batch", &with(json!(7)), &invalid("not_an_object", "/orders/1")),
        case("/batch", &json!({"orders": {"0": good}}), &invalid("not_an_array", "/orders")),
        case(
            "/batch",
            &with(json!({"total": 1, "currency": "XXX", "lines": [line(1, 1)]})),
            &invalid("unknown_currency", "/orders/1/currency"),
        ),
        case(
            "/batch",
            &with(json!({"total": 1, "lines": [{"price": 1, "count": 1, "x": 0}]})),
            &invalid("unknown_field", "/orders/1/lines/0/x"),
        ),
        case(
            "/batch",
            &with(json!({"total": 1, "lines": [{"price": 1, "count": 1, "taxes": [0]}]})),
            &invalid("zero", "/orders/1/lines/0/taxes/0"),
        ),
        case("/batch", &json!({"orders": vec![json!("x"); 15_000]}), &invalid("out_of_range", "/orders")),
    ];
    judge_both_ways(&tools, &rules(&[batch()]), &cases).await
}

/// The order of members says nothing: a currency behind its amounts counts for them.
#[tokio::test]
async fn members_come_in_any_order() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let text = |body: &str, expected: &str| Case::new(body, Post::json("/batch", body), expected);
    let cases = [
        text(r#"{"orders":[{"lines":[{"count":1,"price":90000}],"total":90000,"currency":"JPY"}]}"#, "200"),
        text(r#"{"orders":[{"currency":"JPY","total":90000,"lines":[{"price":90000,"count":1}]}]}"#, "200"),
        text(
            r#"{"orders":[{"total":90000,"lines":[{"price":90000,"count":1}]},{"currency":"JPY","total":1,"lines":[{"count":1,"price":1}]}]}"#,
            &invalid("above_cap", "/orders/0/total"),
        ),
        text(
            r#"{"orders":[{"currency":"JPY","total":1,"lines":[{"count":1,"price":1}]},{"total":90000,"lines":[{"price":90000,"count":1}]}]}"#,
            &invalid("above_cap", "/orders/1/total"),
        ),
    ];
    judge_both_ways(&tools, &rules(&[batch()]), &cases).await
}
