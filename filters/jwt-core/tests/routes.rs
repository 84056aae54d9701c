//! What a request needs, and what the client is told.

mod common;

use common::{claims, header, jwk, request, sign, valid, with};
use jwt_core::config::Limits;
use jwt_core::jwks::{Dropped, KeySet, Unusable};
use jwt_core::verdict::{Denial, Reason, Verdict};
use rstest::rstest;
use serde_json::{Value, json};

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn reason(verdict: Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Deny(denial) => Some(denial.reason),
        Verdict::Open(_) | Verdict::Allow(_) => None,
    }
}

#[rstest]
#[case::read("GET", "/order/1", None)]
#[case::head_as_get("HEAD", "/order/1", None)]
#[case::write("POST", "/order/create?x=y", None)]
#[case::both_scopes_needed("GET", "/payment", Some(Reason::Scope))]
#[case::prefix_covers_segments("GET", "/payment/1", Some(Reason::Scope))]
#[case::prefix_ends_at_a_segment("GET", "/payments", None)]
#[case::no_rule("DELETE", "/order/1", None)]
#[case::ambiguous_path("GET", "/order/%31", Some(Reason::Path))]
fn a_token_with_order_scopes(#[case] method: &str, #[case] path: &str, #[case] expected: Option<Reason>) {
    assert_eq!(reason(request(method, path, &[&bearer(&valid())])), expected);
}

#[rstest]
#[case::public("POST", "/auth/login", None)]
#[case::other_method("GET", "/auth/login", Some(Reason::MissingToken))]
#[case::below_a_public_path("POST", "/auth/login/", Some(Reason::MissingToken))]
#[case::no_rule("GET", "/", Some(Reason::MissingToken))]
#[case::trick("POST", "/x/../auth/login", Some(Reason::Path))]
fn no_token(#[case] method: &str, #[case] path: &str, #[case] expected: Option<Reason>) {
    assert_eq!(reason(request(method, path, &[])), expected);
}

#[test]
fn a_public_route_never_looks_at_credentials() {
    assert_eq!(request("POST", "/auth/login", &["Bearer x", "Bearer y"]), Verdict::Open(Reason::Public));
}

#[test]
fn head_needs_the_scopes_of_get() {
    let token = sign(&header(), &with(claims(), json!({"scope": "orders:write"})));
    assert_eq!(reason(request("HEAD", "/order/1", &[&bearer(&token)])), Some(Reason::Scope));
}

#[test]
fn a_repeated_header_is_a_bad_request() {
    let token = bearer(&valid());
    assert_eq!(reason(request("GET", "/order/1", &[&token, &token])), Some(Reason::Request));
}

#[rstest]
#[case(Reason::MissingToken, 401, "missing-token", Some(r#"Bearer realm="finpay""#))]
#[case(Reason::Expired, 401, "invalid-token", Some(r#"Bearer realm="finpay", error="invalid_token""#))]
#[case(Reason::Signature, 401, "invalid-token", Some(r#"Bearer realm="finpay", error="invalid_token""#))]
#[case(Reason::Request, 400, "invalid-request", Some(r#"Bearer realm="finpay", error="invalid_request""#))]
#[case(Reason::Path, 400, "invalid-path", None)]
#[case(Reason::KeysUnavailable, 503, "keys-unavailable", None)]
fn answers_as_rfc_6750_says(
    #[case] reason: Reason,
    #[case] status: u16,
    #[case] code: &str,
    #[case] challenge: Option<&str>,
) {
    let answer = Denial::from(reason).answer("finpay");
    assert_eq!((answer.status, answer.code, answer.challenge.as_deref()), (status, code, challenge));
    assert_eq!(answer.retry_after.is_some(), reason == Reason::KeysUnavailable);
}

#[test]
fn a_missing_scope_is_named() {
    let denial = Denial { reason: Reason::Scope, scope: "a b".to_owned() };
    let challenge = r#"Bearer realm="finpay", error="insufficient_scope", scope="a b""#;
    assert_eq!(denial.answer("finpay").challenge.as_deref(), Some(challenge));
}

#[rstest]
#[case::no_kid(json!({"kid": null}), Dropped::Kid)]
#[case::empty_kid(json!({"kid": ""}), Dropped::Kid)]
#[case::private(json!({"d": "AA"}), Dropped::Private)]
#[case::symmetric(json!({"kty": "oct", "k": "AA"}), Dropped::Private)]
#[case::rsa(json!({"kty": "RSA"}), Dropped::Algorithm)]
#[case::other_curve(json!({"crv": "P-384"}), Dropped::Algorithm)]
#[case::other_algorithm(json!({"alg": "ES384"}), Dropped::Algorithm)]
#[case::encryption(json!({"use": "enc"}), Dropped::Use)]
#[case::sign_only(json!({"key_ops": ["sign"]}), Dropped::Use)]
#[case::off_the_curve(json!({"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), Dropped::Malformed)]
#[case::short(json!({"x": "AAAA"}), Dropped::Malformed)]
#[case::padded(json!({"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}), Dropped::Malformed)]
fn a_bad_key_is_dropped_and_the_good_one_stays(#[case] change: Value, #[case] reason: Dropped) {
    let bad = with(with(jwk(), json!({"kid": "bad"})), change);
    let set =
        KeySet::parse(json!({"keys": [bad, jwk()]}).to_string().as_bytes(), &Limits::default()).unwrap();
    assert_eq!((set.count(), set.dropped()), (1, [reason].as_slice()));
    assert!(set.get("k1").is_some() && set.get("bad").is_none());
    let alone = KeySet::parse(json!({"keys": [bad]}).to_string().as_bytes(), &Limits::default());
    assert_eq!(alone.err(), Some(Unusable::Empty(vec![reason])));
}

#[test]
fn two_keys_of_one_name_are_none() {
    let document = json!({"keys": [jwk(), jwk(), with(jwk(), json!({"kid": "k2"}))]});
    let set = KeySet::parse(document.to_string().as_bytes(), &Limits::default()).unwrap();
    assert!(set.get("k1").is_none() && set.get("k2").is_some());
    assert_eq!(set.dropped(), [Dropped::Duplicate]);
}

#[rstest]
#[case(b"")]
#[case(b"{}")]
#[case(b"[]")]
#[case(br#"{"keys":{}}"#)]
#[case(br#"{"keys":[],"keys":[]}"#)]
#[case(b"<html>")]
fn what_is_no_set_is_refused(#[case] document: &[u8]) {
    assert_eq!(KeySet::parse(document, &Limits::default()).err(), Some(Unusable::NotASet));
}
