//! What is refused at configure time, each with its place.

mod common;

use amount_core::Config;
use common::{config, rule, with};
use rstest::rstest;
use serde_json::{Value, json};

fn refused(config: &Value) -> String {
    Config::from_json(config.to_string().as_bytes()).expect_err("refused").to_string()
}

fn rule_refused(changes: Value) -> String {
    refused(&json!({"rules": [rule(changes)]}))
}

/// An amount with these members.
fn amount(changes: Value) -> Value {
    json!({"amounts": [with(json!({"pointer": "/amount"}), changes)]})
}

#[rstest]
#[case::no_rules(json!({"rules": []}), "rules: must be 1 to 64")]
#[case::unknown(json!({"rules": [], "x": 1}), "x: unknown field `x`")]
#[case::dry_run_header(json!({"rules": [rule(json!({}))], "dryRunHeader": "a b"}), "dryRunHeader: must be an RFC 9110 header name")]
#[case::reserved_header(json!({"rules": [rule(json!({}))], "dryRunHeader": "Content-Length"}), "dryRunHeader: has a meaning")]
#[case::name_twice(json!({"rules": [rule(json!({})), rule(json!({}))]}), "rules[1].name: is that of another rule")]
fn whole(#[case] config: Value, #[case] expected: &str) {
    let error = refused(&config);
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn at_most_64_rules() {
    let rules = |count: usize| -> Vec<_> {
        (0..count).map(|index| rule(json!({"name": format!("r{index}")}))).collect()
    };
    assert!(Config::from_json(json!({"rules": rules(64)}).to_string().as_bytes()).is_ok());
    assert_eq!(refused(&json!({"rules": rules(65)})), "rules: must be 1 to 64");
}

#[rstest]
#[case::misspelt(json!({"nmae": "x"}), "nmae: unknown field `nmae`")]
#[case::name(json!({"name": "A"}), "name: must be 1 to 64 lower-case")]
#[case::no_name(json!({"name": ""}), "name: must be 1 to 64 lower-case")]
#[case::methods(json!({"match": {"path": {"exact": "/a"}}}), "match.methods: must be there")]
#[case::no_methods(json!({"match": {"methods": [], "path": {"exact": "/a"}}}), "match.methods: must hold")]
#[case::head(json!({"match": {"methods": ["HEAD"], "path": {"exact": "/a"}}}), "match.methods: must hold")]
#[case::path(json!({"match": {"methods": ["PUT"], "path": {"exact": "/a/../b"}}}), "match.path.exact: must be")]
#[case::host(json!({"match": {"hosts": ["A"], "methods": ["PUT"], "path": {"exact": "/a"}}}), "match.hosts[0]: must")]
#[case::body_bytes(json!({"maxBodyBytes": 0}), "maxBodyBytes: must be 1 to 1048576")]
#[case::body_bytes_above(json!({"maxBodyBytes": 1_048_577}), "maxBodyBytes: must be 1 to 1048576")]
#[case::depth(json!({"maxDepth": 65}), "maxDepth: must be 1 to 64")]
#[case::no_amounts(json!({"amounts": []}), "amounts: must name some")]
#[case::array_too_deep(
    json!({"maxDepth": 1, "arrays": [{"pointer": "/b", "max": 3}]}),
    "arrays[0].pointer: is deeper than maxDepth"
)]
#[case::too_deep(json!({"maxDepth": 1, "fields": ["/a/b"]}), "fields[0]: is deeper than maxDepth")]
#[case::unknown_fields(json!({"unknownFields": "warn"}), "unknownFields: unknown variant")]
#[case::field(json!({"fields": ["a"]}), "fields[0]: must be a JSON pointer")]
#[case::field_index(json!({"fields": ["/a/0"]}), "fields[0]: must not name an index: use *")]
#[case::open_within(json!({"fields": ["/a/**/b"]}), "fields[0]: may have ** only as its end")]
#[case::stars(json!({"fields": ["/*/*/*/*"]}), "fields[0]: must have at most 3 stars")]
#[case::both_kinds(json!({"fields": ["/a/b", "/a/*"]}), "fields[1]: /a is an object already, and cannot be an array")]
#[case::body_kind(json!({"fields": ["/*"]}), "fields[0]: the body is an object already")]
#[case::below_an_amount(json!({"fields": ["/amount/x"]}), "fields[0]: /amount is an amount, a count or")]
fn rules(#[case] changes: Value, #[case] expected: &str) {
    let error = rule_refused(changes);
    assert!(error.starts_with(&format!("rules[0].{expected}")), "{error}");
}

