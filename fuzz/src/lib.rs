//! What the targets share: a configuration that uses everything, and a checker that costs nothing.

use data_encoding::BASE64URL_NOPAD;
use jwt_core::algorithm::Algorithm;
use jwt_core::config::Config;
use jwt_core::jwks::Key;
use jwt_core::signature::SignatureCheck;
use jwt_core::token::Signed;
use jwt_core::verify::Verifier;
use serde_json::json;

/// The time of all targets, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// Takes every signature: no fuzzer finds one, and what lies behind the signature is what is to be reached.
#[derive(Debug)]
pub struct TakesAll;

impl SignatureCheck for TakesAll {
    fn is_signed_by(&self, _signed: &Signed<'_>, _algorithm: Algorithm, _key: &Key) -> bool {
        true
    }
}

/// A configuration with every kind of place, rule and claim header.
///
/// # Panics
/// If it is not sound.
#[must_use]
pub fn config() -> Config {
    // The public keys of RFC 7515 appendix A.3 and RFC 8037 appendix A.2.
    let keys = json!({"keys": [{
        "kty": "EC",
        "crv": "P-256",
        "kid": "k1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }, {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "e1",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }]});
    let jwks = json!({"inline": keys.to_string()});
    let config = json!({
        "realm": "finpay",
        "providers": [{
            "name": "one",
            "issuer": "https://a.example",
            "audiences": ["finpay"],
            "algorithms": ["ES256"],
            "maxLifetimeSeconds": 3600,
            "requiredClaims": [{"claim": "client_id"}, {"pointer": "/realm/roles", "contains": "user"}],
            "claimHeaders": [
                {"header": "x-jwt-sub", "claim": "sub"},
                {"header": "x-roles", "pointer": "/realm/roles", "maxBytes": 64},
                {"header": "x-payload", "payload": true},
            ],
            "jwks": jwks,
        }, {
            "name": "two",
            "issuer": "https://b.example",
            "anyAudience": true,
            "needsType": false,
            "scopeClaim": "permissions",
            "subjects": {"exact": ["a"], "prefixes": ["b"]},
            "algorithms": ["ES256", "EdDSA"],
            "jwks": jwks,
        }],
        "tokenPlaces": [
            {"header": "authorization", "scheme": "Bearer"},
            {"header": "x-token"},
            {"cookie": "session"},
            {"query": "access_token"},
        ],
        "rules": [
            {"match": {"hosts": ["*.a.example"], "path": {"prefix": "/"}}, "public": true},
            {"match": {"methods": ["GET"], "path": {"exact": "/optional"}}, "optional": true},
            {"match": {"path": {"template": "/order/{id}"}}, "scopes": ["r"], "anyScopes": ["x", "y"]},
            {"match": {"path": {"prefix": "/two"}}, "providers": ["two"]},
            {"match": {"path": {"prefix": "/dry"}}, "claims": [{"claim": "admin", "equals": true}], "dryRun": true},
        ],
        "dryRunHeader": "x-jwt-dry-run",
        "limits": {"cachedTokens": 4, "cachedBytes": 4096},
    });
    Config::from_json(config.to_string().as_bytes()).expect("a sound configuration")
}

/// A verifier that remembers nothing yet.
#[must_use]
pub fn verifier(config: &Config) -> Verifier<TakesAll> {
    Verifier::new(config, TakesAll)
}

/// A compact token of these claims.
#[must_use]
pub fn token(claims: &[u8]) -> String {
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#);
    format!("{header}.{}.{}", BASE64URL_NOPAD.encode(claims), BASE64URL_NOPAD.encode(&[1; 64]))
}
