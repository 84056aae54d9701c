//! What must be where: objects, arrays, counts, required and unknown fields.

mod common;

use amount_core::Code;
use common::{config, detail, faults, judged, outcome, rule, with};
use rstest::rstest;
use serde_json::{Value, json};

fn base(changes: Value) -> Value {
    let base = json!({
        "amounts": [{"pointer": "/items/*/price"}, {"pointer": "/fee/value", "optional": true}],
        "counts": [{"pointer": "/items/*/n", "max": 9, "optional": true}],
        "arrays": [{"pointer": "/items", "max": 3}, {"pointer": "/items/*/tags", "min": 0, "max": 2, "optional": true}],
        "fields": ["/note", "/items/*/tags/*", "/metadata/**", "/who/name", "/list/*"],
    });
    with(base, changes)
}

#[rstest]
#[case::least(r#"{"items":[{"price":1}]}"#, "")]
#[case::all(r#"{"items":[{"price":1,"n":9,"tags":["a"]}],"fee":{"value":1},"note":1,"who":{"name":"x"},"list":[1,"a"]}"#, "")]
#[case::no_object("1", "not_an_object")]
#[case::an_array("[]", "not_an_object")]
#[case::nothing("{}", "missing /items")]
#[case::empty(r#"{"items":[]}"#, "out_of_range /items")]
#[case::an_object(r#"{"items":{"price":1}}"#, "not_an_array /items")]
#[case::null(r#"{"items":null}"#, "not_an_array /items")]
#[case::item_kind(r#"{"items":[1,{"price":1},[]]}"#, "not_an_object /items/0, not_an_object /items/2")]
#[case::fee_kind(r#"{"items":[{"price":1}],"fee":1}"#, "not_an_object /fee")]
#[case::who_kind(r#"{"items":[{"price":1}],"who":[]}"#, "not_an_object /who")]
#[case::list_kind(r#"{"items":[{"price":1}],"list":{}}"#, "not_an_array /list")]
#[case::tags_kind(r#"{"items":[{"price":1,"tags":1}]}"#, "not_an_array /items/0/tags")]
#[case::price_of_each(
    r#"{"items":[{"price":1},{},{"n":1}]}"#,
    "missing /items/1/price, missing /items/2/price"
)]
#[case::count(r#"{"items":[{"price":1,"n":10}]}"#, "out_of_range /items/0/n")]
#[case::count_of_nothing(r#"{"items":[{"price":1,"n":0}]}"#, "out_of_range /items/0/n")]
#[case::count_with_a_fraction(r#"{"items":[{"price":1,"n":1.0}]}"#, "not_an_integer /items/0/n")]
#[case::count_as_a_text(r#"{"items":[{"price":1,"n":"1"}]}"#, "not_a_number /items/0/n")]
#[case::unknown(r#"{"items":[{"price":1,"tip":1}],"x":{}}"#, "unknown_field /items/0/tip, unknown_field /x")]
#[case::unknown_in_a_value(r#"{"items":[{"price":1}],"note":{"a":1}}"#, "unknown_field /note/a")]
#[case::unknown_item_of_a_value(r#"{"items":[{"price":1}],"note":[1]}"#, "unknown_field /note/0")]
#[case::empty_values(r#"{"items":[{"price":1}],"note":{},"list":[[],{}]}"#, "")]
#[case::anything_below(r#"{"items":[{"price":1}],"metadata":{"a":[{"b":1}]}}"#, "")]
#[case::anything_there(r#"{"items":[{"price":1}],"metadata":[1]}"#, "")]
#[case::escaped_names(r#"{"items":[{"\u0070rice":1}]}"#, "")]
#[case::longer_by_nul(r#"{"items":[{"price":1}],"note\u0000":1}"#, "unknown_field")]
#[case::secrets(r#"{"items":[{"price":1}],"4111111111111111":1}"#, "unknown_field")]
#[case::secrets_within(r#"{"items":[{"price":1,"a b":1}]}"#, "unknown_field /items/0")]
#[case::order(
    r#"{"x":1,"items":[{"n":0,"price":0,"tags":[1,2,3]}],"fee":2}"#,
    "out_of_range /items/0/tags, not_an_object /fee, zero /items/0/price, out_of_range /items/0/n, unknown_field /x"
)]
fn places(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(judged(base(json!({})), body), expected);
}

