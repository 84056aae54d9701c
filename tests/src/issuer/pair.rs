//! A signing key, and tokens of any content by it.

use anyhow::{Context, Result};
use jwt_simple::prelude::ES256KeyPair;
use p256::ecdsa::SigningKey;
use serde_json::Value;

use crate::tokens;

/// An ES256 key.
#[derive(Clone)]
pub struct Pair {
    /// What its tokens name.
    pub kid: String,
    /// The key.
    pub key: SigningKey,
    /// As it is published.
    pub jwk: Value,
}

impl Pair {
    /// A new one.
    pub fn generate(kid: &str) -> Result<Self> {
        let pair = ES256KeyPair::generate();
        let mut jwk: Value = serde_json::from_str(&pair.public_key().to_jwk())?;
        for (name, value) in [("kid", kid), ("alg", "ES256"), ("use", "sig")] {
            jwk[name] = value.into();
        }
        let key = SigningKey::from_slice(&pair.to_bytes()).context("a new key")?;
        Ok(Self { kid: kid.to_owned(), key, jwk })
    }

    /// A token over these.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        tokens::sign(&self.key, header, claims)
    }
}
