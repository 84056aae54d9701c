//! This filter's configuration: FinPay's rule for orders, with more items than FinPay takes.

use anyhow::Result;
use serde_json::Value;

/// What the rule, and Envoy's own filter beside it, take at most.
pub const BODY_LIMIT_BYTES: usize = 65_536;
/// So many items are the most that is measured.
const ITEMS: usize = 1000;

const RULES: &[u8] = include_bytes!("../../../services/order/src/amount-rule.json");

/// The plugin's configuration.
pub fn configuration(holds_headers: bool) -> Result<String> {
    let mut rules: Value = serde_json::from_slice(RULES)?;
    rules["rules"][0]["arrays"][0]["max"] = ITEMS.into();
    rules["holdHeaders"] = holds_headers.into();
    Ok(rules.to_string())
}