#[test]
fn what_is_asked_in_an_open_place_leaves_the_rest_open() {
    let changes = json!({"amounts": [{"pointer": "/a/b/c"}, {"pointer": "/d"}], "fields": ["/a/**"]});
    assert_eq!(judged(changes.clone(), r#"{"a":{"b":{"c":1,"x":{}},"y":[1]},"d":1}"#), "");
    assert_eq!(
        judged(changes.clone(), r#"{"a":{"b":{"c":0}},"d":1,"z":1}"#),
        "zero /a/b/c, unknown_field /z"
    );
    assert_eq!(judged(changes, r#"{"a":[],"d":1}"#), "not_an_object /a");
    let root = json!({"fields": ["/**"]});
    assert_eq!(judged(root, r#"{"amount":1,"z":{"y":1}}"#), "");
}

#[test]
fn unknown_fields_can_be_allowed() {
    let allow = |changes: Value| base(with(json!({"unknownFields": "allow"}), changes));
    let body = r#"{"items":[{"price":1,"x":{"y":1}}],"note":{"a":1},"z":[1]}"#;
    assert_eq!(judged(allow(json!({})), body), "");
    assert_eq!(judged(allow(json!({})), r#"{"items":[{"x":1}]}"#), "missing /items/0/price");
}

/// Readers that ignore case (Go's encoding/json) take the last of both.
#[rstest]
#[case::capital(r#"{"amount":1,"Amount":9}"#, "unknown_field /Amount")]
#[case::before(r#"{"AMOUNT":9,"amount":1}"#, "unknown_field /AMOUNT")]
#[case::escaped(r#"{"amount":1,"\u0041mount":9}"#, "unknown_field /Amount")]
#[case::longer_than_a_word(r#"{"amount":1,"Reference_Id":9}"#, "unknown_field /Reference_Id")]
#[case::late(r#"{"amount":1,"reference_iD":9}"#, "unknown_field /reference_iD")]
#[case::long_s("{\"amount\":1,\"tip\u{17f}\":9}", "unknown_field")]
#[case::long_s_escaped(r#"{"amount":1,"tip\u017f":9}"#, "unknown_field")]
#[case::kelvin("{\"amount\":1,\"\u{212a}ey\":9}", "unknown_field")]
#[case::dotless("{\"amount\":1,\"t\u{131}ps\":9}", "unknown_field")]
#[case::dotted("{\"amount\":1,\"T\u{130}PS\":9}", "unknown_field")]
#[case::not_ascii(r#"{"amount":1,"Größe":9}"#, "unknown_field")]
#[case::not_ascii_in_capitals(r#"{"amount":1,"GRÖSSE":9,"GRÖßE":9}"#, "unknown_field")]
#[case::ends_at_a_nul(r#"{"amount":1,"amount\u0000":9}"#, "unknown_field")]
#[case::ends_at_a_nul_in_another_case(r#"{"amount":1,"REFERENCE_id\u0000x":9}"#, "unknown_field")]
#[case::below_an_open_place(
    r#"{"amount":1,"p":{"known":{"value":1},"Known":{"value":9}}}"#,
    "unknown_field /p/Known"
)]
#[case::deeper(r#"{"amount":1,"p":{"known":{"value":1,"VALUE":9}}}"#, "unknown_field /p/known/VALUE")]
#[case::in_items(
    r#"{"amount":1,"items":[{"price":1},{"price":1,"Price":9}]}"#,
    "unknown_field /items/1/Price"
)]
#[case::another(
    r#"{"amount":1,"Amounts":9,"amoun":9,"Amoun\u0000":9,"Amounts\u0000":9,"p":{"value":1,"x":{"Known":1}}}"#,
    ""
)]
#[case::bit(r#"{"amount":1,"key@":9,"key`":9,"KEY`":9}"#, "unknown_field")]
fn a_known_field_has_one_spelling(#[case] body: &str, #[case] expected: &str) {
    let rules = |unknown: &str| {
        json!({
            "unknownFields": unknown,
            "amounts": [
                {"pointer": "/amount"}, {"pointer": "/p/known/value", "optional": true},
                {"pointer": "/items/*/price", "optional": true},
            ],
            "fields": ["/p/**", "/tips", "/key", "/key`", "/reference_id", "/größe"],
        })
    };
    let allowed = judged(rules("allow"), body);
    assert_eq!(allowed, expected);
    if !expected.is_empty() {
        let told = ["must be spelled as the known field, or not be there", "must have known fields only"];
        assert!(told.contains(&&*detail(rules("allow"), body)));
        assert!(judged(rules("refuse"), body).contains(&allowed));
    }
}

#[test]
fn what_must_be_in_an_object_must_be_though_the_object_is_not() {
    let changes = json!({"amounts": [{"pointer": "/a/b/c"}, {"pointer": "/a/d"}, {"pointer": "/e/*/f"}]});
    assert_eq!(judged(changes.clone(), "{}"), "missing /a/b/c, missing /a/d");
    assert_eq!(judged(changes.clone(), r#"{"a":{"d":1}}"#), "missing /a/b/c");
    assert_eq!(judged(changes, r#"{"a":{"d":1,"b":{"c":1}},"e":[]}"#), "");
}

#[test]
fn a_body_can_be_an_array() {
    let changes = json!({"amounts": [{"pointer": "/*/amount"}]});
    assert_eq!(judged(changes.clone(), r#"[{"amount":1},{"amount":0}]"#), "zero /1/amount");
    assert_eq!(judged(changes, "{}"), "not_an_array");
    let bounded = json!({"amounts": [{"pointer": "/*/amount"}], "arrays": [{"pointer": "", "max": 2}]});
    let body = |count: usize| format!("[{}]", vec![r#"{"amount":1}"#; count].join(","));
    assert_eq!(judged(bounded.clone(), &body(2)), "");
    assert_eq!(judged(bounded.clone(), &body(3)), "out_of_range");
    assert_eq!(judged(bounded.clone(), "[]"), "out_of_range");
    assert_eq!(judged(bounded, "{}"), "not_an_array");
}

#[test]
fn a_name_can_hold_what_pointers_escape() {
    let changes = json!({"amounts": [{"pointer": "/a~1b/~0"}]});
    assert_eq!(judged(changes.clone(), r#"{"a/b":{"~":1}}"#), "");
    assert_eq!(judged(changes, r#"{"a/b":{"~":0,"c":1}}"#), "zero /a~1b/~0, unknown_field /a~1b/c");
}

#[test]
fn an_array_that_is_too_long_is_told_for_that_alone() {
    let body =
        |count: usize| format!(r#"{{"items":[{}]}}"#, vec![r#"{"tags":[1,2,3],"x":1}"#; count].join(","));
    assert_eq!(judged(base(json!({})), &body(4)), "out_of_range /items");
    assert_eq!(judged(base(json!({})), &body(5000)), "413 too_large_body");
    assert_eq!(judged(base(json!({"maxBodyBytes": 1_000_000})), &body(30_000)), "out_of_range /items");
    let within = judged(base(json!({})), &body(2));
    assert_eq!(within.matches("out_of_range /items/1/tags").count(), 1, "{within}");
    assert_eq!(within.matches("unknown_field /items/0/x").count(), 1, "{within}");
}

/// Nor are currencies in it: bad ones, absent ones and other ones than the rest's.
#[rstest]
#[case::as_many(50, r#","c":"X""#, "unknown_currency /payouts/3/c")]
#[case::bad(51, r#","c":"X""#, "out_of_range /payouts")]
#[case::absent(51, "", "out_of_range /payouts")]
#[case::another(51, r#","c":"EUR""#, "out_of_range /payouts")]
fn currencies_in_an_array_that_is_too_long(#[case] count: usize, #[case] currency: &str, #[case] told: &str) {
    let own = json!({"pointer": "/payouts/*/c", "allowed": ["USD", "EUR"]});
    let rule = json!({
        "sameCurrency": true,
        "amounts": [
            {"pointer": "/payouts/*/amount", "currency": own}, {"pointer": "/payouts/*/fee", "optional": true},
            {"pointer": "/total", "currency": {"pointer": "/c", "default": "USD"}},
        ],
        "arrays": [{"pointer": "/payouts", "max": 50}],
    });
    let mut payouts = vec![r#"{"amount":1,"c":"USD","fee":1}"#.to_owned(); count];
    payouts[3] = format!(r#"{{"amount":1{currency}}}"#);
    let body = format!(r#"{{"payouts":[{}],"total":1}}"#, payouts.join(","));
    assert_eq!(judged(rule, &body), told);
}

#[test]
fn no_more_than_twenty_faults_are_told() {
    let body = format!(
        r#"{{"items":[{{"price":1}}],"list":[],{}}}"#,
        (0..50).map(|at| format!(r#""x{}":1"#, "y".repeat(at))).collect::<Vec<_>>().join(",")
    );
    assert_eq!(judged(base(json!({})), &body).split(", ").count(), 20);
}

#[rstest]
#[case::within(3, r#"{"amount":1,"x":{"y":[]}}"#, "")]
#[case::deeper(3, r#"{"amount":1,"x":{"y":[[]]}}"#, "400 too_deep")]
#[case::known(1, r#"{"amount":[]}"#, "400 too_deep")]
fn depth(#[case] limit: usize, #[case] body: &str, #[case] expected: &str) {
    assert_eq!(judged(json!({"maxDepth": limit, "unknownFields": "allow"}), body), expected);
}

#[test]
fn what_is_of_another_kind_lacks_nothing_besides() {
    let rules = json!({"currency": {"pointer": "/amount/currency"}, "amounts": [
        {"pointer": "/amount/value"}, {"pointer": "/items/*/price"},
    ]});
    assert_eq!(judged(rules, r#"{"amount":1,"items":[{"price":1}]}"#), "not_an_object /amount");
    let rules = json!({"currency": {"pointer": "/lines/*/money/currency"}, "amounts": [
        {"pointer": "/lines/*/price"},
    ]});
    let body = r#"{"lines":[{"price":1,"money":{}},{"price":1,"money":1}]}"#;
    assert_eq!(judged(rules, body), "missing /lines/0/money/currency, not_an_object /lines/1/money");
}

/// Notes of what a body holds are bounded over all rules that judge it.
#[test]
fn a_body_with_more_values_than_are_judged_is_refused() {
    let rules = |count: usize| -> Vec<Value> {
        let rule = |at: usize| {
            rule(
                json!({"name": format!("r{at}"), "maxBodyBytes": 1_048_576, "amounts": [{"pointer": "/a/*"}],
                "unknownFields": "allow", "dryRun": at == 1}),
            )
        };
        (0..count).map(rule).collect()
    };
    let body = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["1"; count].join(","));
    // The second one is a dry run, which takes nothing from the others.
    for (count, most) in [(1, 65_536), (2, 65_536), (64, 1040)] {
        let config = config(&rules(count));
        let within = outcome(&config, &body(most));
        assert_eq!(faults(&within), "");
        let would = within.rulings.get(1).map(|ruling| ruling.code);
        assert_eq!(would, (count > 1).then_some(Some(Code::TooManyValues)));
        let outcome = outcome(&config, &body(most + 1));
        assert_eq!(faults(&outcome), "too_many_values");
        assert_eq!(outcome.faults[0].detail, format!("must have at most {most} values that are judged"));
        assert!(outcome.rulings.iter().all(|ruling| ruling.code == Some(Code::TooManyValues)));
    }
    let mut limited = rules(1);
    limited[0]["arrays"] = json!([{"pointer": "/a", "max": 10}]);
    assert_eq!(faults(&outcome(&config(&limited), &body(70_000))), "out_of_range /a");
}
