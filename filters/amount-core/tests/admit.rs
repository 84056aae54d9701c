//! What the header fields alone decide, and several rules at once.

mod common;

use amount_core::{Admission, Code, Config, Outcome, Scratch, Verdict};
use common::{config, faults, outcome, rule, with};
use rstest::rstest;
use serde_json::{Value, json};

const REQUEST: [(&str, &str); 4] = [
    (":method", "POST"),
    (":authority", "api.example.com"),
    (":path", "/pay"),
    ("content-type", "application/json"),
];

/// The request with other headers: the pseudo-headers in place of its own, the others besides.
fn admit(config: &Config, changes: &[(&str, &str)], is_end: bool) -> Admission {
    let replaced = |name: &str| name.starts_with(':') && changes.iter().any(|(changed, _)| *changed == name);
    let kept = REQUEST.iter().filter(|(name, _)| !replaced(name));
    let headers = kept.chain(changes).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    config.admit(headers, is_end)
}

fn told(admission: &Admission) -> String {
    match admission {
        Admission::Pass => "pass".to_owned(),
        Admission::Body(guard) => format!("body {}", guard.max_body_bytes),
        Admission::Decided(outcome) => faults(outcome),
    }
}

#[rstest]
#[case::itself(&[], "body 65536")]
#[case::query(&[(":path", "/pay?x=/../y")], "body 65536")]
#[case::other_path(&[(":path", "/pays")], "pass")]
#[case::other_path_in_another_form(&[(":path", "/%70ays")], "pass")]
#[case::other_method(&[(":method", "GET")], "pass")]
#[case::case(&[(":path", "/PAY")], "400 path")]
#[case::slash(&[(":path", "/pay/")], "400 path")]
#[case::escaped(&[(":path", "/%70ay")], "400 path")]
#[case::dots(&[(":path", "/x/../pay")], "400 path")]
#[case::absolute(&[(":path", "http://api.example.com/pay")], "400 path")]
#[case::method_case(&[(":method", "post")], "400 path")]
#[case::escaped_of_another_method(&[(":method", "GET"), (":path", "/%70ay")], "pass")]
#[case::upgrade(&[("upgrade", "websocket")], "400 upgrade")]
#[case::upgrade_of_another_method(&[(":method", "GET"), ("upgrade", "websocket")], "400 upgrade")]
#[case::upgrade_of_another_form(&[(":path", "/pay/"), ("upgrade", "websocket")], "400 upgrade")]
#[case::upgrade_elsewhere(&[(":path", "/"), ("upgrade", "websocket")], "pass")]
#[case::connect(&[(":method", "CONNECT")], "400 upgrade")]
#[case::type_twice(&[("content-type", "application/json")], "415 repeated_header")]
#[case::coding_twice(&[("content-encoding", "identity"), ("content-encoding", "gzip")], "415 repeated_header")]
#[case::three_codings(&[("content-encoding", "gzip"), ("content-encoding", "gzip"), ("content-encoding", "identity")], "415 repeated_header")]
#[case::coding(&[("content-encoding", "gzip")], "415 content_encoding")]
#[case::no_coding(&[("content-encoding", "identity")], "body 65536")]
#[case::type_by_another_name(&[("content_type", "text/plain")], "415 repeated_header")]
#[case::coding_by_another_name(&[("Content_Encoding", "gzip")], "415 repeated_header")]
#[case::override_of_another_method(&[(":method", "GET"), ("x-http-method-override", "post")], "400 path")]
#[case::override_elsewhere(&[(":method", "GET"), (":path", "/"), ("x-http-method", "POST")], "pass")]
#[case::override_to_another_method(&[("x-method-override", "PUT")], "body 65536")]
#[case::override_by_another_name(&[(":method", "GET"), ("x_http_method_override", "POST")], "400 path")]
#[case::override_and_rewrite(&[(":method", "GET"), (":path", "/"), ("x-http-method", "POST"), ("x-original-url", "/pay")], "400 path")]
#[case::upgrade_and_rewrite(&[(":path", "/"), ("upgrade", "x"), ("X_Rewrite_Url", "/pay")], "400 upgrade")]
#[case::rewrite(&[(":path", "/"), ("x-original-url", "/pay")], "400 path")]
#[case::rewrite_by_another_name(&[(":path", "/"), ("x-rewrite-url", "//pay")], "400 path")]
#[case::rewrite_elsewhere(&[(":path", "/"), ("x-original-url", "/pays")], "pass")]
#[case::length(&[("content-length", "65536")], "body 65536")]
#[case::length_above(&[("content-length", "65537")], "413 too_large_body")]
#[case::length_far_above(&[("content-length", "99999999999999999999999999")], "413 too_large_body")]
#[case::no_length(&[("content-length", "")], "400 content_length")]
#[case::length_with_a_sign(&[("content-length", "+5")], "400 content_length")]
#[case::length_twice(&[("content-length", "5"), ("content-length", "5")], "400 content_length")]
fn by_headers(#[case] changes: &[(&str, &str)], #[case] expected: &str) {
    assert_eq!(told(&admit(&config(&[rule(json!({}))]), changes, false)), expected);
}

