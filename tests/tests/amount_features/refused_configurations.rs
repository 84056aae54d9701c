//! A configuration that is not right opens no listener, and the log names the place.

use anyhow::Result;
use serde_json::{Value, json};
use tests::amount::{ORDER, ORDERS, Tools, Way, amount_rule, order_rule, rules};
use tests::envoy::Options;
use tests::jwt::with;
use tests::post::Post;
use tests::wait::until;

/// A rule of one amount with these members of it.
fn amount(changes: Value) -> Value {
    rules(&[amount_rule("pay", changes)])
}

/// The order's rule with these members in place of its own.
fn order(changes: &Value) -> Value {
    rules(&[with(order_rule(), changes)])
}

fn of_routes_and_limits() -> Vec<(&'static str, Value)> {
    let matches = |matches: Value| order(&json!({"match": matches}));
    let path = json!({"exact": "/a"});
    vec![
        ("rules", json!({"rules": []})),
        ("rules", rules(&vec![order_rule(); 65])),
        ("rules[0].nmae", order(&json!({"nmae": "x"}))),
        ("rules[0].name", order(&json!({"name": "Order"}))),
        ("rules[0].name", order(&json!({"name": ""}))),
        ("rules[1].name", rules(&[order_rule(), order_rule()])),
        ("rules[0].match.methods", matches(json!({"path": path}))),
        ("rules[0].match.methods", matches(json!({"methods": [], "path": path}))),
        ("rules[0].match.methods", matches(json!({"methods": ["post"], "path": path}))),
        ("rules[0].match.path", matches(json!({"methods": ["POST"], "path": "/a"}))),
        ("rules[0].match.path.exact", matches(json!({"methods": ["POST"], "path": {"exact": "/a//b"}}))),
        (
            "rules[0].match.path",
            matches(json!({"methods": ["POST"], "path": {"exact": "/a", "prefix": "/b"}})),
        ),
        (
            "rules[0].match.hosts[0]",
            matches(json!({"methods": ["POST"], "path": path, "hosts": ["A.example"]})),
        ),
        ("rules[0].maxBodyBytes", order(&json!({"maxBodyBytes": 0}))),
        ("rules[0].maxBodyBytes", order(&json!({"maxBodyBytes": 1_048_577}))),
        ("rules[0].maxDepth", order(&json!({"maxDepth": 65}))),
        ("rules[0].unknownFields", order(&json!({"unknownFields": "ignore"}))),
        ("rules[0].dryRun", order(&json!({"dryRun": "yes"}))),
        ("dryRunHeader", with(order(&json!({})), &json!({"dryRunHeader": "a b"}))),
        ("maxBodyBytes", with(order(&json!({})), &json!({"maxBodyBytes": 1}))),
    ]
}

