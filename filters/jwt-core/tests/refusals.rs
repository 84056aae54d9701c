//! One case for each way in which a token can be wrong.

mod common;

use common::{
    NOW, b64, claims, header, jwk, parsed, refusal, sign, sign_texts, signature, valid, verifier, with,
};
use jwt_core::signature::InModule;
use jwt_core::verdict::Reason;
use jwt_core::verify::Verifier;
use jwt_simple::algorithms::{Ed25519KeyPair, EdDSAKeyPairLike};
use jwt_simple::common::HeaderOptions;
use jwt_simple::prelude::{Claims, Duration, UnixTimeStamp};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

#[test]
fn a_valid_token_gives_its_claims() {
    let config = parsed();
    let identity = verifier(&config, &[jwk()]).verify(&config, valid().as_bytes(), NOW).unwrap();
    let headers: Vec<_> = identity.headers(&config.providers[0]).collect();
    let expires = (NOW + 900).to_string();
    let expected: [(&str, &[u8]); 5] = [
        ("x-jwt-sub", b"alice"),
        ("x-jwt-scope", b"orders:read orders:write"),
        ("x-jwt-iss", b"https://auth.finpay.example"),
        ("x-jwt-exp", expires.as_bytes()),
        ("x-jwt-jti", b"j1"),
    ];
    assert_eq!(headers, expected);
}

#[rstest]
#[case::none(json!({"alg": "none"}), Reason::Algorithm)]
#[case::none_in_capitals(json!({"alg": "NONE"}), Reason::Algorithm)]
#[case::hmac(json!({"alg": "HS256"}), Reason::Algorithm)]
#[case::other_curve(json!({"alg": "ES384"}), Reason::Algorithm)]
#[case::case_of_the_algorithm(json!({"alg": "es256"}), Reason::Algorithm)]
#[case::other_family_than_the_key(json!({"alg": "EdDSA"}), Reason::Algorithm)]
#[case::algorithm_not_text(json!({"alg": 1}), Reason::Malformed)]
#[case::algorithm_missing(json!({"alg": null}), Reason::Malformed)]
#[case::key_missing(json!({"kid": null}), Reason::UnknownKey)]
#[case::key_unknown(json!({"kid": "k2"}), Reason::UnknownKey)]
#[case::key_as_path(json!({"kid": "../k1"}), Reason::UnknownKey)]
#[case::key_as_sql(json!({"kid": "k1' OR '1'='1"}), Reason::UnknownKey)]
#[case::key_with_nul(json!({"kid": "k1\0"}), Reason::UnknownKey)]
#[case::key_in_other_case(json!({"kid": "K1"}), Reason::UnknownKey)]
#[case::key_not_text(json!({"kid": 1}), Reason::Malformed)]
#[case::key_too_long(json!({"kid": "k".repeat(257)}), Reason::Malformed)]
#[case::type_missing(json!({"typ": null}), Reason::Type)]
#[case::type_other(json!({"typ": "dpop+jwt"}), Reason::Type)]
#[case::type_not_text(json!({"typ": 1}), Reason::Malformed)]
#[case::critical(json!({"crit": ["exp"], "exp": 1}), Reason::Malformed)]
#[case::critical_and_empty(json!({"crit": []}), Reason::Malformed)]
#[case::unencoded(json!({"b64": false}), Reason::Malformed)]
#[case::own_key(json!({"jwk": {}}), Reason::Malformed)]
#[case::key_by_url(json!({"jku": "https://x"}), Reason::Malformed)]
#[case::certificate(json!({"x5c": []}), Reason::Malformed)]
#[case::certificate_by_url(json!({"x5u": "https://x"}), Reason::Malformed)]
#[case::nested(json!({"cty": "JWT"}), Reason::Malformed)]
#[case::compressed(json!({"zip": "DEF"}), Reason::Malformed)]
fn refuses_the_header(#[case] change: Value, #[case] reason: Reason) {
    assert_eq!(refusal(&sign(&with(header(), change), &claims())), Some(reason));
}

