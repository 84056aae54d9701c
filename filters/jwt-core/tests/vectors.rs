//! Public vectors of the RFCs: 7515 appendix A, the cookbook of 7520, 7797 and 8037.
//!
//! Each is valid by its RFC. Where ours refuses one, a row says why; a row too many or too few fails the test.

mod vectors_folder;

use jwt_core::algorithm::Algorithm;
use jwt_core::config::Limits;
use jwt_core::jwks::{Dropped, KeySet, Unusable};
use jwt_core::signature::{InModule, SignatureCheck};
use jwt_core::token::{LastHeader, Signed};
use serde_json::{Value, json};
use vectors_folder::{compare, read, vectors};

const NO_HMAC: &str = "refused: HMAC, for which every checker would hold the issuer's secret";
const NO_P521: &str = "refused: P-521, which no issuer of ours uses";
const NO_JSON_FORM: &str = "refused: a JSON serialization, while a JWT is compact (RFC 7519 section 3)";
const NOT_ENCRYPTED: &str = "refused: an encrypted token, of five segments";

/// Case, and why it is refused although its RFC calls it valid. A case is a section and a form.
const REFUSED: [(&str, &str); 34] = [
    ("RFC 7515 A.1 compact", NO_HMAC),
    ("RFC 7515 A.4 compact", NO_P521),
    ("4_1.rsa_v15_signature json", NO_JSON_FORM),
    ("4_1.rsa_v15_signature json_flat", NO_JSON_FORM),
    ("4_2.rsa-pss_signature compact", "refused: PS384, for which there is no demand"),
    ("4_2.rsa-pss_signature json", NO_JSON_FORM),
    ("4_2.rsa-pss_signature json_flat", NO_JSON_FORM),
    ("4_3.ecdsa_signature compact", NO_P521),
    ("4_3.ecdsa_signature json", NO_JSON_FORM),
    ("4_3.ecdsa_signature json_flat", NO_JSON_FORM),
    ("4_4.hmac-sha2_integrity_protection compact", NO_HMAC),
    ("4_4.hmac-sha2_integrity_protection json", NO_JSON_FORM),
    ("4_4.hmac-sha2_integrity_protection json_flat", NO_JSON_FORM),
    ("4_5.signature_with_detached_content compact", NO_HMAC),
    ("4_5.signature_with_detached_content json", NO_JSON_FORM),
    ("4_5.signature_with_detached_content json_flat", NO_JSON_FORM),
    ("4_6.protecting_specific_header_fields json", NO_JSON_FORM),
    ("4_6.protecting_specific_header_fields json_flat", NO_JSON_FORM),
    ("4_7.protecting_content_only json", NO_JSON_FORM),
    ("4_7.protecting_content_only json_flat", NO_JSON_FORM),
    ("4_8.multiple_signatures json", NO_JSON_FORM),
    ("4.2.hmac-sha2_b64_false json", NO_JSON_FORM),
    ("4.2.hmac-sha2_b64_false json_flat", NO_JSON_FORM),
    ("hmac-sha2_b64_false compact", NO_HMAC),
    ("hmac-sha2_b64_false json", NO_JSON_FORM),
    ("hmac-sha2_b64_false json_flat", NO_JSON_FORM),
    ("ecdh-es compact", NOT_ENCRYPTED),
    ("ecdh-es json", NO_JSON_FORM),
    ("ecdh-es json_flat", NO_JSON_FORM),
    ("jws json", NO_JSON_FORM),
    ("jws json_flat", NO_JSON_FORM),
    ("6.nesting encrypt compact", NOT_ENCRYPTED),
    ("6.nesting encrypt json", NO_JSON_FORM),
    ("6.nesting encrypt json_flat", NO_JSON_FORM),
];

/// The vector's key as its owner would publish it.
fn published(key: &Value) -> Value {
    let mut members = key.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
    members.entry("kid").or_insert_with(|| "unnamed".into());
    Value::Object(members)
}

