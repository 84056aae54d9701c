//! A configuration is refused with the place of its fault.

mod common;

use common::config;
use jwt_core::config::Config;
use rstest::rstest;
use serde_json::{Value, json};

#[test]
fn a_sound_configuration_is_taken() {
    let config = Config::from_json(config().to_string().as_bytes()).unwrap();
    assert_eq!((config.realm(), config.providers().len(), config.rules().len()), ("finpay", 1, 4));
    assert_eq!(config.providers()[0].leeway_seconds(), 60);
}

#[rstest]
#[case("/realm", json!(""), "realm:")]
#[case("/realm", json!("a\"b"), "realm:")]
#[case("/realm", json!(1), "realm:")]
#[case("/providers", json!([]), "providers:")]
#[case("/providers/0/issuer", json!("a\nb"), "providers[0].issuer:")]
#[case("/providers/0/audiences", json!([]), "providers[0].audiences:")]
#[case("/providers/0/algorithms", json!(["ES256", "HS256"]), "providers[0].algorithms[1]:")]
#[case("/providers/0/algorithms", json!(["none"]), "providers[0].algorithms[0]:")]
#[case("/providers/0/types", json!([""]), "providers[0].types:")]
#[case("/providers/0/leewaySeconds", json!(301), "providers[0].leewaySeconds:")]
#[case("/providers/0/leewaySeconds", json!("60"), "providers[0].leewaySeconds:")]
#[case("/providers/0/leeway", json!(60), "providers[0].leeway:")]
#[case("/providers/0/jwks/remote/cluster", json!(""), "providers[0].jwks.remote.cluster:")]
#[case("/providers/0/jwks/remote/path", json!("jwks"), "providers[0].jwks.remote.path:")]
#[case("/providers/0/jwks/remote/timeoutMs", json!(0), "providers[0].jwks.remote.timeoutMs:")]
#[case("/providers/0/jwks/remote/refreshSeconds", json!(-1), "providers[0].jwks.remote.refreshSeconds:")]
#[case("/providers/0/jwks/local", json!({}), "providers[0].jwks.local:")]
#[case("/rules/0/match/methods", json!([]), "rules[0].match.methods:")]
#[case("/rules/0/match/methods", json!(["post"]), "rules[0].match.methods:")]
#[case("/rules/0/match/methods", json!(["HEAD"]), "rules[0].match.methods:")]
#[case("/rules/0/match/path", json!({}), "rules[0].match.path:")]
#[case("/rules/0/match/path", json!({"exact": "/a", "prefix": "/a"}), "rules[0].match.path:")]
#[case("/rules/0/match/path/exact", json!("auth"), "rules[0].match.path.exact:")]
#[case("/rules/0/match/path/exact", json!("/a%2Fb"), "rules[0].match.path.exact:")]
#[case("/rules/0/match/path/regex", json!(".*"), "rules[0].match.path.regex:")]
#[case("/rules/0/scopes", json!(["a"]), "rules[0].scopes:")]
#[case("/rules/1/scopes", json!(["a b"]), "rules[1].scopes:")]
#[case("/rules/1/when", json!([]), "rules[1].when:")]
fn a_fault_is_named_by_its_path(#[case] pointer: &str, #[case] value: Value, #[case] expected: &str) {
    let mut document = config();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    let error = Config::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn one_issuer_cannot_be_configured_twice() {
    let mut document = config();
    let provider = document["providers"][0].clone();
    document["providers"].as_array_mut().unwrap().push(provider);
    let error = Config::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("providers[1].issuer:"), "{error}");
}

#[rstest]
#[case(b"")]
#[case(b"null")]
#[case(b"{}{}")]
fn what_is_no_object_is_refused(#[case] text: &[u8]) {
    assert!(Config::from_json(text).is_err());
}
