//! The jwt filter as Envoy loads it, and configurations for it.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::envoy::{self, Envoy, Options};
use crate::issuer::Issuer;
use crate::raw::{self, Reply};
use crate::wait::until;

/// What a test starts Envoys of its own with.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Envoy.
    pub binary: PathBuf,
    /// The filter's module.
    pub module: PathBuf,
}

impl Tools {
    /// Those that `FINPAY_ENVOY` and `FINPAY_WASM_DIR` name, or `None` (with a word).
    pub fn from_env() -> Option<Self> {
        let binary = envoy::binary()?;
        Some(Self { binary, module: envoy::module("jwt")? })
    }

    /// An Envoy with the filter under this configuration, and clusters for these issuers.
    pub async fn start(&self, configuration: &Value, issuers: &[&Issuer]) -> Result<Envoy> {
        self.start_with(configuration, issuers, Options::default()).await
    }

    /// The same with all that can be chosen.
    pub async fn start_with(
        &self,
        configuration: &Value,
        issuers: &[&Issuer],
        options: impl Into<Options>,
    ) -> Result<Envoy> {
        let mut options = options.into();
        options.setup.http_filters.push(self.filter(configuration));
        options.setup.clusters.extend(issuers.iter().map(|issuer| issuer.cluster()));
        Envoy::start_with(self.binary.clone(), options).await
    }

    /// The HTTP filter with this configuration.
    pub fn filter(&self, configuration: &Value) -> Value {
        envoy::wasm_filter("jwt", &self.module, &configuration.to_string())
    }
}

/// A configuration without rules: every request needs a token of one of these providers.
pub fn configuration(providers: &[Value]) -> Value {
    json!({"realm": "finpay", "providers": providers})
}

/// The object with these members put in; null takes a member out.
#[must_use]
pub fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            base.as_object_mut().map(|members| members.remove(name));
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// What becomes of a request with this token.
pub async fn verdict(envoy: &Envoy, token: &str) -> Result<String> {
    Ok(raw::bearer(envoy.address, "/order/1", token).await?.verdict())
}

/// Sends requests with this token until one has this verdict.
pub async fn becomes(envoy: &Envoy, token: &str, wanted: &str) -> Result<()> {
    until(&format!("the verdict is {wanted}"), async || {
        Ok((verdict(envoy, token).await? == wanted).then_some(()))
    })
    .await
}

/// How often the filter came to this verdict for this reason.
pub async fn verdicts(envoy: &Envoy, verdict: &str, reason: &str) -> Result<u64> {
    let name = format!("finpay_jwt.verdict=.={verdict};.;reason=.={reason};.;");
    Ok(envoy.stats(&name).await?.iter().map(|(_, count)| count).sum())
}

/// The one metric of the filter whose name ends so, or 0.
pub async fn metric(envoy: &Envoy, text: &str) -> Result<u64> {
    Ok(envoy.stats(text).await?.iter().map(|(_, count)| count).sum())
}

/// Requests that went past all filters.
pub async fn arrived(envoy: &Envoy) -> Result<u64> {
    metric(envoy, "http.test.rq_direct_response").await
}

/// What is wrong with a refusal, if anything is: its form, its challenge, and what it must not repeat.
pub fn faults(reply: &Reply, expected: &str, secrets: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    if reply.verdict() != expected {
        fault(format!("{} instead of {expected}", reply.verdict()));
    }
    if reply.header("content-type") != "application/problem+json" {
        fault(format!("content type {:?}", reply.header("content-type")));
    }
    let challenge = match expected {
        "401 missing-token" => r#"Bearer realm="finpay""#,
        "401 invalid-token" => r#"Bearer realm="finpay", error="invalid_token""#,
        "400 invalid-request" => r#"Bearer realm="finpay", error="invalid_request""#,
        _ => "",
    };
    if !expected.starts_with("403") && reply.header("www-authenticate") != challenge {
        fault(format!("challenge {:?}", reply.header("www-authenticate")));
    }
    if (reply.status == 503) != (reply.header("retry-after") == "1") {
        fault(format!("retry-after {:?}", reply.header("retry-after")));
    }
    if secrets.iter().any(|secret| !secret.is_empty() && reply.mentions(secret)) {
        fault("the answer repeats the token".to_owned());
    }
    if reply.headers.iter().any(|(name, _)| name.starts_with("seen-")) {
        fault("it is the service's own answer".to_owned());
    }
    faults
}
