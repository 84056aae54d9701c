//! The memory of good signatures: what it saves, and what it must not decide.

mod common;

use std::cell::Cell;

use common::{NOW, claims, header, jwk, parsed, set, sign, valid, with};
use jwt_core::algorithm::Algorithm;
use jwt_core::jwks::Key;
use jwt_core::memory::Remembering;
use jwt_core::token::Signed;
use jwt_core::verdict::Reason;
use jwt_core::verify::{JwtSimple, SignatureCheck, verify};
use serde_json::json;

#[derive(Debug, Default)]
struct Counting {
    checks: Cell<usize>,
}

impl SignatureCheck for &Counting {
    fn is_signed_by(&self, token: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        self.checks.set(self.checks.get() + 1);
        JwtSimple.is_signed_by(token, algorithm, key)
    }
}

#[test]
fn a_token_is_checked_once_until_the_keys_change() {
    let counting = Counting::default();
    let memory = Remembering::new(&counting);
    for _ in 0..3 {
        assert!(verify(&parsed(), &set(&[jwk()]), &memory, &valid(), NOW).is_ok());
    }
    assert_eq!(counting.checks.get(), 1);
    memory.forget();
    assert!(verify(&parsed(), &set(&[jwk()]), &memory, &valid(), NOW).is_ok());
    assert_eq!(counting.checks.get(), 2);
}

#[test]
fn a_bad_signature_is_not_remembered_and_shares_nothing_with_a_good_one() {
    let memory = Remembering::new(JwtSimple);
    let good = valid();
    let other = sign(&header(), &with(claims(), json!({"sub": "bob"})));
    let (signed, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{signature}");
    for _ in 0..2 {
        assert!(verify(&parsed(), &set(&[jwk()]), &memory, &good, NOW).is_ok());
        assert_eq!(verify(&parsed(), &set(&[jwk()]), &memory, &forged, NOW), Err(Reason::Signature));
    }
}

#[test]
fn a_remembered_token_expires_and_needs_its_key_all_the_same() {
    let memory = Remembering::new(JwtSimple);
    assert!(verify(&parsed(), &set(&[jwk()]), &memory, &valid(), NOW).is_ok());
    assert_eq!(verify(&parsed(), &set(&[jwk()]), &memory, &valid(), NOW + 960), Err(Reason::Expired));
    let renamed = set(&[with(jwk(), json!({"kid": "k2"}))]);
    assert_eq!(verify(&parsed(), &renamed, &memory, &valid(), NOW), Err(Reason::UnknownKey));
}
