//! Access tokens (RFC 9068) and the key set that verifies them.

use jwt_simple::prelude::HeaderOptions;
use jwt_simple::prelude::{Claims, Duration, ECDSAP256KeyPairLike, ES256KeyPair};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::error::Error;
use crate::store::SigningKey;

/// Seconds from issue to expiry.
pub(crate) const LIFETIME_SECONDS: u64 = 900;

/// RFC 9068 section 2.1.
const TYPE: &str = "at+jwt";
const CLIENT_ID: &str = "finpay";

#[derive(Serialize)]
struct AccessClaims<'a> {
    client_id: &'a str,
    scope: &'a str,
}

/// Signs tokens, and publishes the key.
pub(crate) struct Issuer {
    url: String,
    audience: String,
    key: ES256KeyPair,
    keys: Value,
}

/// A new key, its `kid` being its RFC 7638 thumbprint.
pub(crate) fn generate() -> SigningKey {
    let key = ES256KeyPair::generate();
    SigningKey { kid: key.jwk_thumbprint(), private_key: key.to_bytes() }
}

impl Issuer {
    pub(crate) fn new(config: &Config, key: &SigningKey) -> Result<Self, Error> {
        let pair = ES256KeyPair::from_bytes(&key.private_key)
            .map_err(|_| Error::Corrupt("a signing key that is none"))?;
        let keys = key_set(&pair, &key.kid)?;
        Ok(Self {
            url: config.issuer.clone(),
            audience: config.audience.clone(),
            key: pair.with_key_id(&key.kid),
            keys,
        })
    }

    /// A token for this subject.
    pub(crate) fn token(&self, subject: &str, scope: &str) -> Result<String, Error> {
        let custom = AccessClaims { client_id: CLIENT_ID, scope };
        let claims = Claims::with_custom_claims(custom, Duration::from_secs(LIFETIME_SECONDS))
            .with_issuer(&self.url)
            .with_audience(&self.audience)
            .with_subject(subject)
            .with_jwt_id(Uuid::now_v7());
        let options = HeaderOptions { signature_type: Some(TYPE.to_owned()), ..HeaderOptions::default() };
        self.key.sign_with_options(claims, &options).map_err(|problem| Error::Crypto(problem.to_string()))
    }

    /// RFC 7517: the public key, and what it is for.
    pub(crate) fn jwks(&self) -> Value {
        self.keys.clone()
    }

    /// OpenID Connect Discovery 1.0 section 3, as far as it applies.
    pub(crate) fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url.trim_end_matches('/'));
        json!({
            "issuer": self.url,
            "jwks_uri": at("/.well-known/jwks.json"),
            "token_endpoint": at("/auth/login"),
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

fn key_set(pair: &ES256KeyPair, kid: &str) -> Result<Value, Error> {
    let corrupt = |_| Error::Corrupt("a signing key without a public one");
    let mut key: Map<String, Value> = serde_json::from_str(&pair.public_key().to_jwk()).map_err(corrupt)?;
    // A list of what may be told, so that no private member can be in it.
    key.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y"));
    for (name, value) in [("kid", kid), ("alg", "ES256"), ("use", "sig")] {
        key.insert(name.to_owned(), value.into());
    }
    Ok(json!({ "keys": [key] }))
}