/// Whether the key made the token. A token without `kid` is judged here all the same: the signature is what counts.
fn is_taken(token: &str, key: &Value) -> bool {
    let key = published(key);
    let Ok(set) = KeySet::parse(json!({"keys": [key]}).to_string().as_bytes(), &Limits::default()) else {
        return false;
    };
    let key = set.get(key["kid"].as_str().unwrap_or_default()).expect("the only key");
    Signed::parse(token, &Limits::default(), &mut LastHeader::default())
        .is_ok_and(|signed| InModule.is_signed_by(&signed, signed.algorithm(), key))
}

/// All forms of an `output`.
fn forms<'a>(name: &'a str, output: &'a Value) -> impl Iterator<Item = (String, String)> + 'a {
    output.as_object().into_iter().flatten().map(move |(form, token)| {
        let text = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
        (format!("{name} {form}"), text)
    })
}

#[test]
fn signatures_of_the_rfcs() {
    let Some(vectors) = vectors() else { return };
    let mut cases = Vec::new();
    for row in read(&vectors, "jose-cookbook/rfc7515_appendix_a.json").as_array().expect("a list") {
        let valid = row["result"] == "valid";
        let name = format!("{} compact", row["section"].as_str().expect("a section"));
        cases.push((name, valid, is_taken(row["jws"].as_str().expect("a token"), &row["key"])));
    }
    for folder in ["jws", "rfc7797", "curve25519"] {
        for (name, vector) in vectors_folder::files(&vectors, &format!("jose-cookbook/{folder}")) {
            for (case, token) in forms(&name, &vector["output"]) {
                cases.push((case, true, is_taken(&token, &vector["input"]["key"])));
            }
        }
    }
    let nested = read(&vectors, "jose-cookbook/6.nesting_signatures_and_encryption.json");
    for step in ["sign", "encrypt"] {
        for (case, token) in forms(&format!("6.nesting {step}"), &nested[step]["output"]) {
            cases.push((case, true, is_taken(&token, &nested["sign"]["input"]["key"])));
        }
    }
    compare(&cases, &REFUSED);
    let taken: Vec<_> = cases.iter().filter(|case| case.2).map(|case| case.0.as_str()).collect();
    let expected = [
        "RFC 7515 A.2 compact",
        "RFC 7515 A.3 compact",
        // Signatures over a text, which is no token's claims; that is judged elsewhere.
        "4_1.rsa_v15_signature compact",
        "jws compact",
        "6.nesting sign compact",
    ];
    assert_eq!(taken, expected);
}

#[test]
fn keys_of_the_cookbook() {
    let Some(vectors) = vectors() else { return };
    let verdicts: Vec<_> = vectors_folder::files(&vectors, "jose-cookbook/jwk")
        .into_iter()
        .map(|(name, key)| {
            (name, KeySet::parse(json!({"keys": [key]}).to_string().as_bytes(), &Limits::default()))
        })
        .map(|(name, set)| (name, set.map(|set| set.count())))
        .collect();
    let dropped = |reason| Err(Unusable::Empty(vec![reason]));
    let expected = [
        ("3_1.ec_public_key", dropped(Dropped::Algorithm)),
        ("3_2.ec_private_key", dropped(Dropped::Private)),
        ("3_3.rsa_public_key", Ok(1)),
        ("3_4.rsa_private_key", dropped(Dropped::Private)),
        ("3_5.symmetric_key_mac_computation", dropped(Dropped::Private)),
        ("3_6.symmetric_key_encryption", dropped(Dropped::Private)),
    ];
    assert_eq!(verdicts, expected.map(|(name, verdict)| (name.to_owned(), verdict)));
}

/// Keys of the vectors without `alg` serve their kind's algorithms, as such keys of large issuers do.
#[test]
fn an_rsa_key_of_the_cookbook_serves_its_family() {
    let Some(vectors) = vectors() else { return };
    let key = read(&vectors, "jose-cookbook/jwk/3_3.rsa_public_key.json");
    let set =
        KeySet::parse(json!({"keys": [key]}).to_string().as_bytes(), &Limits::default()).expect("a set");
    let key = set.get("bilbo.baggins@hobbiton.example").expect("the key");
    let rsa = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256];
    assert_eq!(key.algorithms().collect::<Vec<_>>(), rsa);
}