fn of_amounts() -> Vec<(&'static str, Value)> {
    let lift = |lift: Value| amount(json!({"max": 100, "lift": lift}));
    let capped = |caps: Value| amount(json!({"caps": caps}));
    let pointer = |pointer: &str| {
        let mut rule = amount_rule("pay", json!({}));
        rule["amounts"][0]["pointer"] = pointer.into();
        rules(&[rule])
    };
    let currency =
        |currency: Value| rules(&[with(amount_rule("pay", json!({})), &json!({"currency": currency}))]);
    vec![
        ("rules[0].amounts", order(&json!({"amounts": []}))),
        ("rules[0].amounts[0].maximum", amount(json!({"maximum": 1}))),
        ("rules[0].amounts[0].pointer", pointer("amount")),
        ("rules[0].amounts[0].pointer", pointer("/a~2")),
        ("rules[0].amounts[0].pointer", pointer("/items/0/price")),
        ("rules[0].amounts[0].pointer", pointer("/*/*/*/*/a")),
        ("rules[0].amounts[0].pointer", pointer("")),
        ("rules[0].amounts[0].pointer", pointer("/currency")),
        ("rules[0].amounts[0].min", amount(json!({"min": -1}))),
        ("rules[0].amounts[0].max", amount(json!({"min": 5, "max": 4}))),
        ("rules[0].amounts[0].max", amount(json!({"max": 9_007_199_254_740_992_i64}))),
        ("rules[0].amounts[0].max", amount(json!({"max": 1.5}))),
        ("rules[0].amounts[0].unit", amount(json!({"unit": "cents"}))),
        ("rules[0].amounts[0].form", amount(json!({"form": "text"}))),
        ("rules[0].amounts[0].caps", capped(json!({"USD": 100}))),
        ("rules[0].amounts[0].caps.XXX", amount(json!({"max": 1, "caps": {"XXX": 1}}))),
        ("rules[0].amounts[0].caps.HRK", amount(json!({"max": 1, "caps": {"HRK": 1}}))),
        ("rules[0].amounts[0].caps.usd", amount(json!({"max": 1, "caps": {"usd": 1}}))),
        ("rules[0].amounts[0].lift", lift(json!({"header": "x-tier", "has": "gold", "max": 99}))),
        ("rules[0].amounts[0].lift.header", lift(json!({"header": "x tier", "has": "gold", "max": 200}))),
        ("rules[0].amounts[0].lift.has", lift(json!({"header": "x-tier", "has": "a b", "max": 200}))),
        ("rules[0].currency", currency(json!({"pointer": "/currency", "fixed": "USD"}))),
        ("rules[0].currency", currency(json!({"default": "USD"}))),
        ("rules[0].currency.fixed", currency(json!({"fixed": "XAU"}))),
        ("rules[0].currency.default", currency(json!({"pointer": "/currency", "default": "HRK"}))),
        (
            "rules[0].currency.allowed[1]",
            currency(json!({"pointer": "/currency", "allowed": ["USD", "XXX"]})),
        ),
        ("rules[0].currency.allowed", currency(json!({"pointer": "/currency", "allowed": []}))),
        ("rules[0].amounts[0].currency", currency(Value::Null)),
        ("rules[0].amounts[0].pointer", currency(json!({"pointer": "/items/*/currency"}))),
    ]
}

fn of_the_rest() -> Vec<(&'static str, Value)> {
    let sum = |sum: Value| order(&json!({"sums": [sum]}));
    let twice = |list: &str| {
        let mut rule = order_rule();
        let first = rule[list][0].clone();
        if let Some(all) = rule[list].as_array_mut() {
            all.push(first);
        }
        rules(&[rule])
    };
    vec![
        ("rules[0].amounts[2].pointer", twice("amounts")),
        ("rules[0].counts[1].pointer", twice("counts")),
        ("rules[0].arrays[1].pointer", twice("arrays")),
        (
            "rules[0].counts[0].pointer",
            order(&json!({"counts": [{"pointer": "/totalAmount", "max": 1}], "sums": []})),
        ),
        (
            "rules[0].counts[0].max",
            order(&json!({"counts": [{"pointer": "/n", "min": 3, "max": 2}], "sums": []})),
        ),
        ("rules[0].counts[0]", order(&json!({"counts": [{"pointer": "/n"}], "sums": []}))),
        ("rules[0].arrays[0].pointer", order(&json!({"arrays": [{"pointer": "/totalAmount", "max": 1}]}))),
        ("rules[0].fields[0]", order(&json!({"fields": ["userId"]}))),
        ("rules[0].fields[0]", order(&json!({"fields": ["/items/id"]}))),
        ("rules[0].fields[0]", order(&json!({"fields": ["/userId/0"]}))),
        ("rules[0].sums[0].total", sum(json!({"total": "/other", "plus": ["/items/*/price"]}))),
        (
            "rules[0].sums[0].items.price",
            sum(json!({"total": "/totalAmount", "items": {"price": "/items/*/cost"}})),
        ),
        (
            "rules[0].sums[0].items.quantity",
            sum(
                json!({"total": "/totalAmount", "items": {"price": "/items/*/price", "quantity": "/items/*/n"}}),
            ),
        ),
        ("rules[0].sums[0]", sum(json!({"total": "/totalAmount"}))),
        (
            "rules[0].atMost[0].limit",
            order(&json!({"atMost": [{"amount": "/totalAmount", "limit": "/captured"}]})),
        ),
        (
            "rules[0].atMost[0].limit",
            order(&json!({"atMost": [{"amount": "/totalAmount", "limit": "/totalAmount"}]})),
        ),
        ("rules[0].verified", order(&json!({"verified": "/items/*/price"}))),
        ("rules[0].verified", order(&json!({"verified": "/other"}))),
    ]
}

