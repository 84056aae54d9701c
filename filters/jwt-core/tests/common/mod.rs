//! An issuer for the tests: it signs whatever it is told to.
#![allow(dead_code, reason = "each test file takes what it needs")]

use jwt_core::config::{Config, Limits};
use jwt_core::judge::{Decision, judge};
use jwt_core::jwks::KeySet;
use jwt_core::request::Request;
use jwt_core::signature::InModule;
use jwt_core::verdict::{Reason, Verdict};
use jwt_core::verify::Verifier;
use jwt_simple::algorithms::{ECDSAP256PublicKeyLike, ES256KeyPair};
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_800_000_000;
const SECRET: [u8; 32] = [7; 32];

pub(crate) fn config() -> Value {
    json!({
        "realm": "finpay",
        "providers": [{
            "issuer": "https://auth.finpay.example",
            "audiences": ["finpay"],
            "algorithms": ["ES256", "EdDSA"],
            "types": ["at+jwt", "JWT"],
            "jwks": {"remote": {"cluster": "auth", "authority": "auth", "path": "/.well-known/jwks.json"}},
        }],
        "rules": [
            {"match": {"methods": ["POST"], "path": {"exact": "/auth/login"}}, "public": true},
            {"match": {"methods": ["POST"], "path": {"exact": "/order/create"}}, "scopes": ["orders:write"]},
            {"match": {"methods": ["GET"], "path": {"prefix": "/order/"}}, "scopes": ["orders:read"]},
            {"match": {"path": {"prefix": "/payment"}}, "scopes": ["payments:read", "payments:write"]},
        ],
    })
}

pub(crate) fn parsed() -> Config {
    Config::from_json(config().to_string().as_bytes()).expect("the test's configuration is sound")
}

pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://auth.finpay.example",
        "aud": "finpay",
        "sub": "alice",
        "exp": NOW + 900,
        "iat": NOW,
        "nbf": NOW,
        "jti": "j1",
        "client_id": "finpay",
        "scope": "orders:read orders:write",
    })
}

/// The object with these members put in; null takes a member out.
pub(crate) fn with(mut base: Value, changes: Value) -> Value {
    let members = base.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name)
        } else {
            members.insert(name, value)
        };
    }
    base
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("encodes")
}

pub(crate) fn signature(signed: &str) -> Vec<u8> {
    let key = SigningKey::from_slice(&SECRET).expect("a key");
    let signature: Signature = key.sign(signed.as_bytes());
    signature.to_bytes().to_vec()
}

/// A token of these very texts, rightly signed.
pub(crate) fn sign_texts(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", b64(header), b64(claims));
    let signature = b64(signature(&signed));
    format!("{signed}.{signature}")
}

pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    sign_texts(header.to_string(), claims.to_string())
}

pub(crate) fn valid() -> String {
    sign(&header(), &claims())
}

/// The public key as a JWK.
pub(crate) fn jwk() -> Value {
    let pair = ES256KeyPair::from_bytes(&SECRET).expect("a key");
    let point = pair.public_key().public_key().to_bytes_uncompressed();
    json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
           "x": b64(&point[1..33]), "y": b64(&point[33..])})
}

pub(crate) fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &Limits::default()).expect("a key set")
}

/// A verifier for a configuration of one provider, which has these keys.
pub(crate) fn verifier(config: &Config, keys: &[Value]) -> Verifier<InModule> {
    let mut verifier = Verifier::new(config, InModule);
    verifier.set_keys(0, Some(set(keys)));
    verifier
}

/// Why the token is refused, if it is.
pub(crate) fn refusal(token: &str) -> Option<Reason> {
    let config = parsed();
    verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), NOW).err().map(|fault| fault.reason)
}

/// What becomes of a request under this configuration.
pub(crate) fn decide(config: &Value, headers: &[(&str, &str)]) -> Decision {
    let config = Config::from_json(config.to_string().as_bytes()).expect("the test's configuration is sound");
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    judge(&config, &mut verifier(&config, &[jwk()]), &Request::read(&config, headers), NOW)
}

pub(crate) fn request(method: &str, path: &str, authorization: &[&str]) -> Verdict {
    let mut headers = vec![(":method", method), (":path", path), (":authority", "api.example")];
    headers.extend(authorization.iter().map(|value| ("authorization", *value)));
    decide(&config(), &headers).verdict
}
