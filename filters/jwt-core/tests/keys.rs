//! Which keys of a document are used, and for what each of the others is dropped.

mod signers;

use jwt_core::algorithm::Algorithm;
use jwt_core::config::Limits;
use jwt_core::jwks::{Dropped, KeySet, Unusable};
use rstest::rstest;
use serde_json::{Value, json};
use signers::{b64, bytes, key, set, signer};

/// This JWK with these members put in; null takes a member out.
fn with(mut jwk: Value, changes: &Value) -> Value {
    let members = jwk.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    jwk
}

fn parse(keys: &[Value]) -> Result<KeySet, Unusable> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &Limits::default())
}

/// Why this key of the algorithm's signer is dropped with these changes, if it is. A sound key beside it stays.
fn dropped(algorithm: Algorithm, changes: &Value) -> Option<Dropped> {
    let sound = with(signer(Algorithm::EdDsa).jwk.clone(), &json!({"kid": "sound"}));
    let set = set(&[with(signer(algorithm).jwk.clone(), changes), sound]);
    assert!(set.get("sound").is_some());
    assert_eq!(set.count() + set.dropped().len(), 2);
    set.dropped().first().copied()
}

#[rstest]
#[case::no_kid(json!({"kid": null}), Dropped::Kid)]
#[case::empty_kid(json!({"kid": ""}), Dropped::Kid)]
#[case::kid_not_text(json!({"kid": 1}), Dropped::Malformed)]
#[case::private(json!({"d": "AQ"}), Dropped::Private)]
#[case::private_and_empty(json!({"d": ""}), Dropped::Private)]
#[case::symmetric(json!({"kty": "oct", "k": "AQ"}), Dropped::Private)]
#[case::symmetric_without_value(json!({"kty": "oct"}), Dropped::Algorithm)]
#[case::no_type(json!({"kty": null}), Dropped::Algorithm)]
#[case::type_in_other_case(json!({"kty": "ec"}), Dropped::Algorithm)]
#[case::no_curve(json!({"crv": null}), Dropped::Algorithm)]
#[case::curve_of_the_other_type(json!({"crv": "Ed25519"}), Dropped::Algorithm)]
#[case::bitcoin_curve(json!({"crv": "secp256k1"}), Dropped::Algorithm)]
#[case::larger_curve(json!({"crv": "P-521", "alg": "ES512"}), Dropped::Algorithm)]
#[case::algorithm_of_the_other_curve(json!({"alg": "ES384"}), Dropped::Algorithm)]
#[case::algorithm_of_another_type(json!({"alg": "RS256"}), Dropped::Algorithm)]
#[case::symmetric_algorithm(json!({"alg": "HS256"}), Dropped::Algorithm)]
#[case::no_algorithm_by_name(json!({"alg": "none"}), Dropped::Algorithm)]
#[case::key_agreement(json!({"alg": "ECDH-ES"}), Dropped::Algorithm)]
#[case::algorithm_not_text(json!({"alg": ["ES256"]}), Dropped::Malformed)]
#[case::encryption(json!({"use": "enc"}), Dropped::Use)]
#[case::use_not_text(json!({"use": 1}), Dropped::Malformed)]
#[case::no_operation(json!({"key_ops": []}), Dropped::Use)]
#[case::signing_only(json!({"key_ops": ["sign"]}), Dropped::Use)]
#[case::operations_not_array(json!({"key_ops": "verify"}), Dropped::Malformed)]
#[case::no_x(json!({"x": null}), Dropped::Malformed)]
#[case::x_not_text(json!({"x": 1}), Dropped::Malformed)]
#[case::x_in_standard_base64(json!({"x": "+".repeat(43)}), Dropped::Malformed)]
#[case::x_too_short(json!({"x": b64([1; 31])}), Dropped::Malformed)]
#[case::x_too_long(json!({"x": b64([1; 33])}), Dropped::Malformed)]
#[case::not_on_the_curve(json!({"x": b64([1; 32])}), Dropped::Malformed)]
#[case::origin(json!({"x": b64([0; 32]), "y": b64([0; 32])}), Dropped::Malformed)]
#[case::coordinates_beyond_the_field(json!({"x": b64([255; 32]), "y": b64([255; 32])}), Dropped::Malformed)]
fn drops_an_ec_key(#[case] changes: Value, #[case] reason: Dropped) {
    assert_eq!(dropped(Algorithm::Es256, &changes), Some(reason));
}