#[rstest]
#[case::none(json!({"currency": null}), "amounts[0].currency: must be here or at the rule")]
#[case::empty(json!({"currency": {}}), "currency: must have pointer")]
#[case::both(json!({"currency": {"pointer": "/c", "fixed": "USD"}}), "currency: must have pointer")]
#[case::default_of_fixed(json!({"currency": {"fixed": "USD", "default": "USD"}}), "currency: must have pointer")]
#[case::unpayable(json!({"currency": {"fixed": "XAU"}}), "currency.fixed: must be an active ISO 4217 code")]
#[case::old(json!({"currency": {"pointer": "/c", "allowed": ["USD", "HRK"]}}), "currency.allowed[1]: must be an")]
#[case::none_allowed(json!({"currency": {"pointer": "/c", "allowed": []}}), "currency.allowed: must name some")]
#[case::default(json!({"currency": {"pointer": "/c", "default": "EUR", "allowed": ["USD"]}}), "currency.default: is not")]
#[case::fixed(json!({"currency": {"fixed": "EUR", "allowed": ["USD"]}}), "currency.fixed: is not among")]
#[case::an_amount(json!({"currency": {"pointer": "/amount"}}), "amounts[0].pointer: is an amount, a count or a currency")]
#[case::stars(json!({"currency": {"pointer": "/items/*/c"}}), "amounts[0].pointer: is not in the items that its currency, /items/*/c")]
fn currencies(#[case] changes: Value, #[case] expected: &str) {
    let error = rule_refused(changes);
    assert!(error.starts_with(&format!("rules[0].{expected}")), "{error}");
}

#[rstest]
#[case::min(json!({"min": 9_007_199_254_740_992_u64}), "min: must be within 2^53-1")]
#[case::negative(json!({"min": -1}), "min: invalid value")]
#[case::max(json!({"min": 5, "max": 4}), "max: is below min, which is 5")]
#[case::cap(json!({"min": 5, "caps": {"USD": 4}}), "caps.USD: is below min, which is 5")]
#[case::unpayable_cap(json!({"max": 1, "caps": {"XXX": 4}}), "caps.XXX: must be an active ISO 4217 code")]
#[case::other_cap(json!({"max": 1, "caps": {"EUR": 4}}), "caps.EUR: is not a currency that this amount can have")]
#[case::fraction(json!({"max": 1.5}), "max: invalid type: floating point")]
#[case::lift_header(json!({"max": 1, "lift": {"header": "", "has": "x", "max": 1}}), "lift.header: must be an RFC 9110")]
#[case::lift_words(json!({"max": 1, "lift": {"header": "h", "has": "a b", "max": 1}}), "lift.has: must be one word")]
#[case::lift_below(json!({"max": 5, "lift": {"header": "h", "has": "x", "max": 4}}), "lift: is below the ordinary limit of USD")]
#[case::lift_of_none(json!({"lift": {"header": "h", "has": "x", "max": 4}}), "lift: is below the ordinary limit of USD")]
#[case::lift_cap(json!({"max": 5, "lift": {"header": "h", "has": "x", "caps": {"USD": 4}}}), "lift: is below the ordinary")]
fn limits(#[case] changes: Value, #[case] expected: &str) {
    let error = rule_refused(amount(changes));
    assert!(error.starts_with(&format!("rules[0].amounts[0].{expected}")), "{error}");
}

