//! What holds for all bodies: a simple judge over the tree is the oracle.

mod common;

use amount_core::{Config, Fault, Outcome, Scratch, json};
use common::{config, faults, outcome, rule, with};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const LIMIT: i64 = 9_007_199_254_740_991;

/// Values as bodies have them, right ones and wrong ones.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => (0..4_i64).prop_map(Value::from),
        1 => select(&["1", "USD", "EUR", "XXX"][..]).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(1.5)),
    ];
    let key = select(&["items", "price", "n", "tags", "fee", "value", "c", "x"][..]).prop_map(str::to_owned);
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Bodies that are nearly right.
fn body() -> impl Strategy<Value = Value> {
    let item = prop_oneof![
        4 => (1..4_i64, prop::option::of(1..4_i64), prop::option::of(value()))
            .prop_map(|(price, n, tags)| with(json!({"price": price}), json!({"n": n, "tags": tags}))),
        1 => value(),
    ];
    let items = prop::collection::vec(item, 1..4).prop_map(Value::from);
    let parts = (
        prop_oneof![4 => items, 1 => value()],
        prop::option::weighted(0.5, (1..4_i64).prop_map(|value| json!({"value": value}))),
        prop::option::weighted(0.3, value()),
        prop::option::weighted(0.3, select(&["USD", "EUR"][..])),
    );
    parts.prop_map(|(items, fee, x, c)| with(json!({"items": items}), json!({"fee": fee, "x": x, "c": c})))
}

fn mixed() -> Config {
    config(&[mixed_rule()])
}

fn mixed_rule() -> Value {
    rule(json!({
        "currency": {"pointer": "/c", "default": "USD", "allowed": ["USD"]},
        "amounts": [{"pointer": "/items/*/price"}, {"pointer": "/fee/value", "optional": true, "max": 2}],
        "counts": [{"pointer": "/items/*/n", "max": 2, "optional": true}],
        "arrays": [{"pointer": "/items", "max": 2}],
        "fields": ["/items/*/tags/*"],
    }))
}

/// The same rule by the tree: slow, and easy to believe.
fn is_right(body: &Value) -> bool {
    let within = |value: Option<&Value>, max: i64| {
        value.and_then(Value::as_i64).is_some_and(|value| (1..=max).contains(&value))
    };
    let known = |object: &Value, names: &[&str]| {
        object.as_object().is_some_and(|members| members.keys().all(|name| names.contains(&name.as_str())))
    };
    let is_scalar = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => true,
    };
    let tags = |value: &Value| value.as_array().is_some_and(|tags| tags.iter().all(is_scalar));
    let item = |item: &Value| {
        known(item, &["price", "n", "tags"])
            && within(item.get("price"), LIMIT)
            && (item.get("n").is_none() || within(item.get("n"), 2))
            && item.get("tags").is_none_or(tags)
    };
    let fee =
        |fee: &Value| known(fee, &["value"]) && (fee.get("value").is_none() || within(fee.get("value"), 2));
    known(body, &["items", "fee", "c"])
        && body
            .get("items")
            .and_then(Value::as_array)
            .is_some_and(|items| (1..=2).contains(&items.len()) && items.iter().all(item))
        && body.get("fee").is_none_or(fee)
        && body.get("c").is_none_or(|currency| currency == "USD")
}