#[rstest]
#[case::smaller_curve(json!({"crv": "P-256", "alg": null}), Dropped::Malformed)]
#[case::algorithm_of_the_other_curve(json!({"alg": "ES256"}), Dropped::Algorithm)]
#[case::coordinate_without_leading_zero(json!({"x": b64([1; 47])}), Dropped::Malformed)]
#[case::not_on_the_curve(json!({"x": b64([1; 48])}), Dropped::Malformed)]
fn drops_a_p384_key(#[case] changes: Value, #[case] reason: Dropped) {
    assert_eq!(dropped(Algorithm::Es384, &changes), Some(reason));
}

#[rstest]
#[case::key_agreement(json!({"crv": "X25519", "alg": null}), Dropped::Algorithm)]
#[case::larger_curve(json!({"crv": "Ed448"}), Dropped::Algorithm)]
#[case::other_algorithm(json!({"alg": "ES256"}), Dropped::Algorithm)]
#[case::too_short(json!({"x": b64([1; 31])}), Dropped::Malformed)]
#[case::too_long(json!({"x": b64([1; 33])}), Dropped::Malformed)]
// The neutral point and a point of order 4: everybody can sign for such a key.
#[case::neutral(json!({"x": b64([&[1][..], &[0; 31]].concat())}), Dropped::Malformed)]
#[case::small_order(json!({"x": b64([0; 32])}), Dropped::Malformed)]
fn drops_an_ed25519_key(#[case] changes: Value, #[case] reason: Dropped) {
    assert_eq!(dropped(Algorithm::EdDsa, &changes), Some(reason));
}

fn modulus() -> Vec<u8> {
    bytes(signer(Algorithm::Rs256).jwk["n"].as_str().unwrap())
}

/// 65537^128: the form of the moduli of CVE-2017-15361, with 2049 bits.
fn roca() -> Vec<u8> {
    let mut number = vec![1_u8];
    for _ in 0..128 {
        // Times 65537 is the number and, two bytes further up, the number again.
        let (low, high) = ([&[0, 0], number.as_slice()].concat(), [number.as_slice(), &[0, 0]].concat());
        let mut carry = 0_u16;
        number = low
            .iter()
            .zip(&high)
            .rev()
            .map(|(left, right)| {
                carry = (carry >> 8) + u16::from(*left) + u16::from(*right);
                carry.to_be_bytes()[1]
            })
            .collect();
        number.push(carry.to_be_bytes()[0]);
        number.reverse();
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        number.drain(..zeros);
    }
    number
}

#[rstest]
#[case::exponent_1(json!({"e": "AQ"}), Dropped::Weak)]
#[case::exponent_3(json!({"e": "Aw"}), Dropped::Weak)]
#[case::even_exponent(json!({"e": "AQAA"}), Dropped::Weak)]
#[case::exponent_with_leading_zero(json!({"e": "AAEAAQ"}), Dropped::Malformed)]
#[case::empty_exponent(json!({"e": ""}), Dropped::Malformed)]
#[case::no_exponent(json!({"e": null}), Dropped::Malformed)]
#[case::padded_exponent(json!({"e": "AQAB="}), Dropped::Malformed)]
#[case::no_modulus(json!({"n": null}), Dropped::Malformed)]
#[case::modulus_with_leading_zero(json!({"n": b64([&[0], modulus().as_slice()].concat())}), Dropped::Malformed)]
#[case::of_1024_bits(json!({"n": b64(&modulus()[128..])}), Dropped::Weak)]
#[case::of_2040_bits(json!({"n": b64(&modulus()[1..])}), Dropped::Weak)]
#[case::of_4104_bits(json!({"n": b64([modulus(), modulus(), vec![1]].concat())}), Dropped::TooLarge)]
#[case::even_modulus(json!({"n": b64([&modulus()[..255], &[2]].concat())}), Dropped::Weak)]
#[case::broken_generator(json!({"n": b64(roca())}), Dropped::Weak)]
#[case::encryption(json!({"alg": "RSA-OAEP"}), Dropped::Algorithm)]
#[case::larger_digest_with_pss(json!({"alg": "PS384"}), Dropped::Algorithm)]
#[case::other_type_s_algorithm(json!({"alg": "ES256"}), Dropped::Algorithm)]
#[case::private_prime(json!({"p": "AQ"}), Dropped::Private)]
#[case::other_primes(json!({"oth": []}), Dropped::Private)]
fn drops_an_rsa_key(#[case] changes: Value, #[case] reason: Dropped) {
    assert_eq!(dropped(Algorithm::Rs256, &changes), Some(reason));
}

