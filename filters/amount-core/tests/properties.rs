//! What holds for all amounts: an arithmetic without bounds is the oracle.

mod common;

use amount_core::{Config, Fault, Scratch, json};
use common::{config, faults, outcome, rule, with};
use num_bigint::BigInt;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

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
        let units = || -> Option<BigInt> {
            let zeros = exponent.checked_sub(digits.len())?;
            let units: BigInt = format!("{whole}{digits}{}", "0".repeat(zeros)).parse().expect("digits");
            (sign.is_empty() && units <= BigInt::from(cap)).then_some(units)
        };
        let expected = units().map(|units| format!("{units};currency={currency};exponent={exponent}"));
        prop_assert_eq!(outcome.verified.clone(), expected, "{} {}", text, faults(&outcome));
        prop_assert_eq!(outcome.is_refused(), outcome.verified.is_none());
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
    config(&[rule(json!({
        "currency": {"pointer": "/c", "default": "USD", "allowed": ["USD"]},
        "amounts": [{"pointer": "/items/*/price"}, {"pointer": "/fee/value", "optional": true, "max": 2}],
        "counts": [{"pointer": "/items/*/n", "max": 2, "optional": true}],
        "arrays": [{"pointer": "/items", "max": 2}],
        "fields": ["/items/*/tags/*"],
    }))])
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

    /// Memory of another body changes nothing.
    #[test]
    fn no_body_remembers_another(bodies in prop::collection::vec(prop_oneof![body(), value()], 2..5)) {
        let (mixed, mut scratch) = (mixed(), Scratch::default());
        let guard = mixed.guard_for(None, "POST", "/pay", std::iter::empty()).expect("a rule");
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
        let guard = rules.guard_for(None, "POST", "/order/create", std::iter::empty()).expect("a rule");
        let outcome = rules.judge(guard, body.as_bytes(), &mut Scratch::default());
        prop_assert_eq!(outcome.is_refused(), off != 0);
        if let Some(verified) = outcome.verified {
            let tree = json::parse(body.as_bytes()).expect("JSON");
            let units = |pointer: &str| tree.pointer(pointer).expect("there").as_minor_units().expect("an integer");
            prop_assert_eq!(verified, format!("{};currency=JPY;exponent=0", units("/totalAmount")));
            let sum: i64 = (0..items.len()).map(|at| units(&format!("/items/{at}/price")) * units(&format!("/items/{at}/quantity"))).sum();
            prop_assert_eq!(sum, units("/totalAmount"));
        }
    }
}
