//! More than one fault, more than one rule, and what is never repeated.

use anyhow::Result;
use serde_json::json;
use tests::amount::{
    Case, ORDER, ORDERS, Tools, WAYS, amount_rule, invalid, judge_both_ways, malformed, order, order_rule,
    rules,
};
use tests::post::Post;

use super::order_case;

const TOTAL: &str = r#""totalAmount":100"#;
const CARD: &str = "4111111111111111";

#[tokio::test]
async fn all_faults_are_told_at_once() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let two = r#"{"userId":"u","items":[{"id":"i","quantity":0,"price":-1},{"id":"j","price":1.5,"tax":1}],"totalAmount":0,"currency":"XXX"}"#;
    let cases = [
        Case::new(
            "a currency, amounts, counts and a field",
            Post::json(ORDERS, two),
            "422 invalid-amount: unknown_currency /currency, zero /totalAmount, negative /items/0/price, \
             not_an_integer /items/1/price, out_of_range /items/0/quantity, missing /items/1/quantity, \
             unknown_field /items/1/tax",
        ),
        Case::new(
            "nothing of what must be there",
            Post::json(ORDERS, "{}"),
            "422 invalid-amount: missing /items, missing /totalAmount",
        ),
        order_case(
            "a wrong sum and a field",
            &[(TOTAL, r#""totalAmount":7,"tip":1"#)],
            "422 invalid-amount: sum_mismatch /totalAmount, unknown_field /tip",
        ),
        Case::new(
            "a fault of the text hides those of the meaning",
            Post::json(ORDERS, format!("{}{{", order(&[(TOTAL, r#""totalAmount":-7"#)]))),
            "400 malformed-body: trailing_data",
        ),
        Case::new(
            "a fault of the header fields hides those of the body",
            Post::json(ORDERS, "{").content_type("text/plain"),
            "415 unsupported-media-type: content_type",
        ),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn every_rule_of_a_route_is_judged() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let on = |name: &str, path: serde_json::Value, amount: serde_json::Value| {
        let mut rule = amount_rule(name, amount);
        rule["match"]["path"] = path;
        rule
    };
    let wide = on("wide", json!({"exact": "/pay"}), json!({"max": 1000}));
    let mut narrow = on("narrow", json!({"prefix": "/pay"}), json!({"max": 100}));
    narrow["unknownFields"] = "allow".into();
    narrow["currency"] = json!({"pointer": "/currency", "allowed": ["USD"]});
    let mut other = on("other", json!({"prefix": "/"}), json!({"max": 100_000}));
    other["amounts"][0]["pointer"] = "/fee".into();
    other["amounts"][0]["optional"] = true.into();
    other["unknownFields"] = "allow".into();
    other["maxBodyBytes"] = 300.into();
    let case = |body: serde_json::Value, expected: &str| {
        Case::new(body.to_string(), Post::json("/pay", body.to_string()), expected)
    };
    let mut cases = vec![
        case(json!({"amount": 100, "currency": "USD"}), "200"),
        case(json!({"amount": 101, "currency": "USD"}), &invalid("above_cap", "/amount")),
        // Two rules say it, it is told once.
        case(json!({"amount": 0, "currency": "USD"}), &invalid("zero", "/amount")),
        case(json!({"currency": "USD"}), &invalid("missing", "/amount")),
        case(json!({"amount": 100, "currency": "EUR"}), &invalid("unknown_currency", "/currency")),
        case(json!({"amount": 100, "currency": "USD", "x": 1}), &invalid("unknown_field", "/x")),
        case(
            json!({"amount": 100, "currency": "USD", "fee": -1}),
            "422 invalid-amount: unknown_field /fee, negative /fee",
        ),
    ];
    // The smallest of their limits.
    let long = format!(r#"{{"amount":100,"currency":"USD"}}{}"#, " ".repeat(300));
    cases.push(Case::new(
        "more than the smallest limit",
        Post::json("/pay", long),
        "413 body-too-large: too_large_body",
    ));
    judge_both_ways(&tools, &rules(&[wide, narrow, other]), &cases).await
}

/// What is no JSON for one of the rules decides the status, in whichever order they stand.
#[tokio::test]
async fn the_status_does_not_depend_on_the_rules_order() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let on = |name: &str, depth: u64| {
        let mut rule = amount_rule(name, json!({}));
        rule["match"]["path"]["exact"] = "/pay".into();
        rule["maxDepth"] = depth.into();
        rule["unknownFields"] = "allow".into();
        rule
    };
    let (deep, shallow) = (on("deep", 64), on("shallow", 2));
    for pair in [[&deep, &shallow], [&shallow, &deep]] {
        let case = |amount: i64, fields: &str, expected: &str| {
            let body = format!(r#"{{"amount":{amount},"currency":"USD",{fields}}}"#);
            Case::new(
                format!("{}, then {}: {body}", pair[0]["name"], pair[1]["name"]),
                Post::json("/pay", body),
                expected,
            )
        };
        let cases = [
            case(1, r#""x":[0]"#, "200"),
            case(-1, r#""x":[0]"#, &invalid("negative", "/amount")),
            case(1, r#""x":[[0]]"#, &malformed("too_deep")),
            case(-1, r#""x":[[0]]"#, "400 malformed-body: too_deep, negative /amount"),
        ];
        judge_both_ways(&tools, &rules(&pair.map(Clone::clone)), &cases).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_told_only_where_it_looks_like_a_name() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let field = |key: &str, pointer: &str| {
        order_case(key, &[(TOTAL, &format!(r#"{TOTAL},"{key}":1"#))], &invalid("unknown_field", pointer))
    };
    let long = "x".repeat(65);
    let cases = [
        field("tip", "/tip"),
        field("gift_card-code", "/gift_card-code"),
        field("\\u0074ip", "/tip"),
        field(CARD, ""),
        field("4111 1111 1111 1111", ""),
        field("card 4111-1111-1111-1111", ""),
        field("a/b", ""),
        field("~", ""),
        field("", ""),
        field("<script>", ""),
        field("e\u{e9}", ""),
        field("\\u0000", ""),
        field(&long, ""),
        order_case(
            "in an item",
            &[(r#""price":100"#, &format!(r#""price":100,"{CARD}":1"#))],
            &invalid("unknown_field", "/items/0"),
        ),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn a_card_number_is_never_repeated() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let text = format!("\"{CARD}\"");
    let places = [
        ("\"u\"", text.as_str()),
        ("\"u\"", CARD),
        ("\"i\"", "[4111111111111111]"),
        ("\"quantity\":1", "\"quantity\":4111111111111111"),
        ("\"quantity\":1", "\"quantity\":\"4111111111111111\""),
        ("\"price\":100", "\"price\":\"4111111111111111\""),
        (TOTAL, "\"totalAmount\":\"4111111111111111\""),
        (TOTAL, "\"totalAmount\":4111111111111111"),
        (TOTAL, "\"totalAmount\":4111111111111111.5"),
        (TOTAL, "\"totalAmount\":100,\"4111111111111111\":1"),
        (TOTAL, "\"totalAmount\":100,\"4111111111111111\":1,\"4111111111111111\":1"),
        (TOTAL, "\"totalAmount\":100,\"currency\":\"4111111111111111\""),
        (TOTAL, "\"totalAmount\":100,\"currency\":4111111111111111"),
        (TOTAL, "\"totalAmount\":4111111111111111x"),
        ("\"credit_card\"}", "\"credit_card\"}4111111111111111"),
        ("\"credit_card\"", "\"4111111111111111"),
        ("[{\"id\"", "4111111111111111,[{\"id\""),
    ];
    for way in WAYS {
        let stand = tools.start(&rules(&[order_rule()]), way).await?;
        for place in places {
            // Beside it something that is refused in any case.
            let body = order(&[place]).replacen("\"userId\"", "\"coupon\":0,\"userId\"", 1);
            let reply = stand.send(&Post::json(ORDERS, &*body)).await?;
            assert!([400, 422].contains(&reply.status), "{body}: {reply:?}");
            assert!(!reply.mentions("4111"), "{body}: {reply:?}");
        }
        for post in [
            Post::json(ORDERS, ORDER).content_type(CARD),
            Post::json(ORDERS, ORDER).with("content-encoding", CARD),
            Post::json(ORDERS, "").with("content-length", CARD).framed(tests::post::Framing::Own),
        ] {
            let reply = stand.send(&post).await?;
            assert!([413, 415].contains(&reply.status) && !reply.mentions("4111"), "{reply:?}");
        }
        assert!(!stand.envoy.log()?.contains("4111"), "nor in the log");
    }
    Ok(())
}