#[rstest]
#[case::exp_missing(json!({"exp": null}), Reason::Claims)]
#[case::exp_zero(json!({"exp": 0}), Reason::Expired)]
#[case::exp_negative(json!({"exp": -1}), Reason::Claims)]
#[case::exp_text(json!({"exp": "1900000000"}), Reason::Claims)]
#[case::exp_fraction(json!({"exp": 1_900_000_000.5}), Reason::Claims)]
#[case::exp_float(json!({"exp": 1_900_000_000.0}), Reason::Claims)]
#[case::exp_huge(json!({"exp": u64::MAX}), Reason::Claims)]
#[case::exp_passed(json!({"exp": NOW - 60}), Reason::Expired)]
#[case::nbf_ahead(json!({"nbf": NOW + 61}), Reason::NotYetValid)]
#[case::nbf_text(json!({"nbf": "1"}), Reason::Claims)]
#[case::iat_ahead(json!({"iat": NOW + 61}), Reason::NotYetValid)]
#[case::iat_bool(json!({"iat": true}), Reason::Claims)]
#[case::iss_missing(json!({"iss": null}), Reason::Issuer)]
#[case::iss_other(json!({"iss": "https://auth.finpay.example/"}), Reason::Issuer)]
#[case::iss_array(json!({"iss": ["https://auth.finpay.example"]}), Reason::Issuer)]
#[case::aud_missing(json!({"aud": null}), Reason::Audience)]
#[case::aud_other(json!({"aud": "finpay2"}), Reason::Audience)]
#[case::aud_empty(json!({"aud": []}), Reason::Audience)]
#[case::aud_others(json!({"aud": ["a", "b"]}), Reason::Audience)]
#[case::aud_mixed(json!({"aud": ["finpay", 1]}), Reason::Claims)]
#[case::aud_number(json!({"aud": 1}), Reason::Claims)]
#[case::sub_missing(json!({"sub": null}), Reason::Claims)]
#[case::sub_empty(json!({"sub": ""}), Reason::Claims)]
#[case::sub_number(json!({"sub": 1}), Reason::Claims)]
#[case::sub_with_line_break(json!({"sub": "alice\r\nx-jwt-scope: admin"}), Reason::Claims)]
#[case::sub_with_space(json!({"sub": "alice "}), Reason::Claims)]
#[case::sub_not_ascii(json!({"sub": "alicé"}), Reason::Claims)]
#[case::sub_too_long(json!({"sub": "a".repeat(1025)}), Reason::Claims)]
#[case::jti_missing(json!({"jti": null}), Reason::Claims)]
#[case::jti_number(json!({"jti": 1}), Reason::Claims)]
#[case::client_missing(json!({"client_id": null}), Reason::Claims)]
#[case::iat_missing(json!({"iat": null}), Reason::Claims)]
#[case::scope_array_of_numbers(json!({"scope": [1]}), Reason::Claims)]
#[case::scope_array_with_a_space(json!({"scope": ["a b"]}), Reason::Claims)]
#[case::scope_object(json!({"scope": {}}), Reason::Claims)]
#[case::scope_doubled_space(json!({"scope": "a  b"}), Reason::Claims)]
#[case::scope_with_line_break(json!({"scope": "a\nb"}), Reason::Claims)]
#[case::scope_with_quote(json!({"scope": "a\""}), Reason::Claims)]
fn refuses_the_claims(#[case] change: Value, #[case] reason: Reason) {
    assert_eq!(refusal(&sign(&header(), &with(claims(), change))), Some(reason));
}

#[rstest]
#[case::at_the_end_of_the_leeway(json!({"exp": NOW - 59}))]
#[case::clocks_apart(json!({"nbf": NOW + 60, "iat": NOW + 60}))]
#[case::no_nbf(json!({"nbf": null}))]
#[case::one_audience_of_several(json!({"aud": ["x", "finpay"]}))]
#[case::no_scope(json!({"scope": null}))]
#[case::empty_scope(json!({"scope": ""}))]
#[case::array_of_scopes(json!({"scope": ["orders:read"]}))]
fn takes_the_claims(#[case] change: Value) {
    assert_eq!(refusal(&sign(&header(), &with(claims(), change))), None);
}

#[rstest]
#[case::short(json!({"typ": "JWT"}))]
#[case::long(json!({"typ": "application/at+jwt"}))]
#[case::case_of_the_type(json!({"typ": "AT+JWT"}))]
fn takes_the_type(#[case] change: Value) {
    assert_eq!(refusal(&sign(&with(header(), change), &claims())), None);
}

#[rstest]
#[case::duplicate_in_the_header(br#"{"alg":"ES256","kid":"k1","typ":"JWT","kid":"k1"}"#, b"{}")]
#[case::duplicate_in_the_claims(br#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, br#"{"sub":"a","sub":"b"}"#)]
#[case::overflowing_number(br#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, br#"{"exp":1e400}"#)]
#[case::trailing_data(br#"{"alg":"ES256","kid":"k1","typ":"JWT"}x"#, b"{}")]
#[case::byte_order_mark(b"\xef\xbb\xbf{}", b"{}")]
#[case::header_is_no_object(b"[]", b"{}")]
#[case::claims_are_no_object(br#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, b"1")]
#[case::claims_not_utf8(br#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, b"{\"sub\":\"\xff\"}")]
fn refuses_the_json(#[case] header: &[u8], #[case] claims: &[u8]) {
    assert_eq!(refusal(&sign_texts(header, claims)), Some(Reason::Malformed));
}