#[tokio::test]
async fn a_wrong_configuration_opens_no_listener() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for (wrong, place) in [
        (order(&json!({"nmae": "x"})), "rules[0]"),
        (json!({"rules": [], "unknown": 1}), "unknown"),
        (amount(json!({"caps": {"USD": 100}})), "rules[0].amounts[0].caps"),
    ] {
        let Err(error) = tools.start(&wrong, Way::Ahead).await else { panic!("Envoy started with {wrong}") };
        let log = error.to_string();
        assert!(log.contains(&format!("pluginConfig refused: {place}")), "{place}: {log}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_change_is_refused_and_the_log_names_the_place() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let setup = Options { is_dynamic: true, ..Options::default() };
    let stand = tools.start_with(&rules(&[order_rule()]), Way::Ahead, setup).await?;
    let wrong: Vec<_> = [of_routes_and_limits(), of_amounts(), of_the_rest()].concat();
    let mut problems = Vec::new();
    for (number, (place, configuration)) in wrong.into_iter().enumerate() {
        let envoy = &stand.envoy;
        let before = envoy.log()?.len();
        envoy.change(&[tools.filter(&configuration, Way::Ahead)])?;
        until(&format!("the wrong {place} is refused: {configuration}"), async || {
            let rejected = envoy.stat("listener_manager.lds.update_rejected").await?;
            Ok((rejected > number as u64).then_some(()))
        })
        .await?;
        let log = envoy.log()?.split_off(before);
        let told = log.lines().find(|line| line.contains("pluginConfig refused"));
        let told = told.and_then(|line| Some(line.split_once("pluginConfig refused: ")?.1.to_owned()));
        // The place itself, not one that begins like it.
        let fine = told.as_ref().is_some_and(|told| {
            told.strip_prefix(place).is_some_and(|rest| rest.starts_with([':', ' ', ',']) || rest.is_empty())
        });
        problems.extend((!fine).then(|| format!("{place}: {told:?} of {configuration}")));
        assert_eq!(stand.send(&Post::json(ORDERS, ORDER)).await?.status, 200, "what ran before runs on");
        assert_eq!(stand.send(&Post::json(ORDERS, "[]")).await?.status, 422, "and still refuses");
    }
    assert!(problems.is_empty(), "{problems:#?}");
    Ok(())
}

#[tokio::test]
async fn what_is_right_is_taken() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let most: Vec<_> =
        (0..64).map(|number| with(order_rule(), &json!({"name": format!("r-{number}")}))).collect();
    for configuration in [
        rules(&most),
        order(&json!({"maxBodyBytes": 1_048_576, "maxDepth": 64, "unknownFields": "allow", "dryRun": false})),
        with(order(&json!({"verified": "/totalAmount"})), &json!({"dryRunHeader": "x-amount-dry-run"})),
    ] {
        let stand = tools.start(&configuration, Way::Held).await?;
        assert_eq!(stand.send(&Post::json(ORDERS, ORDER)).await?.status, 200);
        assert_eq!(stand.send(&Post::json(ORDERS, "[]")).await?.status, 422);
    }
    Ok(())
}
