//! Envoy's own `jwt_authn`, set up for the same work as this filter.

use serde_json::{Value, json};

use super::issuer::{AUDIENCE, ISSUER};
use crate::rows::{Common, Rows, named};

/// The name of this filter in all tables.
const NATIVE: &str = "Envoy's jwt_authn";
/// The claims that go into headers, as this filter's go.
const CLAIMS: [(&str, &str); 5] = [
    ("sub", "x-jwt-sub"),
    ("scope", "x-jwt-scope"),
    ("iss", "x-jwt-iss"),
    ("jti", "x-jwt-jti"),
    ("exp", "x-jwt-exp"),
];

/// What is asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Native<'a> {
    /// The key set.
    pub jwks: &'a str,
    /// Tokens that it remembers, per worker; none, and it checks each one.
    pub cached_tokens: Option<u32>,
    /// Path prefixes with a requirement each.
    pub paths: &'a [String],
}

impl Native<'_> {
    /// Adds its row; gives the row's name.
    pub fn row(self, rows: &mut Rows, common: &Common, label: &str) -> String {
        let name = named(NATIVE, label);
        rows.native(common, &name, None, self.filter());
        name
    }

    /// The HTTP filter.
    fn filter(self) -> Value {
        let claims = CLAIMS.map(|(claim, header)| json!({"claim_name": claim, "header_name": header}));
        let mut provider = json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "local_jwks": {"inline_string": self.jwks},
            "forward": true,
            "clock_skew_seconds": 60,
            "claim_to_headers": claims,
        });
        if let Some(size) = self.cached_tokens {
            provider["jwt_cache_config"] = json!({"jwt_cache_size": size});
        }
        let rules = self
            .paths
            .iter()
            .map(|path| json!({"match": {"prefix": path}, "requires": {"provider_name": "finpay"}}));
        json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"finpay": provider},
                "rules": rules.collect::<Vec<_>>(),
            },
        })
    }
}
