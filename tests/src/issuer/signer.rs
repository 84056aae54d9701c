//! Keys of every algorithm, and tokens by them.

use std::sync::Arc;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{ES256KeyPair, ES384KeyPair, Ed25519KeyPair, RS256KeyPair};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use serde_json::{Value, json};

const RSA_BITS: usize = 2048;
const P256_BYTES: usize = 32;
const P384_BYTES: usize = 48;

/// A key of one algorithm.
pub struct Signer {
    /// The algorithm.
    pub algorithm: &'static str,
    /// The key as it is published.
    pub jwk: Value,
    key: Arc<dyn SigningKey>,
}

impl Signer {
    /// An ES256 key of this `kid`.
    pub fn es256(kid: &str) -> Result<Self> {
        let pair = ES256KeyPair::generate();
        Self::new("ES256", kid, &pair.public_key().to_jwk(), pair.to_der()?)
    }

    /// An RS256 key of 2048 bits.
    pub fn rs256(kid: &str) -> Result<Self> {
        Self::rsa("RS256", kid, &RS256KeyPair::generate(RSA_BITS)?)
    }

    /// An Ed25519 key.
    pub fn eddsa(kid: &str) -> Result<Self> {
        let pair = Ed25519KeyPair::generate();
        Self::new("EdDSA", kid, &pair.public_key().to_jwk(), pair.to_der())
    }

    /// One for each algorithm that the filter knows, with its name as `kid`. The RSA ones share a key, which takes long
    /// to make.
    pub fn all() -> Result<Vec<Self>> {
        let es384 = ES384KeyPair::generate();
        let mut all = vec![
            Self::es256("ES256")?,
            Self::new("ES384", "ES384", &es384.public_key().to_jwk(), es384.to_der()?)?,
            Self::eddsa("EdDSA")?,
        ];
        let rsa = RS256KeyPair::generate(RSA_BITS)?;
        for algorithm in ["RS256", "RS384", "RS512", "PS256"] {
            all.push(Self::rsa(algorithm, algorithm, &rsa)?);
        }
        Ok(all)
    }

    /// The key of a private JWK, for ES256, EdDSA or an algorithm of RSA.
    pub fn from_jwk(algorithm: &'static str, kid: &str, private: &Value) -> Result<Self> {
        let text = private.to_string();
        match algorithm {
            "ES256" => {
                let pair = ES256KeyPair::from_jwk(&text)?;
                Self::new(algorithm, kid, &pair.public_key().to_jwk(), pair.to_der()?)
            }
            "EdDSA" => {
                let pair = Ed25519KeyPair::from_jwk(&text)?;
                Self::new(algorithm, kid, &pair.public_key().to_jwk(), pair.to_der())
            }
            _ => Self::rsa(algorithm, kid, &RS256KeyPair::from_jwk(&text)?),
        }
    }

    fn rsa(algorithm: &'static str, kid: &str, pair: &RS256KeyPair) -> Result<Self> {
        Self::new(algorithm, kid, &pair.public_key().to_jwk(), pair.to_der()?)
    }

    fn new(algorithm: &'static str, kid: &str, public: &str, private: Vec<u8>) -> Result<Self> {
        let mut jwk: Value = serde_json::from_str(public)?;
        for (name, value) in [("kid", kid), ("alg", algorithm), ("use", "sig")] {
            jwk[name] = value.into();
        }
        let key = any_supported_type(&PrivateKeyDer::Pkcs8(private.into()))?;
        Ok(Self { algorithm, jwk, key })
    }

    /// A token of the type `at+jwt` with these claims and nothing else.
    pub fn token(&self, claims: &Value) -> Result<String> {
        let token = self.token_that_says(self.algorithm, self.algorithm, claims)?;
        token.context("a key that signs by its own algorithm")
    }

    /// A token that says this algorithm and is signed by that one, or `None` where it is not one of the key's numbers.
    pub fn token_that_says(&self, algorithm: &str, by: &str, claims: &Value) -> Result<Option<String>> {
        let header = json!({"alg": algorithm, "kid": self.jwk["kid"], "typ": "at+jwt"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&header), encode(claims));
        let Some(signer) = self.key.choose_scheme(&[scheme(by)?]) else { return Ok(None) };
        let signature = signer.sign(input.as_bytes())?;
        let signature = match by {
            "ES256" => fixed(&signature, P256_BYTES).context("ECDSA's two numbers")?,
            "ES384" => fixed(&signature, P384_BYTES).context("ECDSA's two numbers")?,
            _ => signature,
        };
        Ok(Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// TLS' name of an algorithm.
fn scheme(algorithm: &str) -> Result<SignatureScheme> {
    Ok(match algorithm {
        "ES256" => SignatureScheme::ECDSA_NISTP256_SHA256,
        "ES384" => SignatureScheme::ECDSA_NISTP384_SHA384,
        "EdDSA" => SignatureScheme::ED25519,
        "RS256" => SignatureScheme::RSA_PKCS1_SHA256,
        "RS384" => SignatureScheme::RSA_PKCS1_SHA384,
        "RS512" => SignatureScheme::RSA_PKCS1_SHA512,
        "PS256" => SignatureScheme::RSA_PSS_SHA256,
        other => anyhow::bail!("no algorithm: {other}"),
    })
}

/// TLS has the two numbers in DER (RFC 3279 section 2.2.3), JOSE in as many bytes as the curve's (RFC 7518 section 3.4).
fn fixed(der: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let mut rest = der.get(2..)?;
    let mut numbers = Vec::with_capacity(2 * bytes);
    for _ in 0..2 {
        let (number, behind) = rest.get(2..)?.split_at_checked((*rest.get(1)?).into())?;
        let number = &number[number.len().saturating_sub(bytes)..];
        numbers.resize(numbers.len() + bytes - number.len(), 0);
        numbers.extend_from_slice(number);
        rest = behind;
    }
    Some(numbers)
}
