//! An issuer as FinPay's: keys of one algorithm, and the tokens that they sign.

use std::num::NonZero;
use std::thread;

use anyhow::{Result, anyhow};
use serde_json::json;
use tests::issuer::{Signer, now};
use uuid::Uuid;

/// `iss`.
pub const ISSUER: &str = "https://auth.finpay.example";
/// `aud`.
pub const AUDIENCE: &str = "finpay";
/// `typ`, RFC 9068.
pub const TYPE: &str = "at+jwt";
/// `kid` of the key that signs.
const KID: &str = "bench-signing-key";
/// No bench takes longer.
const LIFETIME_SECONDS: u64 = 12 * 3600;

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

    fn signer(self, kid: &str) -> Result<Signer> {
        match self {
            Self::Es256 => Signer::es256(kid),
            Self::Rs256 => Signer::rs256(kid),
            Self::EdDsa => Signer::eddsa(kid),
        }
    }
}

/// A key that signs, and the key set that tells it.
pub struct Issuer {
    signer: Signer,
    /// The JWKS document.
    pub jwks: String,
}

impl Issuer {
    /// With new keys: one that signs, the last of `keys` in the document.
    pub fn new(algorithm: Algorithm, keys: usize) -> Result<Self> {
        let others = (1..keys).map(|other| algorithm.signer(&format!("bench-other-key-{other}")));
        let mut entries = others.map(|other| Ok(other?.jwk)).collect::<Result<Vec<_>>>()?;
        let signer = algorithm.signer(KID)?;
        entries.push(signer.jwk.clone());
        Ok(Self { signer, jwks: json!({ "keys": entries }).to_string() })
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
        let now = now();
        self.signer.token(&json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f12",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": Uuid::now_v7(),
            "client_id": "finpay",
            "scope": "orders:read orders:write payments:read payments:write",
        }))
    }
}
