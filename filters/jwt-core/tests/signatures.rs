//! Signatures of every algorithm: what is taken, and every way not to be one.

mod signers;

use jwt_core::algorithm::Algorithm;
use jwt_core::config::Limits;
use jwt_core::jwks::Key;
use jwt_core::signature::{InModule, SignatureCheck, host_argument, is_well_formed};
use jwt_core::token::{LastHeader, Signed};
use jwt_simple::prelude::*;
use p256::ecdsa::signature::Signer as _;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use signers::{SIGNERS, Signer, b64, bytes, key, signer};

/// n of FIPS 186-5's curves.
const P256_ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
const P384_ORDER: &str = "________________________________x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSlz";

fn is_signed(token: &str, algorithm: Algorithm, key: &Key) -> bool {
    Signed::parse(token, &Limits::default(), &mut LastHeader::default())
        .is_ok_and(|signed| InModule.is_signed_by(&signed, algorithm, key))
}

/// What a host would say that does as Envoy does: it has nothing but the message. Nothing where it is not asked.
fn host_says(token: &str, algorithm: Algorithm, key: &Key) -> Option<bool> {
    let signed = Signed::parse(token, &Limits::default(), &mut LastHeader::default()).ok()?;
    let message = host_argument(&signed, algorithm, key)?;
    let mut rest = message.as_slice();
    let mut field = |number: u8| {
        assert_eq!(rest[0], number << 3 | 2, "fields in their order");
        let bytes_of_length = rest[1..].iter().position(|byte| byte & 0x80 == 0).expect("an end") + 1;
        let length = rest[1..=bytes_of_length]
            .iter()
            .rev()
            .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        let (value, after) = rest[1 + bytes_of_length..].split_at(length);
        rest = after;
        value
    };
    let (hash, der, signature, text) = (field(1), field(2), field(3), field(4));
    assert!(rest.is_empty());
    let expected: &[u8] = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => b"sha256",
        Algorithm::Es384 | Algorithm::Rs384 => b"sha384",
        _ => b"sha512",
    };
    assert_eq!(hash, expected);
    let token = |signature: &[u8]| format!("{}.{}", str::from_utf8(text).expect("text"), b64(signature));
    Some(match algorithm {
        Algorithm::Es256 => {
            let raw = p256::ecdsa::Signature::from_der(signature).expect("DER").to_bytes();
            ES256PublicKey::from_der(der).unwrap().verify_token::<NoCustomClaims>(&token(&raw), None).is_ok()
        }
        Algorithm::Es384 => {
            let raw = p384::ecdsa::Signature::from_der(signature).expect("DER").to_bytes();
            ES384PublicKey::from_der(der).unwrap().verify_token::<NoCustomClaims>(&token(&raw), None).is_ok()
        }
        Algorithm::Rs256 => RS256PublicKey::from_der(der)
            .unwrap()
            .verify_token::<NoCustomClaims>(&token(signature), None)
            .is_ok(),
        Algorithm::Rs384 => RS384PublicKey::from_der(der)
            .unwrap()
            .verify_token::<NoCustomClaims>(&token(signature), None)
            .is_ok(),
        _ => RS512PublicKey::from_der(der)
            .unwrap()
            .verify_token::<NoCustomClaims>(&token(signature), None)
            .is_ok(),
    })
}

fn has_host_function(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::Ps256 | Algorithm::EdDsa)
}

#[test]
fn each_key_takes_its_own_token_here_and_by_the_host() {
    assert_eq!(SIGNERS.len(), Algorithm::ALL.len());
    for signer in SIGNERS.iter() {
        let name = signer.algorithm.name();
        assert!(is_signed(&signer.token, signer.algorithm, &signer.key()), "{name}");
        let expected = has_host_function(signer.algorithm).then_some(true);
        assert_eq!(host_says(&signer.token, signer.algorithm, &signer.key()), expected, "{name}");
    }
}

/// Times, `typ` and what else a token says are judged elsewhere: here none of it matters.
#[rstest]
#[case::expired(0, 0, "JWT")]
#[case::not_yet_valid(u32::MAX.into(), u32::MAX.into(), "JWT")]
#[case::beyond_jwt_simple_s_clock(u64::MAX, u64::MAX, "JWT")]
#[case::long_type(4_000_000_000, 0, "application/JWT")]
#[case::other_type(4_000_000_000, 0, "dpop")]
fn the_signature_alone_is_judged(#[case] exp: u64, #[case] nbf: u64, #[case] typ: &str) {
    let pair = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = pair.verifying_key().to_sec1_point(false);
    let key = key(&json!({
        "kty": "EC", "crv": "P-256", "kid": "k1", "x": b64(point.x().unwrap()), "y": b64(point.y().unwrap()),
    }));
    let header = json!({"alg": "ES256", "kid": "k1", "typ": typ});
    let claims = json!({"exp": exp, "nbf": nbf, "iat": nbf});
    let text = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature: p256::ecdsa::Signature = pair.sign(text.as_bytes());
    assert!(is_signed(&format!("{text}.{}", b64(signature.to_bytes())), Algorithm::Es256, &key));
}