#[test]
fn a_body_must_come_in_json() {
    let config = config(&[rule(json!({}))]);
    assert_eq!(told(&admit(&config, &[], true)), "400 empty_body");
    assert_eq!(told(&admit(&config, &[("content-encoding", "gzip")], true)), "415 content_encoding");
    let headers = REQUEST.iter().take(3).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    assert_eq!(told(&config.admit(headers, false)), "415 content_type");
}

/// Servers answer HEAD from the handler of GET.
#[rstest]
#[case("HEAD", "/quote", "body 65536")]
#[case("HEAD", "/QUOTE", "400 path")]
#[case("head", "/quote", "body 65536")]
#[case("Get", "/quote", "400 path")]
#[case("GET", "/quote", "body 65536")]
#[case("PUT", "/quote", "pass")]
fn head_is_judged_as_get(#[case] method: &str, #[case] path: &str, #[case] expected: &str) {
    let config = config(&[rule(json!({"match": {"methods": ["GET"], "path": {"exact": "/quote"}}}))]);
    assert_eq!(told(&admit(&config, &[(":method", method), (":path", path)], false)), expected);
}

#[test]
fn hosts_count_where_a_rule_names_some() {
    let path = json!({"hosts": ["*.example.com"], "methods": ["POST"], "path": {"prefix": "/pay"}});
    let config = config(&[rule(json!({"match": path}))]);
    for (host, expected) in [
        ("api.example.com", "body 65536"),
        ("API.example.com:80", "body 65536"),
        ("example.com", "pass"),
        ("api.example.com.", "400 path"),
        ("a b", "400 path"),
    ] {
        assert_eq!(
            told(&admit(&config, &[(":authority", host), (":path", "/pay/1")], false)),
            expected,
            "{host}"
        );
    }
    let host = [
        (":method", "POST"),
        ("host", "api.example.com"),
        (":path", "/pay"),
        ("content-type", "application/json"),
    ];
    let headers = host.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    assert_eq!(told(&config.admit(headers, false)), "body 65536");
}

/// A rule of this name, with an upper limit.
fn limited(name: &str, max: u64, changes: Value) -> Value {
    let amounts = json!([{"pointer": "/amount", "max": max}]);
    rule(with(json!({"name": name, "amounts": amounts}), changes))
}

fn rulings(outcome: &Outcome) -> Vec<String> {
    let told = |ruling: &amount_core::Ruling| {
        let code = ruling.code.map_or("ok", Code::as_str);
        format!("{} {} {code}", ruling.rule, ruling.verdict.as_str())
    };
    outcome.rulings.iter().map(told).collect()
}