fn parts() -> (String, String, String) {
    let token = valid();
    let mut parts = token.split('.').map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn refuses_what_is_not_three_segments() {
    let (header, claims, signature) = parts();
    let token = valid();
    for form in [
        ".".into(),
        "..".into(),
        ".".repeat(5_000),
        format!(".{token}"),
        format!("{token}."),
        format!("{header}..{claims}.{signature}"),
        format!("{header}.{claims}"),
        format!("{token}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        "a".repeat(16 * 1024 + 1),
    ] {
        assert_eq!(refusal(&form), Some(Reason::Malformed), "{form:.40}");
    }
    // What is no credential at all (RFC 6750 section 2.1) is a malformed request.
    for form in [
        String::new(),
        format!("{header}.{claims}. {signature}"),
        format!("{header}.{claims}.{signature}\n"),
        format!("{header}é.{claims}.{signature}"),
    ] {
        assert_eq!(refusal(&form), Some(Reason::Request), "{form:.40}");
    }
}

#[test]
fn refuses_every_other_signature() {
    let (header, claims, _) = parts();
    let signed = format!("{header}.{claims}");
    let good = signature(&signed);
    let zero = [0; 32];
    let mut long = good.clone();
    long.push(0);
    let halves = |r: &[u8], s: &[u8]| [r, s].concat();
    for bad in [
        Vec::new(),
        good[..63].to_vec(),
        long,
        halves(&zero, &good[32..]),
        halves(&good[..32], &zero),
        halves(&[0xff; 32], &good[32..]),
        halves(&good[..32], &[0xff; 32]),
        halves(&good[32..], &good[..32]),
        signature("another text"),
        // The same numbers in DER, as OpenSSL writes them.
        [&[0x30, 0x44, 0x02, 0x20], &good[..32], &[0x02, 0x20], &good[32..]].concat(),
    ] {
        assert_eq!(refusal(&format!("{signed}.{}", b64(&bad))), Some(Reason::Signature), "{bad:02x?}");
    }
}

#[test]
fn takes_an_ed25519_token_and_only_with_its_own_key() {
    let pair = Ed25519KeyPair::generate().with_key_id("e1");
    let now = UnixTimeStamp::from_secs(NOW);
    let mut claims = Claims::create(Duration::from_secs(900))
        .with_issuer("https://auth.finpay.example")
        .with_audience("finpay")
        .with_subject("alice");
    (claims.issued_at, claims.invalid_before, claims.expires_at) =
        (Some(now), Some(now), Some(now + Duration::from_secs(900)));
    let options = HeaderOptions { signature_type: Some("JWT".into()), ..HeaderOptions::default() };
    let token = pair.sign_with_options(claims, &options).unwrap();
    let key = |public: &[u8]| json!({"kty": "OKP", "crv": "Ed25519", "kid": "e1", "x": b64(public)});
    let config = parsed();
    let check = |key: Value| {
        verifier(&config, &[key]).verify(&config, token.as_bytes(), NOW).err().map(|fault| fault.reason)
    };
    assert_eq!(check(key(&pair.public_key().to_bytes())), None);
    let other = Ed25519KeyPair::generate().public_key().to_bytes();
    assert_eq!(check(key(&other)), Some(Reason::Signature));
    assert_eq!(check(with(jwk(), json!({"kid": "e1"}))), Some(Reason::Algorithm));
}

#[test]
fn without_keys_nothing_is_judged_valid() {
    let config = parsed();
    let fault = Verifier::new(&config, InModule).verify(&config, valid().as_bytes(), NOW).unwrap_err();
    assert_eq!((fault.reason, fault.provider), (Reason::KeysUnavailable, Some(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_token_with_one_byte_changed_is_refused(place in any::<prop::sample::Index>(), byte in 0x21_u8..0x7f) {
        let mut token = valid().into_bytes();
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        token[place] = byte;
        prop_assert!(refusal(&String::from_utf8(token).unwrap()).is_some());
    }

    #[test]
    fn no_text_panics(text in ".*", tail in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
        prop_assert!(refusal(&text).is_some());
        prop_assert!(refusal(&tail).is_some());
    }
}
