//! Bodies: two rules judge on one pass, twice alike with a used memory; what passes is JSON for everybody, and every
//! reader reads the same amount.

#![no_main]

use std::cell::RefCell;

use amount_core::{Admission, Config, Guard, Scratch};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

/// Two rules for `POST /order`: FinPay's own, with nearly every kind of demand, and one that only counts.
fn rules() -> Config {
    let rules = json!({"rules": [{
        "name": "order",
        "match": {"methods": ["POST"], "path": {"exact": "/order"}},
        "maxDepth": 16,
        "currency": {"pointer": "/currency", "default": "USD"},
        "sameCurrency": true,
        "amounts": [
            {"pointer": "/totalAmount", "caps": {"USD": 100_000, "KWD": 1_000}, "max": 1_000_000},
            {"pointer": "/items/*/price", "min": 0},
            {"pointer": "/tip", "unit": "major", "optional": true, "min": 0},
            {"pointer": "/fees/*/part/*/fee", "form": "string", "optional": true,
             "currency": {"pointer": "/fees/*/currency", "allowed": ["EUR", "JPY"]}},
        ],
        "counts": [{"pointer": "/items/*/quantity", "max": 1_000}],
        "arrays": [{"pointer": "/items", "max": 20}],
        "sums": [{"total": "/totalAmount", "items": {"price": "/items/*/price", "quantity": "/items/*/quantity"}}],
        "fields": ["/userId", "/items/*/id", "/paymentMethod", "/metadata/**"],
        "verified": "/totalAmount",
    }, {
        "name": "watch",
        "match": {"methods": ["POST"], "path": {"prefix": "/"}},
        "dryRun": true,
        "unknownFields": "allow",
        "currency": {"fixed": "EUR"},
        "amounts": [{"pointer": "/tip", "unit": "major", "form": "number", "max": 500}],
    }]});
    Config::from_json(rules.to_string().as_bytes()).expect("the rules")
}

thread_local! {
    static JUDGE: (Config, Guard, RefCell<Scratch>) = {
        let config = rules();
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"POST"), (b":path", b"/order"), (b"content-type", b"application/json")];
        let Admission::Body(guard) = config.admit(headers.into_iter(), false) else { panic!("not guarded") };
        (config, guard, RefCell::default())
    };
}

fuzz_target!(|body: &[u8]| JUDGE.with(|(config, guard, scratch)| {
    let outcome = config.judge(*guard, body, &mut scratch.borrow_mut());
    assert_eq!(config.judge(*guard, body, &mut Scratch::default()), outcome);
    assert!(outcome.faults.len() <= amount_core::FAULTS_LIMIT);
    assert_eq!(outcome.rulings.len(), 2);
    let tree = amount_core::json::parse(body);
    if tree.is_ok() {
        let _: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    }
    if outcome.is_refused() {
        return;
    }
    let (tree, others) =
        (tree.expect("read"), serde_json::from_slice::<serde_json::Value>(body).expect("JSON"));
    let total = tree.pointer("/totalAmount").expect("a total").as_minor_units().expect("an amount");
    assert_eq!(others["totalAmount"].as_i64(), Some(total));
    let verified = outcome.verified.expect("the total is told");
    assert!(verified.starts_with(&format!("{total};currency=")), "{verified}");
    let items = others["items"].as_array().expect("items").iter();
    let sum: i128 = items
        .map(|item| {
            i128::from(item["price"].as_i64().expect("a price"))
                * i128::from(item["quantity"].as_i64().expect("a count"))
        })
        .sum();
    assert_eq!(sum, i128::from(total));
}));