#[test]
fn a_cap_is_there_for_every_currency_that_can_occur() {
    let caps = |currency: Value, limits: Value| {
        let rule = rule(with(amount(limits), json!({"currency": currency})));
        Config::from_json(json!({"rules": [rule]}).to_string().as_bytes()).map_err(|error| error.to_string())
    };
    let any = json!({"pointer": "/c"});
    let two = json!({"pointer": "/c", "allowed": ["USD", "EUR"]});
    let message = "rules[0].amounts[0].caps: must name every currency that can occur (see allowed), or max must be there";
    assert_eq!(caps(any.clone(), json!({"caps": {"USD": 5}})).err().as_deref(), Some(message));
    assert_eq!(caps(two.clone(), json!({"caps": {"USD": 5}})).err().as_deref(), Some(message));
    assert!(caps(two.clone(), json!({"caps": {"USD": 5, "EUR": 5}})).is_ok());
    assert!(caps(any.clone(), json!({"caps": {"USD": 5}, "max": 9})).is_ok());
    let lift = |lift: Value| json!({"max": 5, "lift": with(json!({"header": "h", "has": "x"}), lift)});
    assert!(caps(any.clone(), lift(json!({"max": 9, "caps": {"EUR": 5}}))).is_ok());
    let below = caps(any.clone(), lift(json!({"max": 9, "caps": {"EUR": 4}})));
    assert_eq!(below.err().as_deref(), Some("rules[0].amounts[0].lift: is below the ordinary limit of EUR"));
    assert_eq!(
        caps(any, lift(json!({"max": 4}))).err().as_deref(),
        Some("rules[0].amounts[0].lift: is below the ordinary max")
    );
}

#[rstest]
#[case::twice(json!({"amounts": [{"pointer": "/a"}, {"pointer": "/a"}]}), "amounts[1].pointer: is an amount, a count or")]
#[case::count_of_an_amount(json!({"counts": [{"pointer": "/amount", "max": 1}]}), "counts[0].pointer: is an amount")]
#[case::no_max(json!({"counts": [{"pointer": "/n"}]}), "counts[0]: missing field `max`")]
#[case::max(json!({"counts": [{"pointer": "/n", "max": 0}]}), "counts[0].max: is below min, which is 1")]
#[case::object(json!({"arrays": [{"pointer": "/a", "max": 1}], "fields": ["/a/b"]}), "fields[0]: /a is an array already")]
#[case::array_twice(json!({"arrays": [{"pointer": "/a", "max": 1}, {"pointer": "/a", "max": 1}]}), "arrays[1].pointer: has its")]
#[case::array_of_amount(json!({"arrays": [{"pointer": "/amount", "max": 1}]}), "arrays[0].pointer: /amount is an amount")]
fn counts_and_arrays(#[case] changes: Value, #[case] expected: &str) {
    let error = rule_refused(changes);
    assert!(error.starts_with(&format!("rules[0].{expected}")), "{error}");
}

#[rstest]
#[case::total(json!({"sums": [{"total": "/x", "plus": ["/a"]}]}), "sums[0].total: is not one of amounts")]
#[case::empty(json!({"sums": [{"total": "/a"}]}), "sums[0]: must have items or plus")]
#[case::itself(json!({"sums": [{"total": "/a", "plus": ["/a"]}]}), "sums[0].plus[0]: is in this sum already")]
#[case::twice(json!({"sums": [{"total": "/a", "plus": ["/b"], "minus": ["/b"]}]}), "sums[0].minus[0]: is in this sum")]
#[case::count(json!({"sums": [{"total": "/a", "items": {"price": "/i/*/p", "quantity": "/i/*/p"}}]}), "sums[0].items.quantity: is not one of counts")]
#[case::optional(json!({"sums": [{"total": "/a", "items": {"price": "/i/*/p", "quantity": "/i/*/o"}}]}), "sums[0].items.quantity: must not be optional")]
#[case::other_items(json!({"sums": [{"total": "/a", "items": {"price": "/i/*/p", "quantity": "/j/*/q"}}]}), "sums[0].items.quantity: is not in the same items")]
#[case::outside(json!({"sums": [{"total": "/i/*/p", "plus": ["/a"]}]}), "sums[0].plus[0]: is not in the items that /i/*/p is in")]
#[case::currency(json!({"sums": [{"total": "/a", "plus": ["/e"]}]}), "sums[0].plus[0]: has another currency")]
#[case::fixed_currency(json!({"sameCurrency": true, "sums": [{"total": "/a", "plus": ["/e"]}]}), "sameCurrency: cannot be: USD and EUR are fixed")]
#[case::at_most(json!({"atMost": [{"amount": "/a", "limit": "/a"}]}), "atMost[0].limit: is the amount itself")]
#[case::unknown(json!({"atMost": [{"amount": "/x", "limit": "/a"}]}), "atMost[0].amount: is not one of amounts")]
#[case::limit(json!({"atMost": [{"amount": "/a", "limit": "/i/*/p"}]}), "atMost[0].amount: is not in the items")]
#[case::verified(json!({"verified": "/x"}), "verified: is not one of amounts")]
#[case::verified_items(json!({"verified": "/i/*/p"}), "verified: must be one amount")]
fn relations(#[case] changes: Value, #[case] expected: &str) {
    let own = json!({"fixed": "EUR"});
    let base = json!({
        "amounts": [{"pointer": "/a"}, {"pointer": "/b"}, {"pointer": "/i/*/p"}, {"pointer": "/e", "currency": own}],
        "counts": [
            {"pointer": "/i/*/q", "max": 9}, {"pointer": "/j/*/q", "max": 9},
            {"pointer": "/i/*/o", "max": 9, "optional": true},
        ],
    });
    let error = rule_refused(with(base, changes));
    assert!(error.starts_with(&format!("rules[0].{expected}")), "{error}");
}