#[test]
fn a_token_of_more_or_fewer_segments_is_none() {
    let token = &signer(Algorithm::EdDsa).token;
    let (text, signature) = token.rsplit_once('.').unwrap();
    assert!(Signed::parse(token, &Limits::default(), &mut LastHeader::default()).is_ok());
    for bad in
        [format!("{text}.{token}"), format!("{text}..{signature}"), text.to_owned(), format!(".{token}")]
    {
        assert!(Signed::parse(&bad, &Limits::default(), &mut LastHeader::default()).is_err(), "{bad}");
    }
}

#[test]
fn a_malformed_signature_is_no_question_to_a_host() {
    for signer in SIGNERS.iter() {
        let token = signer.with_signature(&vec![0xff; signer.signature().len()]);
        let signed = Signed::parse(&token, &Limits::default(), &mut LastHeader::default()).unwrap();
        assert_eq!(host_argument(&signed, signer.algorithm, &signer.key()), None);
    }
}

#[test]
fn a_signature_with_one_bit_changed_is_refused() {
    for signer in SIGNERS.iter() {
        let (good, key) = (signer.signature(), signer.key());
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1 << (place % 8);
            let token = signer.with_signature(&bad);
            assert!(!is_signed(&token, signer.algorithm, &key), "{} {place}", signer.algorithm.name());
            assert_ne!(host_says(&token, signer.algorithm, &key), Some(true), "{place}");
        }
    }
}

#[test]
fn a_text_with_one_character_changed_is_refused() {
    for signer in SIGNERS.iter() {
        let key = signer.key();
        for place in 0..signer.token.rfind('.').unwrap() {
            let mut token = signer.token.clone().into_bytes();
            token[place] = if token[place] == b'A' { b'B' } else { b'A' };
            let token = String::from_utf8(token).unwrap();
            assert!(!is_signed(&token, signer.algorithm, &key), "{} {place}", signer.algorithm.name());
        }
    }
}

#[test]
fn a_signature_of_another_length_is_not_well_formed() {
    for signer in SIGNERS.iter() {
        let (good, key) = (signer.signature(), signer.key());
        if let Some(length) = signer.algorithm.signature_bytes() {
            assert_eq!(good.len(), length);
        }
        for bad in [
            Vec::new(),
            vec![0],
            good[1..].to_vec(),
            good[..good.len() - 1].to_vec(),
            [&[0], good.as_slice()].concat(),
            [good.as_slice(), &[0]].concat(),
            [good.as_slice(), &good].concat(),
        ] {
            assert!(!is_well_formed(&bad, signer.algorithm, &key), "{} {bad:?}", signer.algorithm.name());
            assert!(!is_signed(&signer.with_signature(&bad), signer.algorithm, &key));
        }
        assert!(is_well_formed(&good, signer.algorithm, &key));
    }
}

#[test]
fn ecdsa_in_der_is_refused_whatever_its_length() {
    let es256 = signer(Algorithm::Es256);
    let der = p256::ecdsa::Signature::from_slice(&es256.signature()).unwrap().to_der();
    assert!(!is_well_formed(der.as_bytes(), Algorithm::Es256, &es256.key()));
    let es384 = signer(Algorithm::Es384);
    let der = p384::ecdsa::Signature::from_slice(&es384.signature()).unwrap().to_der();
    assert!(!is_well_formed(der.as_bytes(), Algorithm::Es384, &es384.key()));
}

#[rstest]
#[case::p256(Algorithm::Es256, P256_ORDER)]
#[case::p384(Algorithm::Es384, P384_ORDER)]
fn ecdsa_numbers_are_from_1_to_the_order(#[case] algorithm: Algorithm, #[case] order: &str) {
    let (key, order) = (signer(algorithm).key(), bytes(order));
    let (mut before, mut after, mut one) = (order.clone(), order.clone(), vec![0; order.len()]);
    *before.last_mut().unwrap() -= 1;
    *after.last_mut().unwrap() += 1;
    *one.last_mut().unwrap() = 1;
    let (zero, all) = (vec![0; order.len()], vec![0xff; order.len()]);
    let well_formed = |r: &[u8], s: &[u8]| is_well_formed(&[r, s].concat(), algorithm, &key);
    for good in [&one, &before] {
        assert!(well_formed(good, &one) && well_formed(&one, good));
        for bad in [&zero, &order, &after, &all] {
            assert!(!well_formed(bad, good) && !well_formed(good, bad), "{bad:02x?}");
        }
    }
}

