//! Orders as FinPay takes them, of a chosen size, whose items add up to their total.

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

/// Of a UUID's length; the items' are numbered.
const ID: &str = "0193f0a2-5c1e-7b7a-9d55-";

/// The body of a POST to `/order/create`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    user_id: &'static str,
    items: Vec<Item>,
    total_amount: i64,
    payment_method: &'static str,
}

#[derive(Debug, Serialize)]
struct Item {
    id: String,
    quantity: i64,
    price: i64,
}

impl Order {
    /// So many bytes, with as many items as they hold.
    pub fn of_bytes(bytes: usize) -> Result<Self> {
        let id = |number| format!("{ID}{number:012}");
        let (one, two) = (Self::with_ids((0..1).map(id)), Self::with_ids((0..2).map(id)));
        let (one, two) = (one.body()?.len(), two.body()?.len());
        let mut items =
            bytes.checked_sub(one).with_context(|| format!("{bytes} bytes hold no item"))? / (two - one) + 1;
        // The total gets longer too.
        while Self::with_ids((0..items).map(id)).body()?.len() > bytes {
            items -= 1;
        }
        Self::with_ids((0..items).map(id)).filled(bytes)
    }

    /// So many items, with ids as long as it takes for so many bytes.
    pub fn of_items(items: usize, bytes: usize) -> Result<Self> {
        Self::with_ids((0..items).map(|number| format!("{number:04}"))).filled(bytes)
    }

    /// The same with a total that is one too high.
    #[must_use]
    pub fn with_wrong_sum(self) -> Self {
        Self { total_amount: self.total_amount + 1, ..self }
    }

    /// How many items it has.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// As JSON without white space.
    pub fn body(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    fn with_ids(ids: impl Iterator<Item = String>) -> Self {
        // Always one digit and four, so that all items are of one length.
        let items: Vec<_> = (0..)
            .zip(ids)
            .map(|(number, id)| Item { id, quantity: 1 + number % 9, price: 1000 + number * 7 % 9000 })
            .collect();
        let total_amount = items.iter().map(|item| item.quantity * item.price).sum();
        Self { user_id: "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f13", items, total_amount, payment_method: "card" }
    }

    /// What is missing goes to all ids alike.
    fn filled(mut self, bytes: usize) -> Result<Self> {
        let length = self.body()?.len();
        ensure!(length <= bytes, "{} items do not fit into {bytes} bytes", self.items.len());
        let missing = bytes - length;
        let (each, more) = (missing / self.items.len(), missing % self.items.len());
        for (number, item) in self.items.iter_mut().enumerate() {
            item.id.push_str(&"-".repeat(each + usize::from(number < more)));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn sizes_are_exact_and_sums_are_right() -> Result<()> {
        let orders = [
            (Order::of_bytes(205)?, 205),
            (Order::of_bytes(1024)?, 1024),
            (Order::of_bytes(65_535)?, 65_535),
            (Order::of_items(1, 65_535)?, 65_535),
            (Order::of_items(1000, 65_535)?, 65_535),
        ];
        for (order, bytes) in orders {
            let body = order.body()?;
            assert_eq!(body.len(), bytes);
            let value: Value = serde_json::from_slice(&body)?;
            let items = value["items"].as_array().context("items")?;
            assert_eq!(items.len(), order.items());
            let product = |item: &Value| Some(item["price"].as_i64()? * item["quantity"].as_i64()?);
            let sum: Option<i64> = items.iter().map(product).sum();
            assert_eq!(sum, value["totalAmount"].as_i64());
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_told() -> Result<()> {
        assert!(Order::of_bytes(100).is_err());
        assert!(Order::of_items(1000, 1024).is_err());
        assert!(Order::of_bytes(205)?.with_wrong_sum().body()?.len() == 205);
        Ok(())
    }
}
