//! This project's filter, and the documents that it fetches.

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::issuer::{AUDIENCE, Algorithm, ISSUER, TYPE};
use crate::origin::CLUSTER;

const JWKS_PATH: &str = "/.well-known/jwks.json";
const AUTHORITY: &str = "auth-service.finpay.svc.cluster.local:3001";
/// What the last rule asks for.
const SCOPE: &str = "payments:read";

/// Who does the arithmetic of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Whatever the filter does by itself.
    Default,
    /// The module alone.
    Module,
}

/// What is asked of the filter.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The allowed algorithm.
    pub algorithm: Algorithm,
    /// Tokens that it remembers, per worker; `None` leaves the filter's own choice.
    pub cached_tokens: Option<u32>,
    /// Who checks signatures.
    pub signatures: Signatures,
    /// Path prefixes with a rule each.
    pub paths: &'a [String],
}

impl Ours<'_> {
    /// The plugin's configuration.
    pub fn configuration(self) -> String {
        let provider = json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": [self.algorithm.name()],
            "types": [TYPE],
            "leewaySeconds": 60,
            "jwks": {"remote": {"cluster": CLUSTER, "authority": AUTHORITY, "path": JWKS_PATH}},
        });
        let rules =
            self.paths.iter().map(|path| json!({"match": {"path": {"prefix": path}}, "scopes": [SCOPE]}));
        let mut configuration =
            json!({"realm": "finpay", "providers": [provider], "rules": rules.collect::<Vec<_>>()});
        if let Some(tokens) = self.cached_tokens {
            configuration["limits"] = json!({"cachedTokens": tokens});
        }
        if self.signatures == Signatures::Module {
            configuration["signatures"] = Value::from("module");
        }
        configuration.to_string()
    }
}

/// The documents, where the configuration looks for them.
pub fn documents(jwks: String) -> Router {
    Router::new().route(JWKS_PATH, get(async move || ([("content-type", "application/json")], jwks.clone())))
}
