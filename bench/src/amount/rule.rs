//! This filter's configuration: FinPay's rule for orders, with more items than FinPay takes.

use serde_json::json;

/// What the rule, and Envoy's own filter beside it, take at most.
pub const BODY_LIMIT_BYTES: usize = 65_536;
/// So many items are the most that is measured.
const ITEMS: usize = 1000;

/// The plugin's configuration.
pub fn configuration() -> String {
    const CAP: i64 = 100_000_000;
    json!({"rules": [{
        "name": "order-create",
        "match": {"methods": ["POST"], "path": {"exact": super::PATH}},
        "maxBodyBytes": BODY_LIMIT_BYTES,
        "currency": {
            "pointer": "/currency",
            "default": "USD",
            "allowed": ["USD", "EUR", "GBP", "JPY", "KWD"],
        },
        "amounts": [
            {
                "pointer": "/totalAmount",
                "min": 1,
                "caps": {"USD": CAP, "EUR": CAP, "GBP": CAP, "JPY": CAP, "KWD": CAP},
            },
            {"pointer": "/items/*/price", "min": 1},
        ],
        "counts": [{"pointer": "/items/*/quantity", "min": 1, "max": 1000}],
        "arrays": [{"pointer": "/items", "min": 1, "max": ITEMS}],
        "sums": [{
            "total": "/totalAmount",
            "items": {"price": "/items/*/price", "quantity": "/items/*/quantity"},
        }],
        "fields": ["/userId", "/items/*/id", "/paymentMethod"],
    }]})
    .to_string()
}