#[test]
fn each_algorithm_s_key_checks_that_one_only() {
    for algorithm in Algorithm::ALL {
        let key = signer(algorithm).key();
        assert_eq!(key.algorithms().collect::<Vec<_>>(), [algorithm]);
        for other in Algorithm::ALL {
            assert_eq!(key.may_check(other), other == algorithm);
        }
    }
}

#[rstest]
#[case::p256(Algorithm::Es256, &[Algorithm::Es256])]
#[case::p384(Algorithm::Es384, &[Algorithm::Es384])]
#[case::ed25519(Algorithm::EdDsa, &[Algorithm::EdDsa])]
#[case::rsa(Algorithm::Ps256, &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256])]
fn without_alg_the_kind_of_key_decides(#[case] algorithm: Algorithm, #[case] expected: &[Algorithm]) {
    let jwk = with(signer(algorithm).jwk.clone(), &json!({"alg": null}));
    assert_eq!(key(&jwk).algorithms().collect::<Vec<_>>(), expected);
}

#[rstest]
#[case::for_signatures(json!({"use": "sig", "key_ops": ["verify"]}))]
#[case::more_operations(json!({"key_ops": ["encrypt", "verify"]}))]
#[case::certificates_are_not_looked_at(json!({"x5c": ["nonsense"], "x5t": 1, "x5t#S256": "", "x5u": "http://x"}))]
#[case::unknown_members(json!({"ext": true, "iat": 1}))]
fn takes_a_key_with(#[case] changes: Value) {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        assert_eq!(dropped(algorithm, &changes), None);
    }
}

#[test]
fn two_keys_of_one_name_are_both_dropped() {
    let (one, other) = (signer(Algorithm::Es256).jwk.clone(), signer(Algorithm::EdDsa).jwk.clone());
    assert_eq!(parse(&[one, other]).unwrap_err(), Unusable::Empty(vec![Dropped::Duplicate]));
}

#[test]
fn a_set_has_a_limit_of_keys_and_of_bytes() {
    let jwk = |index: usize| with(signer(Algorithm::Es256).jwk.clone(), &json!({"kid": index.to_string()}));
    let default = Limits::default();
    let keys: Vec<Value> = (0..=default.jwks_keys).map(jwk).collect();
    assert_eq!(parse(&keys[..default.jwks_keys]).unwrap().count(), 100);
    assert_eq!(parse(&keys).unwrap_err(), Unusable::NotASet);
    let mut document = json!({"keys": [jwk(0)]}).to_string();
    document.push_str(&" ".repeat(default.jwks_bytes - document.len()));
    assert!(KeySet::parse(document.as_bytes(), &default).is_ok());
    document.push(' ');
    assert_eq!(KeySet::parse(document.as_bytes(), &default).unwrap_err(), Unusable::NotASet);
}

#[rstest]
#[case::empty("")]
#[case::array("[]")]
#[case::no_keys("{}")]
#[case::keys_not_array(r#"{"keys":{}}"#)]
#[case::two_lists(r#"{"keys":[],"keys":[]}"#)]
#[case::trailing_comma(r#"{"keys":[],}"#)]
fn refuses_what_is_no_set(#[case] document: &str) {
    assert_eq!(KeySet::parse(document.as_bytes(), &Limits::default()).unwrap_err(), Unusable::NotASet);
}

#[test]
fn every_reason_has_a_label_of_its_own() {
    let all = [
        Dropped::Kid,
        Dropped::Duplicate,
        Dropped::Private,
        Dropped::Algorithm,
        Dropped::Use,
        Dropped::Malformed,
        Dropped::Weak,
        Dropped::TooLarge,
    ];
    let labels: std::collections::BTreeSet<_> = all.map(Dropped::as_str).into();
    assert_eq!(labels.len(), all.len());
}
