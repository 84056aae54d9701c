//! Every row of what the amount filter must refuse, by the real module in a real Envoy: the answer, and that the service
//! behind saw nothing of it.

mod amounts;
mod bodies;
mod fields;
mod limits;
mod paths;
mod several;
mod upgrades;

use tests::amount::{Case, ORDERS, order};
use tests::post::Post;

/// An order with these texts replaced, and what must become of it.
fn order_case(name: &str, replacements: &[(&str, &str)], expected: &str) -> Case {
    Case::new(name, Post::json(ORDERS, order(replacements)), expected)
}

/// The total of an order is this.
fn total(value: &str, expected: &str) -> Case {
    order_case(
        &format!("a total of {value}"),
        &[(r#""totalAmount":100"#, &format!(r#""totalAmount":{value}"#))],
        expected,
    )
}