#[test]
fn all_rules_that_match_are_judged() {
    let config = config(&[
        limited("a", 10, json!({})),
        limited("b", 5, json!({"fields": ["/note"]})),
        limited("c", 1, json!({"match": {"methods": ["POST"], "path": {"exact": "/other"}}})),
        limited("d", 3, json!({"dryRun": true})),
    ]);
    let passed = outcome(&config, r#"{"amount":3}"#);
    assert_eq!(rulings(&passed), ["0 allow ok", "1 allow ok", "3 allow ok"]);
    assert_eq!((passed.is_refused(), passed.would), (false, None));
    let dry = outcome(&config, r#"{"amount":4}"#);
    assert_eq!(rulings(&dry), ["0 allow ok", "1 allow ok", "3 would_deny above_cap"]);
    assert_eq!((dry.is_refused(), dry.would), (false, Some(Code::AboveCap)));
    let one = outcome(&config, r#"{"amount":6}"#);
    assert_eq!(rulings(&one), ["0 allow ok", "1 deny above_cap", "3 would_deny above_cap"]);
    // The same fault of two rules is told once, another one of one rule all the same.
    assert_eq!(
        faults(&outcome(&config, r#"{"amount":11,"note":1}"#)),
        "above_cap /amount, unknown_field /note"
    );
    let malformed = outcome(&config, "{");
    assert_eq!(rulings(&malformed), ["0 deny syntax", "1 deny syntax", "3 would_deny syntax"]);
    assert_eq!(faults(&malformed), "400 syntax");
}

#[test]
fn the_first_rule_s_amount_is_told_and_not_a_dry_run_s() {
    let config = config(&[
        limited("a", 10, json!({"dryRun": true, "verified": "/amount", "currency": {"fixed": "EUR"}})),
        limited("b", 10, json!({})),
        limited("c", 10, json!({"verified": "/amount", "currency": {"fixed": "JPY"}})),
        limited("d", 5, json!({"verified": "/amount"})),
    ]);
    assert_eq!(outcome(&config, r#"{"amount":5}"#).verified.as_deref(), Some("5;currency=JPY;exponent=0"));
    assert_eq!(outcome(&config, r#"{"amount":6}"#).verified, None);
}

#[test]
fn a_dry_run_s_limits_refuse_nothing() {
    let dry = |changes: Value| limited("dry", 10, with(json!({"dryRun": true}), changes));
    let both = config(&[
        dry(json!({"maxBodyBytes": 8, "maxDepth": 1})),
        limited("b", 10, json!({"fields": ["/x/*"]})),
    ]);
    let body = r#"{"amount":1,"x":[]}"#;
    assert_eq!(told(&admit(&both, &[("content-length", "19")], false)), "body 65536");
    assert_eq!(rulings(&outcome(&both, body)), ["0 would_deny too_large_body", "1 allow ok"]);
    let deep = config(&[dry(json!({"maxDepth": 1})), limited("b", 10, json!({"fields": ["/x/*"]}))]);
    assert_eq!(rulings(&outcome(&deep, body)), ["0 would_deny too_deep", "1 allow ok"]);
    let alone = config(&[
        dry(json!({"maxBodyBytes": 8})),
        limited("e", 10, json!({"dryRun": true, "maxBodyBytes": 12})),
    ]);
    let Admission::Body(guard) = admit(&alone, &[], false) else { panic!("a body") };
    assert_eq!(guard.max_body_bytes, 12);
    let large = alone.too_large(guard);
    assert_eq!(rulings(&large), ["0 would_deny too_large_body", "1 would_deny too_large_body"]);
    assert!(!large.is_refused());
    let judged = alone.judge(guard, br#"{"amount":1}"#, &mut Scratch::default());
    assert_eq!(rulings(&judged), ["0 would_deny too_large_body", "1 allow ok"]);
}

#[test]
fn the_shortest_limit_refuses_and_the_others_say_nothing() {
    let limits =
        [("a", 100), ("b", 12)].map(|(name, limit)| limited(name, 1, json!({"maxBodyBytes": limit})));
    let config = config(&limits);
    let Admission::Decided(outcome) = admit(&config, &[("content-length", "13")], false) else {
        panic!("refused")
    };
    assert_eq!(rulings(&outcome), ["1 deny too_large_body"]);
    assert_eq!(
        outcome.faults.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>(),
        ["At most 12 bytes."]
    );
    assert_eq!(rulings(&common::outcome(&config, r#"{"amount": 1}"#)), ["1 deny too_large_body"]);
    assert_eq!(rulings(&common::outcome(&config, r#"{"amount":1}"#)), ["0 allow ok", "1 allow ok"]);
}

#[test]
fn a_dry_run_lets_through_what_its_headers_would_refuse() {
    let dry = config(&[limited("dry", 1, json!({"dryRun": true}))]);
    for changes in [("content-encoding", "gzip"), (":path", "/PAY"), ("upgrade", "x")] {
        let Admission::Decided(outcome) = admit(&dry, &[changes], false) else { panic!("decided") };
        assert!(!outcome.is_refused() && outcome.would.is_some(), "{outcome:?}");
        assert_eq!(
            outcome.rulings.iter().map(|ruling| ruling.verdict).collect::<Vec<_>>(),
            [Verdict::WouldDeny]
        );
    }
}

#[test]
fn a_dry_run_s_doubt_keeps_no_other_rule_from_judging() {
    let template = json!({"methods": ["POST"], "path": {"template": "/{any}"}});
    let rules = [limited("dry", 1, json!({"dryRun": true})), limited("b", 1, json!({"match": template}))];
    let Admission::Body(guard) = admit(&config(&rules), &[(":path", "/PAY")], false) else {
        panic!("a body")
    };
    let outcome = config(&rules).judge(guard, br#"{"amount":2}"#, &mut Scratch::default());
    assert_eq!(rulings(&outcome), ["0 would_deny path", "1 deny above_cap"]);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let config = config(&[limited("a", 1, json!({})), limited("dry", 1, json!({"dryRun": true}))]);
    let Admission::Body(guard) = admit(&config, &[], false) else { panic!("a body") };
    assert_eq!(rulings(&config.unreadable(guard)), ["0 deny unreadable", "1 would_deny unreadable"]);
    assert!(config.unreadable_headers().is_refused());
    let other = common::config(&[limited("a", 1, json!({}))]);
    let two: Vec<_> = (0..3)
        .map(|index| {
            limited(
                &format!("r{index}"),
                1,
                json!({"match": {
        "methods": ["POST"], "path": {"exact": if index == 2 { "/pay" } else { "/x" }}}}),
            )
        })
        .collect();
    let guard = common::guard(&common::config(&two), "/pay");
    let outcome = other.judge(guard, br#"{"amount":1}"#, &mut Scratch::default());
    assert_eq!(faults(&outcome), "400 unreadable");
}
