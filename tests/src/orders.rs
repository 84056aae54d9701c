//! Bodies of orders.

use serde_json::{Value, json};

/// The seed system's order, for this user.
pub fn seed(user: &str) -> Value {
    json!({
        "userId": user,
        "items": [{"id": "item456", "quantity": 1, "price": 100}],
        "totalAmount": 100,
        "paymentMethod": "credit_card"
    })
}

/// The seed system's order as text, with each `(from, to)` replaced: for bodies that no JSON value can hold.
pub fn seed_text(user: &str, replacements: &[(&str, &str)]) -> String {
    let text = format!(
        r#"{{"userId":"{user}","items":[{{"id":"item456","quantity":1,"price":100}}],"totalAmount":100,"paymentMethod":"credit_card"}}"#
    );
    replacements.iter().fold(text, |text, (from, to)| text.replace(from, to))
}
