//! A body that passes costs no allocation for a field, whatever its shape is: a hundred items take as many as one.

mod common;

use amount_core::{Config, Scratch};
use common::{config, guard, rule};
use serde_json::{Value, json};

/// Counts what the program allocates; hence this test is alone in its file.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Bodies of one shape, by the number of their items.
struct Shape {
    name: &'static str,
    path: &'static str,
    config: Config,
    body: fn(usize) -> String,
}

impl Shape {
    fn of_rule(name: &'static str, changes: Value, body: fn(usize) -> String) -> Self {
        Self { name, path: "/pay", config: config(&[rule(changes)]), body }
    }

    /// How much judging such a body allocates, once memory has grown that is kept from body to body.
    fn allocated(&self, items: usize, scratch: &mut Scratch) -> u64 {
        let (guard, body) = (guard(&self.config, self.path), (self.body)(items));
        let mut before = 0;
        for _ in 0..2 {
            before = dhat::HeapStats::get().total_blocks;
            let outcome = self.config.judge(guard, body.as_bytes(), scratch);
            assert_eq!(outcome.faults, [], "{}: {body}", self.name);
        }
        dhat::HeapStats::get().total_blocks - before
    }
}

/// A body whose text is that of one item, so many times, and of what is around them.
fn repeated(before: &str, item: &str, count: usize, after: &str) -> String {
    format!("{before}{}{after}", vec![item; count].join(","))
}

fn order() -> Shape {
    let rules = Config::from_json(include_bytes!("../../../services/order/src/amount-rule.json"));
    Shape {
        name: "FinPay's orders",
        path: "/order/create",
        config: rules.expect("rules"),
        body: |items| {
            let item = r#"{"id":"an id that is somewhat long","quantity":2,"price":50}"#;
            let after = format!(r#"],"totalAmount":{},"paymentMethod":"credit_card"}}"#, 100 * items);
            repeated(r#"{"userId":"u","items":["#, item, items, &after)
        },
    }
}

/// Texts of major units, which are read again for their sum; one of each two has escapes.
fn invoice() -> Shape {
    let rule = json!({
        "amounts": [
            {"pointer": "/total", "unit": "major"},
            {"pointer": "/lines/*/price", "unit": "major"},
            {"pointer": "/lines/*/fee", "unit": "major"},
        ],
        "sums": [{"total": "/total", "items": {"price": "/lines/*/price"}, "plus": ["/lines/*/fee"]}],
        "fields": ["/lines/*/text"],
    });
    Shape::of_rule("major units as texts", rule, |lines| {
        let line = r#"{"price":"1.50","fee":"0.\u0035\u0030","text":"f\u00fcnf \"St\u00fcck\""}"#;
        repeated(r#"{"lines":["#, line, lines, &format!(r#"],"total":"{}.00"}}"#, 2 * lines))
    })
}

/// Currencies, amounts and limits of each item's own, with escapes in values and in keys.
fn payouts() -> Shape {
    let rule = json!({
        "currency": {"pointer": "/payouts/*/currency", "allowed": ["EUR", "JPY"]},
        "amounts": [
            {"pointer": "/payouts/*/total", "form": "string"},
            {"pointer": "/payouts/*/lines/*/amount", "form": "string", "caps": {"EUR": 10, "JPY": 1000}},
            {"pointer": "/payouts/*/limit", "form": "string"},
        ],
        "sums": [{"total": "/payouts/*/total", "items": {"price": "/payouts/*/lines/*/amount"}}],
        "atMost": [{"amount": "/payouts/*/total", "limit": "/payouts/*/limit"}],
    });
    Shape::of_rule("an escaped currency in each item", rule, |payouts| {
        let payout = |currency, key| {
            format!(
                r#"{{"{key}":"{currency}","total":"1\u0030","limit":"\u0031\u0031","lines":[{{"amount":"\u0034"}},{{"amount":"6"}}]}}"#
            )
        };
        let two = [payout(r"E\u0055R", r"\u0063urrency"), payout(r"\u004aPY", "currency")].join(",");
        repeated(r#"{"payouts":["#, &two, payouts, "]}")
    })
}

/// Texts that are not ASCII, numbers that are no plain digits, and fields that nobody asks about.
fn others() -> Shape {
    let rule = json!({
        "amounts": [{"pointer": "/all/*/amount", "unit": "major", "form": "number"}],
        "counts": [{"pointer": "/all/*/count", "max": 5}],
        "unknownFields": "allow",
    });
    Shape::of_rule("numbers with decimals among other fields", rule, |items| {
        let item = r#"{"amount":12.34,"count":2,"größe":"groß","x":{"deep":[[1e5,null],"\ud83d\ude00"]}}"#;
        repeated(r#"{"all":["#, item, items, "]}")
    })
}

#[test]
fn a_field_costs_no_allocation() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for shape in [order(), invoice(), payouts(), others()] {
        let mut scratch = Scratch::default();
        let [hundred, one] = [100, 1].map(|items| shape.allocated(items, &mut scratch));
        assert_eq!(hundred, one, "{}: a field costs something", shape.name);
        assert!(one <= 12, "{}: {one} for a body", shape.name);
    }
}