#[test]
fn rsa_numbers_are_below_the_modulus() {
    for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256] {
        let signer = signer(algorithm);
        let (key, modulus) = (signer.key(), bytes(signer.jwk["n"].as_str().unwrap()));
        let mut below = modulus.clone();
        *below.last_mut().unwrap() -= 1;
        assert!(is_well_formed(&below, algorithm, &key));
        assert!(!is_well_formed(&modulus, algorithm, &key));
        assert!(!is_well_formed(&vec![0xff; modulus.len()], algorithm, &key));
    }
}

#[test]
fn ed25519_s_is_below_the_order() {
    let signer = signer(Algorithm::EdDsa);
    let (key, good) = (signer.key(), signer.signature());
    // L, little-endian as in the signature.
    let order = bytes("7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA");
    let mut carry = 0;
    let plus_order: Vec<u8> = good[32..]
        .iter()
        .zip(&order)
        .map(|(left, right)| {
            carry += u16::from(*left) + u16::from(*right);
            let byte = carry.to_be_bytes()[1];
            carry >>= 8;
            byte
        })
        .collect();
    let with = |s: &[u8]| [&good[..32], s].concat();
    let mut below = order.clone();
    below[0] -= 1;
    assert!(is_well_formed(&with(&below), Algorithm::EdDsa, &key));
    for bad in [&order, &plus_order] {
        assert!(!is_well_formed(&with(bad), Algorithm::EdDsa, &key));
        assert!(!is_signed(&signer.with_signature(&with(bad)), Algorithm::EdDsa, &key));
    }
}

/// Of an ECDSA signature (r, s) anyone can make (r, n - s). Both hold, so a token's text is no identity: what must be
/// refused once is refused by `jti`.
#[test]
fn ecdsa_has_a_second_signature_for_each() {
    let signer = signer(Algorithm::Es256);
    let signature = p256::ecdsa::Signature::from_slice(&signer.signature()).unwrap();
    let (r, s) = signature.split_scalars();
    let second = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    assert_ne!(second, signature);
    assert!(is_signed(&signer.with_signature(&second.to_bytes()), Algorithm::Es256, &signer.key()));
}

#[test]
fn no_key_checks_another_s_token_under_any_name() {
    for one in SIGNERS.iter() {
        for other in SIGNERS.iter().filter(|other| other.algorithm != one.algorithm) {
            for algorithm in Algorithm::ALL {
                let names = (one.algorithm.name(), other.algorithm.name(), algorithm.name());
                assert!(!is_signed(&one.token, algorithm, &other.key()), "{names:?}");
                assert_ne!(host_says(&one.token, algorithm, &other.key()), Some(true), "{names:?}");
            }
        }
    }
}

#[test]
fn an_rsa_key_without_alg_checks_what_it_is_asked_for_and_nothing_else() {
    let rsa = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256];
    for signer in rsa.map(signer) {
        let mut jwk: Value = signer.jwk.clone();
        jwk.as_object_mut().unwrap().remove("alg");
        let key = key(&jwk);
        assert_eq!(key.algorithms().collect::<Vec<_>>(), rsa);
        for algorithm in Algorithm::ALL {
            assert_eq!(is_signed(&signer.token, algorithm, &key), algorithm == signer.algorithm);
        }
    }
}

fn changed(signer: &Signer, other: &Signer, place: usize, byte: u8, change: usize) -> String {
    let mut token = signer.token.clone().into_bytes();
    let place = place % token.len();
    match change {
        0 => {}
        1 => token[place] = byte,
        2 => token.insert(place, byte),
        3 => {
            token.remove(place);
        }
        4 => token.truncate(place),
        5 => token.extend_from_slice(b"=="),
        6 => token.extend_from_slice(other.token.as_bytes()),
        _ => return signer.with_signature(&other.signature()),
    }
    String::from_utf8(token).expect("ASCII")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Never laxer than jwt-simple alone, and the host is of the same mind wherever it is asked.
    #[test]
    fn what_we_take_jwt_simple_takes(
        (one, other) in (0..7_usize, 0..7_usize),
        place in any::<usize>(),
        byte in 0x21_u8..0x7f,
        change in 0..8_usize,
    ) {
        let (signer, other) = (&SIGNERS[one], &SIGNERS[other]);
        let token = changed(signer, other, place, byte, change);
        let ours = is_signed(&token, signer.algorithm, &signer.key());
        prop_assert!(!ours || (signer.plain)(&token), "{token}");
        if let Some(host) = host_says(&token, signer.algorithm, &signer.key()) {
            prop_assert_eq!(ours, host);
        }
        prop_assert!(change != 0 || ours);
    }
}
