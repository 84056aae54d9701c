//! Limits by currency, and who may go beyond them.

use anyhow::Result;
use serde_json::{Value, json};
use tests::amount::{Case, Tools, WAYS, amount_rule, assert_told, invalid, judge_both_ways, plain, rules};
use tests::post::Post;

use super::case;

const SCOPE: &str = "x-jwt-scope";

fn money(amount: i64, currency: &str) -> Value {
    json!({"amount": amount, "currency": currency})
}

#[tokio::test]
async fn each_currency_has_its_own_cap() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut closed = amount_rule("closed", json!({"caps": {"USD": 100, "JPY": 15_000}}));
    closed["currency"]["allowed"] = json!(["USD", "JPY"]);
    let open = amount_rule("open", json!({"max": 50, "caps": {"USD": 100}}));
    let mut fixed = amount_rule("fixed", json!({"caps": {"KWD": 7}}));
    fixed["currency"] = json!({"fixed": "KWD"});
    let mut default = amount_rule("default", json!({"caps": {"USD": 100, "JPY": 15_000}}));
    default["currency"] = json!({"pointer": "/currency", "default": "JPY", "allowed": ["USD", "JPY"]});
    let above = invalid("above_cap", "/amount");
    let cases = [
        case("/closed", &money(100, "USD"), "200"),
        case("/closed", &money(101, "USD"), &above),
        case("/closed", &money(15_000, "JPY"), "200"),
        case("/closed", &money(15_001, "JPY"), &above),
        case("/closed", &money(1, "EUR"), &invalid("unknown_currency", "/currency")),
        case("/closed", &json!({"amount": 1}), &invalid("missing", "/currency")),
        case("/open", &money(100, "USD"), "200"),
        case("/open", &money(101, "USD"), &above),
        case("/open", &money(50, "EUR"), "200"),
        case("/open", &money(51, "EUR"), &above),
        case("/fixed", &json!({"amount": 7}), "200"),
        case("/fixed", &json!({"amount": 8}), &above),
        case("/fixed", &money(7, "KWD"), &invalid("unknown_field", "/currency")),
        case("/default", &json!({"amount": 15_000}), "200"),
        case("/default", &json!({"amount": 15_001}), &above),
        case("/default", &money(101, "USD"), &above),
    ];
    judge_both_ways(&tools, &rules(&[closed, open, fixed, default]), &cases).await
}

fn lifted() -> Value {
    let mut rule = amount_rule(
        "pay",
        json!({"max": 100, "lift": {"header": SCOPE, "has": "payments:large", "max": 100_000}}),
    );
    rule["currency"] = json!({"fixed": "USD"});
    rule
}

#[tokio::test]
async fn a_word_in_a_header_lifts_the_limit() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let above = invalid("above_cap", "/amount");
    let with = |name: &str, value: &str, amount: i64, expected: &str| {
        let post = Post::json("/pay", json!({"amount": amount}).to_string()).with(name, value);
        Case::new(format!("{name}: {value:?} for {amount}"), post, expected)
    };
    let mut cases = vec![
        case("/pay", &json!({"amount": 100}), "200"),
        case("/pay", &json!({"amount": 101}), &above),
        with(SCOPE, "payments:large", 100_001, &above),
        with(SCOPE, "payments:large", 0, &invalid("zero", "/amount")),
    ];
    for value in [
        "payments:large",
        "orders:write payments:large",
        "payments:large,x",
        "a, payments:large, b",
        "X-Y payments:large  z",
    ] {
        cases.push(with(SCOPE, value, 100_000, "200"));
        cases.push(with("X-JWT-Scope", value, 100_000, "200"));
    }
    for value in [
        "",
        "payments",
        "payments:larger",
        "xpayments:large",
        "payments:large:x",
        "PAYMENTS:LARGE",
        "payments:large;",
        "\"payments:large\"",
        "payments:larg payments",
        "payments%3Alarge",
        "payments:large\u{a0}x",
        "not-payments:large",
    ] {
        cases.push(with(SCOPE, value, 101, &above));
    }
    for name in ["x-jwt-scopes", "x_jwt_scope", "scope", "x-jwt-sub"] {
        cases.push(with(name, "payments:large", 101, &above));
    }
    judge_both_ways(&tools, &rules(&[lifted()]), &cases).await
}

/// Two headers have no one value: whoever sent the second one could be anybody.
#[tokio::test]
async fn a_header_that_comes_twice_lifts_nothing() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let above = invalid("above_cap", "/amount");
    for way in WAYS {
        let stand = tools.start_with(&rules(&[lifted()]), way, plain()).await?;
        let large = || Post::json("/pay", r#"{"amount":101}"#);
        for (first, second) in [
            ("payments:large", "payments:large"),
            ("payments:large", "orders:write"),
            ("orders:write", "payments:large"),
            ("", "payments:large"),
            ("payments:large", ""),
        ] {
            let post = large().with(SCOPE, first).with(SCOPE, second);
            let reply = stand.send(&post).await?;
            assert_told(&reply, &above, format_args!("{first:?} and {second:?}, {way:?}"));
            let reply = stand.send_by(2, &post).await?;
            assert_told(&reply, &above, format_args!("{first:?} and {second:?}, HTTP/2"));
            let thrice = post.with("X-Jwt-Scope", "payments:large");
            let reply = stand.send(&thrice).await?;
            assert_told(&reply, &above, format_args!("three, {way:?}"));
        }
        assert_eq!(stand.upstream.seen().complete, 0);
        // What held for one request does not hold for the next one.
        let mut connection = tests::raw::Connection::open(stand.envoy.address).await?;
        for _ in 0..3 {
            let reply = connection.send(&large().with(SCOPE, "payments:large").bytes()).await?;
            assert_told(&reply, "200", "");
            let reply = connection.send(&large().bytes()).await?;
            assert_told(&reply, &above, "");
        }
        stand.is_sound().await?;
    }
    Ok(())
}

#[tokio::test]
async fn lifts_have_caps_of_their_own() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut rule = amount_rule(
        "pay",
        json!({"caps": {"USD": 100, "JPY": 10_000}, "lift": {"header": "x-tier", "has": "gold", "caps": {"USD": 500, "JPY": 10_000}}}),
    );
    rule["currency"]["allowed"] = json!(["USD", "JPY"]);
    let mut refund =
        amount_rule("refund", json!({"max": 10, "lift": {"header": "x-tier", "has": "staff", "max": 20}}));
    refund["currency"] = json!({"fixed": "USD"});
    let gold = |path: &str, body: Value, expected: &str| {
        let plain = case(path, &body, expected);
        Case { post: plain.post.with("x-tier", "gold"), ..plain }
    };
    let above = invalid("above_cap", "/amount");
    let cases = [
        gold("/pay", money(500, "USD"), "200"),
        gold("/pay", money(501, "USD"), &above),
        gold("/pay", money(10_001, "JPY"), &above),
        case("/pay", &money(101, "USD"), &above),
        gold("/refund", json!({"amount": 11}), &above),
    ];
    judge_both_ways(&tools, &rules(&[rule, refund]), &cases).await
}
