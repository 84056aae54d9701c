//! What holds for all amounts: an arithmetic without bounds is the oracle.

mod common;

use amount_core::Config;
use common::{config, faults, outcome, rule, with};
use num_bigint::BigInt;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

const LIMIT: i64 = 9_007_199_254_740_991;

/// Amounts of every size, those near the edges more often.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![0..=100_i64, 0..=LIMIT, (LIMIT - 3)..=LIMIT]
}

/// Counts of every size.
fn count() -> impl Strategy<Value = i64> {
    prop_oneof![1..=20_i64, 1..=LIMIT, Just(1023), Just(1024)]
}

fn invoice() -> Config {
    config(&[rule(json!({
        "amounts": [
            {"pointer": "/total", "min": 0},
            {"pointer": "/items/*/price", "min": 0},
            {"pointer": "/plus/*", "min": 0},
            {"pointer": "/minus/*", "min": 0},
        ],
        "counts": [{"pointer": "/items/*/n", "max": LIMIT}],
        "sums": [{
            "total": "/total", "plus": ["/plus/*"], "minus": ["/minus/*"],
            "items": {"price": "/items/*/price", "quantity": "/items/*/n"},
        }],
    }))])
}

proptest! {
    /// A total passes where it is the sum, and never where it is not: no product, sum or difference wraps.
    #[test]
    fn sums(
        items in prop::collection::vec((count(), amount()), 0..4),
        plus in prop::collection::vec(amount(), 0..3), minus in prop::collection::vec(amount(), 0..3),
        off in prop_oneof![Just(0), -2_i64..=2, any::<i64>()],
    ) {
        let products = items.iter().map(|(count, price)| BigInt::from(*count) * BigInt::from(*price));
        let added = products.sum::<BigInt>() + plus.iter().sum::<i64>();
        let sum = added.clone() - minus.iter().sum::<i64>();
        let total = sum.clone() + off;
        // What no total can be is made one that wraps to it.
        let total = if total < BigInt::from(0) || total > BigInt::from(LIMIT) {
            (total % BigInt::from(1_u128 << 64)) % BigInt::from(LIMIT)
        } else {
            total
        };
        prop_assume!(total >= BigInt::from(0));
        let items: Vec<_> = items.iter().map(|(count, price)| json!({"n": count, "price": price})).collect();
        let body = json!({"items": items, "plus": plus, "minus": minus}).to_string();
        let body = body.replacen('{', &format!("{{\"total\":{total},"), 1);
        let is_right = sum == total && added <= BigInt::from(i64::MAX);
        let told = faults(&outcome(&invoice(), &body));
        prop_assert_eq!(told.is_empty(), is_right, "{} {}", told, body);
        if !is_right {
            prop_assert!(told == "sum_mismatch /total" || (told == "overflow /items" && added > BigInt::from(i64::MAX)), "{} {}", told, body);
        }
    }

    /// A decimal text is the units that it says, or refused.
    #[test]
    fn decimals(
        sign in select(&["", "", "", "-"][..]), whole in "0|[1-9][0-9]{0,17}", fraction in prop::option::of("[0-9]{1,5}"),
        currency in select(&["JPY", "USD", "KWD", "CLF"][..]), form in select(&["string", "number"][..]),
        cap in prop_oneof![0..=1_000_000_i64, 0..=LIMIT],
    ) {
        let exponent = match currency { "JPY" => 0, "USD" => 2, "KWD" => 3, _ => 4_usize };
        let digits = fraction.clone().unwrap_or_default();
        let text = format!("{sign}{whole}{}", fraction.map_or(String::new(), |digits| format!(".{digits}")));
        let value = if form == "string" { format!("\"{text}\"") } else { text.clone() };
        let amount = json!({"pointer": "/amount", "unit": "major", "form": form, "min": 0, "max": cap});
        let config = config(&[rule(json!({"currency": {"fixed": currency}, "amounts": [amount], "verified": "/amount"}))]);
        let outcome = outcome(&config, &format!("{{\"amount\":{value}}}"));
        // As a number, major units are kept below what a double holds exactly.
        let cap = if form == "number" { cap.min(999_999_999_999_999) } else { cap };
        let units = || -> Option<BigInt> {
            let zeros = exponent.checked_sub(digits.len())?;
            let units: BigInt = format!("{whole}{digits}{}", "0".repeat(zeros)).parse().expect("digits");
            (sign.is_empty() && units <= BigInt::from(cap)).then_some(units)
        };
        let expected = units().map(|units| format!("{units};currency={currency};exponent={exponent}"));
        prop_assert_eq!(outcome.verified.clone(), expected, "{} {}", text, faults(&outcome));
        prop_assert_eq!(outcome.is_refused(), outcome.verified.is_none());
    }

    /// Each order's total is that of its own lines, in its own currency.
    #[test]
    fn groups(orders in prop::collection::vec(
        (select(&["JPY", "USD", "KWD"][..]), prop::collection::vec((1..=3_i64, amount()), 0..4), prop::option::weighted(0.8, -1_i64..=1), 0..=1_i64), 0..4,
    )) {
        let config = config(&[rule(json!({
            "currency": {"pointer": "/orders/*/c"},
            "amounts": [
                {"pointer": "/orders/*/total", "optional": true, "unit": "major", "min": 0},
                {"pointer": "/orders/*/lines/*/price", "min": 0},
            ],
            "counts": [{"pointer": "/orders/*/lines/*/n", "max": 3}],
            "sums": [{"total": "/orders/*/total", "items": {"price": "/orders/*/lines/*/price", "quantity": "/orders/*/lines/*/n"}}],
        }))]);
        let mut wrong = Vec::new();
        let bodies = orders.iter().enumerate().map(|(index, (currency, lines, off, zero))| {
            let exponent = match *currency { "JPY" => 0, "USD" => 2, _ => 3_u32 };
            let sum: BigInt = lines.iter().map(|(count, price)| BigInt::from(*count) * BigInt::from(*price)).sum();
            let factor = BigInt::from(10_i64.pow(exponent));
            // A total that is off by one or not, or zero.
            let total = off.map(|off| (&sum + off) * zero).filter(|total| *total >= BigInt::from(0));
            if let Some(total) = &total && (*total > BigInt::from(LIMIT) || *total != sum) {
                wrong.push(format!("/orders/{index}/total"));
            }
            let written = total.map(|total| match exponent {
                0 => total.to_string(),
                _ => format!("{}.{:0>width$}", &total / &factor, (&total % &factor).to_string(), width = exponent as usize),
            });
            let lines: Vec<_> = lines.iter().map(|(count, price)| json!({"n": count, "price": price})).collect();
            with(json!({"c": currency, "lines": lines}), json!({"total": written}))
        });
        let body = json!({"orders": bodies.collect::<Vec<_>>()}).to_string();
        let outcome = outcome(&config, &body);
        let told: Vec<_> = outcome.faults.iter().map(|fault| fault.pointer.clone()).collect();
        // An amount that cannot be leaves the others uncompared.
        let is_unsound = outcome.faults.iter().any(|fault| fault.code.as_str() == "too_large");
        prop_assert!(told == wrong || (is_unsound && !wrong.is_empty()), "{:?} {:?} {}", told, wrong, body);
    }

    /// A cap in minor units holds for every number, whatever its digits.
    #[test]
    fn caps(units in prop_oneof!["0|-?[1-9][0-9]{0,24}", amount().prop_map(|amount| amount.to_string())], cap in amount(), min in 0..3_i64) {
        prop_assume!(cap >= min);
        let config = config(&[rule(json!({"amounts": [{"pointer": "/amount", "min": min, "caps": {"USD": cap}}]}))]);
        let value: BigInt = units.parse().expect("an integer");
        let is_right = value >= BigInt::from(min) && value <= BigInt::from(cap);
        prop_assert_eq!(!outcome(&config, &format!("{{\"amount\":{units}}}")).is_refused(), is_right);
    }
}
