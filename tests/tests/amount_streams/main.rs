//! However a body comes, the verdict is the same, and what passes arrives as it was sent.

mod aborts;
mod methods;
mod pieces;
mod several;
mod untouched;

use serde_json::{Value, json};
use tests::amount::{amount_rule, order_rule, rules};

/// The order's rule, and one of a small body at `/pay`.
fn configuration() -> Value {
    rules(&[order_rule(), amount_rule("pay", json!({"max": 100}))])
}

/// Where small bodies go.
const PAY: &str = "/pay";
/// Small bodies and their verdicts.
const SMALL: [(&str, &str); 4] = [
    (r#"{"amount":12,"currency":"USD"}"#, "200"),
    (r#"{"amount":0,"currency":"USD"}"#, "422 invalid-amount: zero /amount"),
    (r#"{"amount":1,"\u0061mount":2,"currency":"USD"}"#, "400 malformed-body: duplicate_key"),
    (r#"{"amount":1,"currency":"é"}"#, "422 invalid-amount: unknown_currency /currency"),
];