/// A value's text with its members turned round and blanks everywhere.
fn respelt(value: &Value, blanks: &str) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().rev().map(|(name, value)| {
                let name = name
                    .chars()
                    .fold(String::new(), |name, letter| name + &format!("\\u{:04X}", letter as u32));
                format!("{blanks}\"{name}\"{blanks}:{}", respelt(value, blanks))
            });
            format!("{blanks}{{{}{blanks}}}{blanks}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| respelt(item, blanks)).collect();
            format!("{blanks}[{}{blanks}]{blanks}", items.join(","))
        }
        scalar => format!("{blanks}{scalar}{blanks}"),
    }
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by(|a, b| (a.code.as_str(), &a.pointer).cmp(&(b.code.as_str(), &b.pointer)));
    faults
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What the walk along the tree of places says, a simple reading of the body's tree says too.
    #[test]
    fn the_walk_says_what_the_tree_says(body in prop_oneof![3 => body(), 1 => value()]) {
        let outcome = outcome(&mixed(), &body.to_string());
        prop_assert_eq!(!outcome.is_refused(), is_right(&body), "{} {}", faults(&outcome), body);
    }

    /// Neither the order of members nor blanks nor escapes change anything.
    #[test]
    fn spelling_changes_nothing(body in body(), blanks in select(&["", " ", "\r\n\t "][..])) {
        let (plain, other) = (outcome(&mixed(), &body.to_string()), outcome(&mixed(), &respelt(&body, blanks)));
        prop_assert_eq!(sorted(plain.faults), sorted(other.faults), "{}", body);
    }

    /// Rules that walk together say what each says alone.
    #[test]
    fn rules_do_not_disturb_each_other(body in prop_oneof![3 => body(), 1 => value()]) {
        let other = rule(json!({
            "name": "other", "unknownFields": "allow", "maxDepth": 4, "currency": {"fixed": "JPY"},
            "amounts": [{"pointer": "/items/*/tags/*", "max": 2}, {"pointer": "/x/value", "optional": true}],
        }));
        let first = mixed_rule();
        let text = body.to_string();
        let together = outcome(&config(&[first.clone(), other.clone(), with(first.clone(), json!({"name": "again"}))]), &text);
        let alone = [first.clone(), other, first].map(|rule| outcome(&config(&[rule]), &text));
        let codes = |outcome: &Outcome| outcome.rulings.iter().map(|ruling| ruling.code).collect::<Vec<_>>();
        prop_assert_eq!(codes(&together), alone.iter().flat_map(codes).collect::<Vec<_>>(), "{}", text);
        prop_assert!(alone.iter().flat_map(|outcome| &outcome.faults).all(|fault| together.faults.contains(fault) || together.faults.len() == 20));
    }

    /// Memory of another body changes nothing.
    #[test]
    fn no_body_remembers_another(bodies in prop::collection::vec(prop_oneof![body(), value()], 2..5)) {
        let (mixed, mut scratch) = (mixed(), Scratch::default());
        let guard = common::guard(&mixed, "/pay");
        for body in bodies {
            let text = body.to_string();
            let again = mixed.judge(guard, text.as_bytes(), &mut scratch);
            prop_assert_eq!(again, mixed.judge(guard, text.as_bytes(), &mut Scratch::default()));
        }
    }

    /// Whatever passes, the tree that services read has the same amounts.
    #[test]
    fn the_tree_has_the_same_amounts(
        items in prop::collection::vec((1..5_i64, 1..50_i64), 1..4), off in select(&[0, 0, 1][..]), blanks in select(&["", " "][..]),
    ) {
        const RULES: &[u8] = include_bytes!("../../../services/order/src/amount-rule.json");
        let rules = Config::from_json(RULES).expect("the rules");
        let total = items.iter().map(|(count, price)| count * price).sum::<i64>() + off;
        let rows: Vec<_> = items.iter().map(|(count, price)| json!({"id": "i", "quantity": count, "price": price})).collect();
        let body = json!({"items": rows, "totalAmount": total, "currency": "JPY", "userId": "u", "paymentMethod": "m"});
        let body = respelt(&body, blanks);
        let guard = common::guard(&rules, "/order/create");
        let outcome = rules.judge(guard, body.as_bytes(), &mut Scratch::default());
        prop_assert_eq!(outcome.is_refused(), off != 0);
        prop_assert_eq!(outcome.verified.is_some(), off == 0);
        if let Some(verified) = outcome.verified {
            let tree = json::parse(body.as_bytes()).expect("JSON");
            let units = |pointer: &str| tree.pointer(pointer).expect("there").as_minor_units().expect("an integer");
            prop_assert_eq!(verified, format!("{};currency=JPY;exponent=0", units("/totalAmount")));
            let sum: i64 = (0..items.len()).map(|at| units(&format!("/items/{at}/price")) * units(&format!("/items/{at}/quantity"))).sum();
            prop_assert_eq!(sum, units("/totalAmount"));
        }
    }
}
