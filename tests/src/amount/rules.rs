//! Configurations, and bodies for them.

use serde_json::{Value, json};

/// A configuration of these rules.
pub fn rules(rules: &[Value]) -> Value {
    json!({"rules": rules})
}

/// The rule of FinPay's orders, as their service holds it.
///
/// # Panics
/// If the file is no JSON.
pub fn order_rule() -> Value {
    let file = include_str!("../../../services/order/src/amount-rule.json");
    serde_json::from_str::<Value>(file).expect("JSON")["rules"][0].take()
}

/// An order that passes.
pub const ORDER: &str = r#"{"userId":"u","items":[{"id":"i","quantity":1,"price":100}],"totalAmount":100,"paymentMethod":"credit_card"}"#;

/// Where orders go.
pub const ORDERS: &str = "/order/create";

/// The order with these texts replaced, each once.
///
/// # Panics
/// Where one of them is not in it.
pub fn order(replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(ORDER.to_owned(), |body, (from, to)| {
        assert!(body.contains(from), "{from} is not in {body}");
        body.replacen(from, to, 1)
    })
}

/// A rule of one amount at `/amount`, on this path, with these members besides.
pub fn amount_rule(name: &str, amount: Value) -> Value {
    let mut amount = amount;
    amount["pointer"] = "/amount".into();
    json!({
        "name": name,
        "match": {"methods": ["POST"], "path": {"exact": format!("/{name}")}},
        "currency": {"pointer": "/currency"},
        "amounts": [amount],
    })
}
