//! One issuer for each algorithm: a key, and a token that it signed.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::LazyLock;

use jwt_core::algorithm::Algorithm;
use jwt_core::config::Limits;
use jwt_core::jwks::{Key, KeySet};
use jwt_simple::common::VerificationOptions;
use jwt_simple::prelude::*;
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder, Encoder};
use serde_json::{Value, json};

pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) jwk: Value,
    pub(crate) token: String,
    /// jwt-simple's own verdict, with its own options.
    pub(crate) plain: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Signer {
    pub(crate) fn key(&self) -> Key {
        key(&self.jwk)
    }

    pub(crate) fn signature(&self) -> Vec<u8> {
        bytes(self.token.rsplit_once('.').expect("a token").1)
    }

    /// The token's text under another signature.
    pub(crate) fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.token.rsplit_once('.').expect("a token").0, b64(signature))
    }
}

pub(crate) fn key(jwk: &Value) -> Key {
    set(std::slice::from_ref(jwk)).get("k1").expect("the key").clone()
}

pub(crate) fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &Limits::default()).expect("a key set")
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("encodes")
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    Base64UrlSafeNoPadding::decode_to_vec(text, None).expect("base64url")
}

/// The signer of this algorithm.
pub(crate) fn signer(algorithm: Algorithm) -> &'static Signer {
    SIGNERS.iter().find(|signer| signer.algorithm == algorithm).expect("a signer for each algorithm")
}

/// All RSA signers use one key, so that nothing but the algorithm tells them apart.
static RSA: LazyLock<Vec<u8>> =
    LazyLock::new(|| RS256KeyPair::generate(2048).and_then(|pair| pair.to_der()).expect("an RSA key"));

macro_rules! signer {
    ($algorithm:ident, $pair:expr, $jwk:expr) => {{
        let pair = $pair.with_key_id("k1");
        let claims = Claims::create(Duration::from_hours(1)).with_subject("alice");
        let token = pair.sign(claims).expect("signs");
        let mut jwk: Value = $jwk(&pair);
        jwk["kid"] = "k1".into();
        jwk["alg"] = Algorithm::$algorithm.name().into();
        let plain = Box::new(move |token: &str| {
            let options = VerificationOptions { max_header_length: Some(16_384), ..Default::default() };
            pair.public_key().verify_token::<NoCustomClaims>(token, Some(options)).is_ok()
        });
        Signer { algorithm: Algorithm::$algorithm, jwk, token, plain }
    }};
}

fn ec(curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": b64(x), "y": b64(y)})
}

macro_rules! rsa {
    ($algorithm:ident, $pair:ident) => {
        signer!($algorithm, $pair::from_der(&RSA).expect("the RSA key"), |pair: &$pair| {
            let numbers = pair.public_key().to_components();
            json!({"kty": "RSA", "n": b64(numbers.n), "e": b64(numbers.e)})
        })
    };
}

pub(crate) static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    vec![
        signer!(Es256, ES256KeyPair::generate(), |pair: &ES256KeyPair| {
            ec("P-256", &pair.public_key().public_key().to_bytes_uncompressed())
        }),
        signer!(Es384, ES384KeyPair::generate(), |pair: &ES384KeyPair| {
            ec("P-384", &pair.public_key().public_key().to_bytes_uncompressed())
        }),
        rsa!(Rs256, RS256KeyPair),
        rsa!(Rs384, RS384KeyPair),
        rsa!(Rs512, RS512KeyPair),
        rsa!(Ps256, PS256KeyPair),
        signer!(EdDsa, Ed25519KeyPair::generate(), |pair: &Ed25519KeyPair| {
            json!({"kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().to_bytes())})
        }),
    ]
});
