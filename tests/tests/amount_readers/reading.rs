//! A third reader, of another hand: serde's, which refuses doubled and unknown keys and reads integers exactly.

use anyhow::{Result, ensure};
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tests::bodies::money;

const CURRENCIES: [&str; 5] = ["USD", "EUR", "GBP", "JPY", "KWD"];
const METHODS: [&str; 3] = ["credit_card", "debit_card", "bank_transfer"];
const MAX_TOTAL: u64 = 100_000_000;
const MAX_EXACT: u64 = (1 << 53) - 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    user_id: String,
    items: Vec<Item>,
    total_amount: u64,
    #[serde(default = "dollars")]
    currency: String,
    payment_method: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    quantity: u64,
    price: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Charge {
    order_id: String,
    amount: u64,
    currency: String,
    payment_method: String,
}

fn dollars() -> String {
    "USD".to_owned()
}

/// What the service must read of an order, or why nothing.
pub(crate) fn order(body: &[u8]) -> Result<Value> {
    let order: Order = serde_json::from_slice(body)?;
    is_text(&order.user_id, 64)?;
    ensure!((1..=100).contains(&order.items.len()), "so many items");
    for item in &order.items {
        is_text(&item.id, 128)?;
        ensure!((1..=1000).contains(&item.quantity) && (1..=MAX_EXACT).contains(&item.price), "{}", item.id);
    }
    let sum: BigUint = order.items.iter().map(|item| BigUint::from(item.price) * item.quantity).sum();
    ensure!(sum == BigUint::from(order.total_amount), "a wrong sum");
    let total = paid(order.total_amount, &order.currency, &order.payment_method)?;
    let (user, method) = (order.user_id, order.payment_method);
    Ok(json!({"userId": user, "items": order.items, "total": total, "paymentMethod": method}))
}

/// What the service must read of a payment, or why nothing.
pub(crate) fn payment(body: &[u8]) -> Result<Value> {
    let payment: Charge = serde_json::from_slice(body)?;
    is_text(&payment.order_id, 64)?;
    let mut read = paid(payment.amount, &payment.currency, &payment.payment_method)?;
    read["orderId"] = payment.order_id.into();
    read["paymentMethod"] = payment.payment_method.into();
    Ok(read)
}

fn paid(amount: u64, currency: &str, method: &str) -> Result<Value> {
    ensure!((1..=MAX_TOTAL).contains(&amount), "{amount}");
    ensure!(CURRENCIES.contains(&currency), "{currency}");
    ensure!(METHODS.contains(&method), "{method}");
    Ok(money(amount, currency))
}

fn is_text(text: &str, limit: usize) -> Result<()> {
    ensure!((1..=limit).contains(&text.len()), "a text of {} bytes", text.len());
    Ok(())
}