#[test]
fn different_currencies_of_the_body_can_be_asked_to_be_the_same() {
    let amounts = json!({"amounts": [{"pointer": "/a"}, {"pointer": "/b", "currency": {"pointer": "/d"}}]});
    let sums = json!({"sums": [{"total": "/a", "plus": ["/b"]}]});
    let refusal = rule_refused(with(amounts.clone(), sums.clone()));
    assert_eq!(refusal, "rules[0].sums[0].plus[0]: has another currency than the rest (see sameCurrency)");
    let same = rule(with(with(amounts, sums), json!({"sameCurrency": true})));
    assert!(Config::from_json(json!({"rules": [same]}).to_string().as_bytes()).is_ok());
}

#[test]
fn no_currency_has_two_caps() {
    let rule =
        rule(amount(json!({"caps": {"USD": 5}}))).to_string().replace(r#"{"USD":5}"#, r#"{"USD":5,"USD":9}"#);
    let error =
        Config::from_json(format!(r#"{{"rules":[{rule}]}}"#).as_bytes()).expect_err("refused").to_string();
    assert_eq!(error, "rules[0].amounts[0].caps: USD is there twice");
}

#[test]
fn whether_an_amount_is_to_be_told_is_known() {
    assert!(config(&[rule(json!({})), rule(json!({"name": "b", "verified": "/amount"}))]).tells_amounts());
    assert!(!config(&[rule(json!({}))]).tells_amounts());
}

#[test]
fn at_most_64_words_lift_limits_and_64_members_must_be_there() {
    let lifted = |index: usize| json!({"pointer": format!("/a{index}x"), "max": 1, "lift": {"header": "h", "has": format!("w{index}"), "max": 1}});
    let words = |count: usize| {
        json!({"rules": [
            rule(json!({"amounts": (0..count.min(64)).map(lifted).collect::<Vec<_>>()})),
            rule(json!({"name": "b", "amounts": (64..count.max(65)).map(lifted).collect::<Vec<_>>()})),
        ]})
    };
    let error = refused(&words(65));
    assert!(error.starts_with("rules[1].amounts[0].lift: is one too many"), "{error}");
    let amounts: Vec<_> = (0..60).map(|index| json!({"pointer": format!("/a{index}")})).collect();
    let counts = |count: usize| -> Vec<_> {
        (0..count).map(|index| json!({"pointer": format!("/c{index}"), "max": 1})).collect()
    };
    let error = rule_refused(json!({"amounts": amounts, "counts": counts(5)}));
    assert_eq!(error, "rules[0]: the body has more than 64 places that must be there");
    let sound = rule(json!({"amounts": amounts, "counts": counts(4)}));
    assert!(Config::from_json(json!({"rules": [sound]}).to_string().as_bytes()).is_ok());
}
