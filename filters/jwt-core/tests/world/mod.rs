//! A small world for the properties: few tokens, paths and times, so that they meet each other often.
#![allow(dead_code, reason = "each test file takes what it needs")]

use jwt_core::config::Config;
use jwt_core::judge::{Decision, judge};
use jwt_core::request::Request;
use jwt_core::signature::SignatureCheck;
use jwt_core::verdict::{Reason, Verdict};
use jwt_core::verify::Verifier;
use serde_json::{Value, json};

use crate::common::{NOW, b64, claims, config, header, sign, signature, with};

pub(crate) const PATHS: [&str; 8] = [
    "/",
    "/auth/login",
    "/order/1",
    "/order/create",
    "/payment/1?access_token=a",
    "/opt",
    "/dry/1",
    "/a/../b",
];
pub(crate) const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "OPTIONS"];

/// A configuration with rules of every kind and this many remembered tokens.
pub(crate) fn configured(cached_tokens: u64) -> Config {
    let mut config = config();
    config["limits"] = json!({"cachedTokens": cached_tokens});
    config["providers"][0]["revocations"] = json!({"cluster": "a", "authority": "a", "path": "/r"});
    config["rules"].as_array_mut().expect("rules").extend([
        json!({"match": {"path": {"prefix": "/opt"}}, "optional": true, "claims": [{"claim": "admin"}]}),
        json!({"match": {"path": {"template": "/dry/{id}"}}, "anyScopes": ["x", "y"], "dryRun": true}),
    ]);
    Config::from_json(config.to_string().as_bytes()).expect("a sound configuration")
}

/// Tokens of every fate, and texts that are none.
pub(crate) fn tokens() -> Vec<String> {
    let token = |changes: Value| sign(&header(), &with(claims(), changes));
    let good = token(json!({}));
    let (text, end) = good.rsplit_once('.').expect("a token");
    let admin = token(json!({"sub": "admin", "admin": true, "jti": "j2", "scope": "x payments:read"}));
    vec![
        format!("{}.{end}", admin.rsplit_once('.').expect("a token").0),
        format!("{text}.{}", b64(signature("another text"))),
        good.clone(),
        admin,
        token(json!({"exp": NOW + 30, "jti": "j3", "scope": null})),
        token(json!({"nbf": NOW + 90})),
        token(json!({"aud": "others"})),
        sign(&with(header(), json!({"kid": "k2"})), &claims()),
        "a.b.c".to_owned(),
        "a b".to_owned(),
    ]
}

/// What a request comes to.
pub(crate) fn ask<Check: SignatureCheck>(
    config: &Config,
    verifier: &mut Verifier<Check>,
    headers: &[(&str, &str)],
    now_seconds: u64,
) -> Decision {
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    judge(config, verifier, &Request::read(config, headers), now_seconds)
}

/// All that shows of a decision: labels, provider, challenge and the headers for the service.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    labels: (&'static str, Reason),
    provider: Option<usize>,
    scope: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
}

pub(crate) fn shown(config: &Config, decision: &Decision) -> Shown {
    let (scope, headers) = match &decision.verdict {
        Verdict::Deny(denial) => (Some(denial.scope.clone()), Vec::new()),
        Verdict::Allow(identity) => {
            let headers = identity.headers(&config.providers[identity.provider]);
            (None, headers.map(|(name, value)| (name.to_owned(), value.to_vec())).collect())
        }
        Verdict::Open(_) => (None, Vec::new()),
    };
    Shown {
        labels: decision.verdict.labels(decision.is_dry_run),
        provider: decision.provider,
        scope,
        headers,
    }
}
