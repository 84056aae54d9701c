//! This project's filter.

use serde_json::{Value, json};

use super::documents::{Documents, JWKS_PATH};
use super::issuer::{AUDIENCE, Algorithm, ISSUER, TYPE};
use crate::origin::CLUSTER;

const AUTHORITY: &str = "auth-service.finpay.svc.cluster.local:3001";
/// What every rule asks for.
const SCOPE: &str = "payments:read";
/// Enough for 100,000 tokens.
const CACHED_BYTES: u32 = 256 << 20;

/// Who does the arithmetic of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Envoy, where it can.
    Host,
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
    /// The feed of so many revocations.
    pub revocations: Option<usize>,
}

impl Default for Ours<'_> {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Es256,
            cached_tokens: None,
            signatures: Signatures::Host,
            paths: &[],
            revocations: None,
        }
    }
}

impl Ours<'_> {
    /// The plugin's configuration. What differs from the filter's own choice stands in it, and nothing else.
    pub fn configuration(self) -> String {
        let mut provider = json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": [self.algorithm.name()],
            "types": [TYPE],
            "leewaySeconds": 60,
            "jwks": {"remote": {"cluster": CLUSTER, "authority": AUTHORITY, "path": JWKS_PATH}},
        });
        if let Some(size) = self.revocations {
            let path = Documents::feed_path(size);
            provider["revocations"] = json!({"cluster": CLUSTER, "authority": AUTHORITY, "path": path});
        }
        let rules =
            self.paths.iter().map(|path| json!({"match": {"path": {"prefix": path}}, "scopes": [SCOPE]}));
        let mut configuration =
            json!({"realm": "finpay", "providers": [provider], "rules": rules.collect::<Vec<_>>()});
        if let Some(tokens) = self.cached_tokens {
            configuration["limits"] = json!({"cachedTokens": tokens, "cachedBytes": CACHED_BYTES});
        }
        if self.signatures == Signatures::Module {
            configuration["signatures"] = Value::from("module");
        }
        configuration.to_string()
    }
}
