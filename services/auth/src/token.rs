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
pub(crate) const LIFETIME_SECONDS: i64 = 900;

/// The largest leeway that a filter may be given for clocks that differ.
pub(crate) const LEEWAY_SECONDS: i64 = 300;

/// Seconds from a token's issue until nobody takes it any more.
pub(crate) const AFTERLIFE_SECONDS: i64 = LIFETIME_SECONDS + LEEWAY_SECONDS;

/// RFC 9068 section 2.1.
const TYPE: &str = "at+jwt";
const CLIENT_ID: &str = "finpay";

#[derive(Serialize)]
struct AccessClaims<'a> {
    client_id: &'a str,
    scope: &'a str,
}

/// In whose name tokens are issued, and for whom. The keys are the store's: another replica may have added one.
pub(crate) struct Issuer {
    url: String,
    audience: String,
}

/// A new key, its `kid` being its RFC 7638 thumbprint.
pub(crate) fn generate(signs_from: i64) -> SigningKey {
    let key = ES256KeyPair::generate();
    SigningKey { kid: key.jwk_thumbprint(), private_key: key.to_bytes(), signs_from }
}

impl Issuer {
    pub(crate) fn new(config: &Config) -> Self {
        Self { url: config.issuer.clone(), audience: config.audience.clone() }
    }

    /// A token for this subject, issued at this time.
    pub(crate) fn token(
        &self,
        key: &SigningKey,
        issued_at: i64,
        subject: &str,
        scope: &str,
    ) -> Result<String, Error> {
        let custom = AccessClaims { client_id: CLIENT_ID, scope };
        let lifetime = Duration::from_secs(LIFETIME_SECONDS.unsigned_abs());
        let mut claims = Claims::with_custom_claims(custom, lifetime)
            .with_issuer(&self.url)
            .with_audience(&self.audience)
            .with_subject(subject)
            .with_jwt_id(Uuid::now_v7());
        // Not the library's clock, a coarse one that can be in the second before.
        let issued_at = Duration::from_secs(issued_at.unsigned_abs());
        (claims.issued_at, claims.invalid_before) = (Some(issued_at), Some(issued_at));
        claims.expires_at = Some(issued_at + lifetime);
        let options = HeaderOptions { signature_type: Some(TYPE.to_owned()), ..HeaderOptions::default() };
        let pair = pair(key)?.with_key_id(&key.kid);
        pair.sign_with_options(claims, &options).map_err(|problem| Error::Crypto(problem.to_string()))
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

/// RFC 7517: the public keys, and what they are for.
pub(crate) fn key_set(keys: &[SigningKey]) -> Result<Value, Error> {
    let keys: Vec<_> = keys.iter().map(public_key).collect::<Result<_, _>>()?;
    Ok(json!({ "keys": keys }))
}

fn public_key(key: &SigningKey) -> Result<Map<String, Value>, Error> {
    let corrupt = |_| Error::Corrupt("a signing key without a public one");
    let mut members: Map<String, Value> =
        serde_json::from_str(&pair(key)?.public_key().to_jwk()).map_err(corrupt)?;
    // A list of what may be told, so that no private member can be in it.
    members.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y"));
    for (name, value) in [("kid", key.kid.as_str()), ("alg", "ES256"), ("use", "sig")] {
        members.insert(name.to_owned(), value.into());
    }
    Ok(members)
}

fn pair(key: &SigningKey) -> Result<ES256KeyPair, Error> {
    ES256KeyPair::from_bytes(&key.private_key).map_err(|_| Error::Corrupt("a signing key that is none"))
}
