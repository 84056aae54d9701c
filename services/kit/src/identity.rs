//! The caller, as the sidecar's jwt filter verified it.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::problem::{Code, Problem};

/// Who calls. Taken from the identity headers, which only the jwt filter writes: it removes a client's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject (`sub`).
    pub subject: String,
    /// The token's scopes.
    pub scopes: Vec<String>,
    /// The token's id (`jti`).
    pub token_id: String,
    /// When the token ends (`exp`, seconds since 1970), where the sidecar says it.
    pub token_expires_at: Option<i64>,
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let missing = || {
            Problem::new(
                Code::IdentityMissing,
                "No identity headers: call the service through its sidecar or the gateway, not directly.",
            )
        };
        let subject = text(&parts.headers, "x-jwt-sub").ok_or_else(missing)?.to_owned();
        let token_id = text(&parts.headers, "x-jwt-jti").ok_or_else(missing)?.to_owned();
        let scopes = text(&parts.headers, "x-jwt-scope").unwrap_or_default();
        let scopes = scopes.split_ascii_whitespace().map(str::to_owned).collect();
        let token_expires_at = text(&parts.headers, "x-jwt-exp").and_then(|time| time.parse().ok());
        Ok(Self { subject, scopes, token_id, token_expires_at })
    }
}
