//! Keys of the other algorithms.

use anyhow::Result;
use jwt_simple::prelude::{
    Duration, ECDSAP256KeyPairLike as _, ECDSAP384KeyPairLike as _, ES256KeyPair, ES384KeyPair,
    Ed25519KeyPair, EdDSAKeyPairLike as _, HeaderOptions, JWTClaims, PS256KeyPair, RS256KeyPair,
    RS384KeyPair, RS512KeyPair, RSAKeyPairLike as _,
};
use serde_json::{Map, Value};

const RSA_BITS: usize = 2048;
type Sign = Box<dyn Fn(JWTClaims<Map<String, Value>>, &HeaderOptions) -> Result<String> + Send + Sync>;

/// A key of one algorithm.
pub struct Signer {
    /// The algorithm.
    pub algorithm: &'static str,
    /// The key as it is published.
    pub jwk: Value,
    sign: Sign,
}

macro_rules! signer {
    ($algorithm:literal, $pair:expr) => {
        signer!($algorithm, $algorithm, $pair)
    };
    ($algorithm:literal, $kid:expr, $pair:expr) => {{
        let pair = $pair.with_key_id($kid);
        let mut jwk: Value = serde_json::from_str(&pair.public_key().to_jwk())?;
        for (name, value) in [("kid", $kid), ("alg", $algorithm), ("use", "sig")] {
            jwk[name] = value.into();
        }
        let sign: Sign = Box::new(move |claims, options| pair.sign_with_options(claims, options));
        Signer { algorithm: $algorithm, jwk, sign }
    }};
}

impl Signer {
    /// An ES256 key of this `kid`.
    pub fn es256(kid: &str) -> Result<Self> {
        Ok(signer!("ES256", kid, ES256KeyPair::generate()))
    }

    /// An RS256 key of 2048 bits.
    pub fn rs256(kid: &str) -> Result<Self> {
        Ok(signer!("RS256", kid, RS256KeyPair::generate(RSA_BITS)?))
    }

    /// An Ed25519 key.
    pub fn eddsa(kid: &str) -> Result<Self> {
        Ok(signer!("EdDSA", kid, Ed25519KeyPair::generate()))
    }

    /// One for each algorithm that the filter knows, with its name as `kid`. The RSA ones share a key, which takes long
    /// to make.
    pub fn all() -> Result<Vec<Self>> {
        let rsa = RS256KeyPair::generate(RSA_BITS)?.to_der()?;
        Ok(vec![
            signer!("ES256", ES256KeyPair::generate()),
            signer!("ES384", ES384KeyPair::generate()),
            signer!("EdDSA", Ed25519KeyPair::generate()),
            signer!("RS256", RS256KeyPair::from_der(&rsa)?),
            signer!("RS384", RS384KeyPair::from_der(&rsa)?),
            signer!("RS512", RS512KeyPair::from_der(&rsa)?),
            signer!("PS256", PS256KeyPair::from_der(&rsa)?),
        ])
    }

    /// A token of the type `at+jwt` with these claims and nothing else.
    pub fn token(&self, claims: &Value) -> Result<String> {
        let claims = JWTClaims {
            issued_at: None,
            expires_at: None,
            invalid_before: None,
            issuer: None,
            subject: None,
            audiences: None,
            jwt_id: None,
            ..jwt_simple::prelude::Claims::with_custom_claims(
                claims.as_object().cloned().unwrap_or_default(),
                Duration::from_hours(1),
            )
        };
        let options = HeaderOptions { signature_type: Some("at+jwt".to_owned()), ..HeaderOptions::default() };
        (self.sign)(claims, &options)
    }
}
