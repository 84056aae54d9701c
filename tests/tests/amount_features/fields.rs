//! Fields that a rule does not judge.

use anyhow::Result;
use serde_json::json;
use tests::amount::{Case, Tools, amount_rule, invalid, judge_both_ways, rules};
use tests::post::Post;

use super::case;

#[tokio::test]
async fn unknown_fields_are_refused_or_not_looked_at() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let strict = amount_rule("strict", json!({}));
    let mut known = amount_rule("known", json!({}));
    known["fields"] = json!(["/note", "/metadata/**", "/tags/*", "/lines/*/sku", "/a~1b", "/deep/*/*/x"]);
    let mut open = amount_rule("open", json!({}));
    open["unknownFields"] = "allow".into();
    let mut anything = amount_rule("anything", json!({}));
    anything["fields"] = json!(["/**"]);
    let with = |name: &str, value: serde_json::Value| json!({"amount": 1, "currency": "USD", name: value});
    let deep = json!({"a": [{"b": null}, [1.5, "x"]], "amount": -1, "": {"~": true}});
    let mut cases = vec![
        case("/strict", &with("note", json!("x")), &invalid("unknown_field", "/note")),
        case("/strict", &with("metadata", deep.clone()), &invalid("unknown_field", "/metadata")),
        case("/strict", &with("Amount", json!(1)), &invalid("unknown_field", "/Amount")),
        case("/strict", &with("amounts", json!(1)), &invalid("unknown_field", "/amounts")),
        case("/known", &with("note", json!("x")), "200"),
        case("/known", &with("metadata", deep.clone()), "200"),
        case("/known", &with("metadata", json!(7)), "200"),
        case("/known", &with("a/b", json!(7)), "200"),
        case("/known", &with("tags", json!(["a", 1, null])), "200"),
        case("/known", &with("lines", json!([{"sku": 1}, {}])), "200"),
        case("/known", &with("lines", json!([{"sku": 1, "x": 2}])), &invalid("unknown_field", "/lines/0/x")),
        case("/known", &with("lines", json!([{}, {"y": {"z": 1}}])), &invalid("unknown_field", "/lines/1/y")),
        case("/known", &with("deep", json!([[{"x": 1}], []])), "200"),
        case(
            "/known",
            &with("deep", json!([[{"x": 1}, {"y": 1}]])),
            &invalid("unknown_field", "/deep/0/1/y"),
        ),
        case("/known", &with("other", json!(1)), &invalid("unknown_field", "/other")),
        case("/anything", &with("other", deep.clone()), "200"),
        case("/anything", &json!({"amount": 0, "currency": "USD", "x": 1}), &invalid("zero", "/amount")),
    ];
    for (name, value) in [("note", json!("x")), ("metadata", deep), ("4111111111111111", json!([]))] {
        cases.push(case("/open", &with(name, value), "200"));
    }
    cases.push(case("/open", &json!({"amount": 0, "currency": "USD", "x": 1}), &invalid("zero", "/amount")));
    let twice = r#"{"amount":1,"currency":"USD","x":{"y":1,"\u0079":2}}"#;
    for path in ["/open", "/anything"] {
        cases.push(Case::new(
            "not judged, but read",
            Post::json(path, twice),
            "400 malformed-body: duplicate_key",
        ));
    }
    judge_both_ways(&tools, &rules(&[strict, known, open, anything]), &cases).await
}

/// A name is one name, however it is written; a pointer's escapes are those of RFC 6901.
#[tokio::test]
async fn names_are_compared_unescaped() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let mut rule = amount_rule("pay", json!({}));
    rule["amounts"][0]["pointer"] = "/a~1m~0/t\u{e9}".into();
    let body = |key: &str, inner: &str, amount: &str| {
        Post::json("/pay", format!(r#"{{"currency":"USD","{key}":{{"{inner}":{amount}}}}}"#))
    };
    let zero = invalid("zero", "/a~1m~0/t\u{e9}");
    let mut cases = Vec::new();
    for (key, inner) in [("a/m~", "té"), (r"a\/m~", "té"), (r"\u0061\u002fm\u007E", r"t\u00e9")] {
        cases.push(Case::new(format!("{key} {inner}"), body(key, inner, "1"), "200"));
        cases.push(Case::new(format!("{key} {inner}, zero"), body(key, inner, "0"), &*zero));
    }
    judge_both_ways(&tools, &rules(&[rule]), &cases).await
}
