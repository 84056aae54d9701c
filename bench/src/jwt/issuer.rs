//! An issuer as FinPay's: keys of one algorithm, and the tokens that they sign.

use std::num::NonZero;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use jwt_simple::prelude::{
    Claims, Duration, ECDSAP256KeyPairLike as _, ES256KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _,
    HeaderOptions, JWTClaims, RS256KeyPair, RSAKeyPairLike as _,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// `iss`.
pub const ISSUER: &str = "https://auth.finpay.example";
/// `aud`.
pub const AUDIENCE: &str = "finpay";
/// `typ`, RFC 9068.
pub const TYPE: &str = "at+jwt";
/// `kid` of the key that signs.
const KID: &str = "bench-signing-key";
const RSA_BITS: usize = 2048;
/// No bench takes longer.
const LIFETIME: u64 = 12;

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSA with 2048 bits.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Its name in a token's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

enum Pair {
    Es256(ES256KeyPair),
    Rs256(Box<RS256KeyPair>),
    EdDsa(Ed25519KeyPair),
}

#[derive(Serialize, serde::Deserialize)]
struct AccessClaims {
    client_id: String,
    scope: String,
}

/// A key that signs, and the key set that tells it.
pub struct Issuer {
    pair: Pair,
    /// The JWKS document.
    pub jwks: String,
}

impl Issuer {
    /// With new keys: one that signs, the last of `keys` in the document.
    pub fn new(algorithm: Algorithm, keys: usize) -> Result<Self> {
        let mut entries = Vec::with_capacity(keys);
        for other in 1..keys {
            let pair = Pair::generate(algorithm)?;
            entries.push(pair.entry(algorithm, &format!("bench-other-key-{other}"))?);
        }
        let pair = Pair::generate(algorithm)?;
        entries.push(pair.entry(algorithm, KID)?);
        Ok(Self { pair: pair.named(), jwks: json!({ "keys": entries }).to_string() })
    }

    /// So many tokens that differ.
    pub fn tokens(&self, count: usize) -> Result<Vec<String>> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = count.div_ceil(threads).max(1);
        let sign = |start: usize| {
            (start..count.min(start + share)).map(|_| self.token()).collect::<Result<Vec<_>>>()
        };
        thread::scope(|scope| {
            let running: Vec<_> =
                (0..count).step_by(share).map(|start| scope.spawn(move || sign(start))).collect();
            let mut tokens = Vec::with_capacity(count);
            for thread in running {
                tokens.extend(thread.join().map_err(|_| anyhow!("a token cannot be signed"))??);
            }
            Ok(tokens)
        })
    }

    fn token(&self) -> Result<String> {
        let custom = AccessClaims {
            client_id: "finpay".to_owned(),
            scope: "orders:read orders:write payments:read payments:write".to_owned(),
        };
        let claims = Claims::with_custom_claims(custom, Duration::from_hours(LIFETIME))
            .with_issuer(ISSUER)
            .with_audience(AUDIENCE)
            .with_subject("0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f12")
            .with_jwt_id(Uuid::now_v7());
        let options = HeaderOptions { signature_type: Some(TYPE.to_owned()), ..HeaderOptions::default() };
        self.pair.sign(claims, &options)
    }
}

impl Pair {
    fn generate(algorithm: Algorithm) -> Result<Self> {
        Ok(match algorithm {
            Algorithm::Es256 => Self::Es256(ES256KeyPair::generate()),
            Algorithm::Rs256 => Self::Rs256(Box::new(RS256KeyPair::generate(RSA_BITS)?)),
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::generate()),
        })
    }

    fn named(self) -> Self {
        match self {
            Self::Es256(pair) => Self::Es256(pair.with_key_id(KID)),
            Self::Rs256(pair) => Self::Rs256(Box::new(pair.with_key_id(KID))),
            Self::EdDsa(pair) => Self::EdDsa(pair.with_key_id(KID)),
        }
    }

    fn entry(&self, algorithm: Algorithm, kid: &str) -> Result<Value> {
        let jwk = match self {
            Self::Es256(pair) => pair.public_key().to_jwk(),
            Self::Rs256(pair) => pair.public_key().to_jwk(),
            Self::EdDsa(pair) => pair.public_key().to_jwk(),
        };
        let mut key: Map<String, Value> = serde_json::from_str(&jwk).context("a new key's JWK")?;
        for (name, value) in [("kid", kid), ("alg", algorithm.name()), ("use", "sig")] {
            key.insert(name.to_owned(), value.into());
        }
        Ok(Value::Object(key))
    }

    fn sign(&self, claims: JWTClaims<AccessClaims>, options: &HeaderOptions) -> Result<String> {
        Ok(match self {
            Self::Es256(pair) => pair.sign_with_options(claims, options)?,
            Self::Rs256(pair) => pair.sign_with_options(claims, options)?,
            Self::EdDsa(pair) => pair.sign_with_options(claims, options)?,
        })
    }
}
