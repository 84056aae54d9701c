//! Configurations, and bodies for them.

use serde_json::{Value, json};

/// A configuration of these rules.
pub fn rules(rules: &[Value]) -> Value {
    json!({"rules": rules})
}

/// The rule of FinPay's orders.
pub fn order_rule() -> Value {
    let cap = 100_000_000;
    json!({
        "name": "order-create",
        "match": {"methods": ["POST"], "path": {"exact": "/order/create"}},
        "currency": {"pointer": "/currency", "default": "USD", "allowed": ["USD", "EUR", "GBP", "JPY", "KWD"]},
        "amounts": [
            {"pointer": "/totalAmount", "min": 1, "caps": {"USD": cap, "EUR": cap, "GBP": cap, "JPY": cap, "KWD": cap}},
            {"pointer": "/items/*/price", "min": 1},
        ],
        "counts": [{"pointer": "/items/*/quantity", "min": 1, "max": 1000}],
        "arrays": [{"pointer": "/items", "min": 1, "max": 100}],
        "sums": [{"total": "/totalAmount", "items": {"price": "/items/*/price", "quantity": "/items/*/quantity"}}],
        "fields": ["/userId", "/items/*/id", "/paymentMethod"],
    })
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
