//! The cases of jwt_verify_lib, which Envoy's own filter is built on.
//!
//! Its verdicts are laxer than the RFCs in places. Where ours is stricter a row says why; nowhere is it laxer.

mod vectors_folder;

use jwt_core::config::Limits;
use jwt_core::jwks::KeySet;
use jwt_core::signature::{InModule, SignatureCheck};
use jwt_core::token::{LastHeader, Signed, UnverifiedToken};
use serde_json::Value;
use vectors_folder::{compare, read, vectors};

const NO_KID: &str = "refused: it names no key, and keys are not tried in turn";
const NO_HMAC: &str = "refused: HMAC, for which every checker would hold the issuer's secret";
const NO_P521: &str = "refused: P-521, which no issuer of ours uses";
const NO_LARGER_PSS: &str = "refused: PSS with a larger digest, for which there is no demand";
const UNNAMED_KEY: &str = "refused: its keys have no kid, so no token of ours can name one";
const NO_POINT: &str =
    "refused: its only key of a kind that we use is no point of Ed25519 (RFC 8032 section 5.1.3)";
const NO_PEM: &str = "refused: PEM, while a key set is RFC 7517's JSON";

const UNPARSED: [(&str, &str); 4] = [
    ("0 JwtParseTest.GoodJwt", NO_KID),
    ("1 JwtParseTest.Copy", NO_KID),
    ("18 JwtParseTest.TestParsePayloadIatDecimalsDrop", NO_HMAC),
    ("29 JwtParseTest.GoodNestedJwt", NO_KID),
];

const UNVERIFIED: [(&str, &str); 12] = [
    ("2 VerifyJwkECTest.KidES512OK", NO_P521),
    ("3 VerifyJwkECTest.NoKidOK", NO_KID),
    ("5 VerifyJwkHmacTest.NoKidOK", NO_HMAC),
    ("6 VerifyJwkHmacTest.NoKidLongExpOK", NO_HMAC),
    ("7 VerifyJwkHmacTest.CorrectKidHS256OK", NO_HMAC),
    ("8 VerifyJwkHmacTest.CorrectKidHS384OK", NO_HMAC),
    ("9 VerifyJwkHmacTest.CorrectKidHS512OK", NO_HMAC),
    ("12 VerifyJwkOKPTest.NoKidOK", NO_KID),
    ("16 VerifyJwkRsaPssTest.Ps384CorrectKidOK", NO_LARGER_PSS),
    ("17 VerifyJwkRsaPssTest.Ps512CorrectKidOK", NO_LARGER_PSS),
    ("18 VerifyJwkRsaTest.NoKidOK", NO_KID),
    ("19 VerifyJwkRsaTest.NoKidLongExpOK", NO_KID),
];

const NO_SET: [(&str, &str); 13] = [
    ("2 GoodOKP", NO_POINT),
    ("9 JwksIgnoreUnsupportedKey", NO_POINT),
    ("33 JwksECMatchAlgES256CrvP256", UNNAMED_KEY),
    ("34 JwksECMatchAlgES384CrvP384", UNNAMED_KEY),
    ("35 JwksECMatchAlgES512CrvP521", UNNAMED_KEY),
    ("36 JwksECMissingBothAlgCrvES256", UNNAMED_KEY),
    ("39 JwkECMissingAlg", NO_P521),
    ("40 JwkECMissingCrv", "refused: an EC key without crv (RFC 7518 section 6.2.1.1 requires it)"),
    ("45 JwksECUnspecifiedCrv", UNNAMED_KEY),
    ("60 goodPEMRSA", NO_PEM),
    ("61 goodPEMEC", NO_PEM),
    ("62 goodPEMEd25519", NO_PEM),
    ("66 addKeyFromPemSuccess", NO_PEM),
];

/// Each case of the file with its place and name.
fn cases(vectors: &std::path::Path, file: &str) -> Vec<(String, Value)> {
    let Value::Array(rows) = read(vectors, &format!("jwt_verify_lib/{file}")) else { panic!("a list") };
    let named = rows.into_iter().enumerate().map(|(index, row)| {
        let name = row["test"].as_str().expect("a name").to_owned();
        (format!("{index} {name}"), row)
    });
    named.collect()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().expect("a text")
}

/// What `verify` does with keys, without what it does with issuers and claims.
fn is_verified(token: &str, keys: &str) -> bool {
    let Ok(set) = KeySet::parse(keys.as_bytes(), &Limits::default()) else { return false };
    let Ok(token) = UnverifiedToken::parse(token, &Limits::default(), &mut LastHeader::default()) else {
        return false;
    };
    let Some(key) = set.get(token.kid()) else { return false };
    InModule.is_signed_by(token.signed(), token.algorithm(), key)
}

#[test]
fn tokens_that_parse() {
    let Some(vectors) = vectors() else { return };
    let verdicts: Vec<_> = cases(&vectors, "parse_cases.json")
        .into_iter()
        .map(|(name, row)| {
            let ours =
                UnverifiedToken::parse(text(&row, "token"), &Limits::default(), &mut LastHeader::default())
                    .is_ok();
            (name, text(&row, "parse_status") == "Ok", ours)
        })
        .collect();
    assert_eq!(verdicts.len(), 32);
    compare(&verdicts, &UNPARSED);
}

#[test]
fn tokens_that_verify() {
    let Some(vectors) = vectors() else { return };
    let verdicts: Vec<_> = cases(&vectors, "verify_cases.json")
        .into_iter()
        .map(|(name, row)| {
            let theirs = row["verify"].as_array().expect("verdicts").iter().all(|one| one["status"] == "Ok");
            let ours = is_verified(text(&row, "token"), text(&row, "key"));
            (name, theirs, ours)
        })
        .collect();
    assert_eq!(verdicts.len(), 23);
    compare(&verdicts, &UNVERIFIED);
}

/// Tokens that are refused for want of `kid` alone: one of the keys made each.
#[test]
fn signatures_of_tokens_that_name_no_key() {
    let Some(vectors) = vectors() else { return };
    let mut checked = 0;
    for (name, row) in cases(&vectors, "verify_cases.json") {
        if !UNVERIFIED.contains(&(name.as_str(), NO_KID)) {
            continue;
        }
        let set = KeySet::parse(text(&row, "key").as_bytes(), &Limits::default()).expect("a set");
        let signed = Signed::parse(text(&row, "token"), &Limits::default(), &mut LastHeader::default())
            .expect("a token");
        let keys: Value = serde_json::from_str(text(&row, "key")).expect("JSON");
        let kids = keys["keys"].as_array().expect("keys").iter().filter_map(|key| key["kid"].as_str());
        let mut keys = kids.filter_map(|kid| set.get(kid));
        assert!(keys.any(|key| InModule.is_signed_by(&signed, signed.algorithm(), key)), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 4);
}

#[test]
fn key_sets() {
    let Some(vectors) = vectors() else { return };
    let verdicts: Vec<_> = cases(&vectors, "jwks_cases.json")
        .into_iter()
        .map(|(name, row)| {
            let ours = KeySet::parse(text(&row, "keys").as_bytes(), &Limits::default()).is_ok();
            (name, text(&row, "status") == "Ok", ours)
        })
        .collect();
    assert_eq!(verdicts.len(), 67);
    compare(&verdicts, &NO_SET);
}
