//! Providers.

use std::time::Duration;

use route::field::{is_spelt, own_name};
use serde_json::Value;

use super::super::raw;
use super::super::{
    ClaimHeader, ConfigError, HeaderValue, Jwks, Limits, MAX_LEEWAY_SECONDS, Provider, RemoteJwks,
    RevocationFeed, Subjects, Target,
};
use super::within;
use crate::algorithm::Algorithm;
use crate::json::is_exact;
use crate::jwks::KeySet;
use crate::selector::{Condition, Selector, Test};
use crate::token::short_type;

const MAX_CLAIM_HEADERS: usize = 32;
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The contract between the filter and FinPay's services; a sound default for all others.
const CLAIM_HEADERS: [(&str, HeaderValue); 5] = [
    ("x-jwt-sub", HeaderValue::Subject),
    ("x-jwt-scope", HeaderValue::Scope),
    ("x-jwt-iss", HeaderValue::Issuer),
    ("x-jwt-exp", HeaderValue::Expiry),
    ("x-jwt-jti", HeaderValue::TokenId),
];

pub(super) fn provider(
    raw: raw::Provider,
    path: &str,
    is_alone: bool,
    limits: &Limits,
) -> Result<Provider, ConfigError> {
    let at = |field: &str| format!("{path}.{field}");
    // The issuer goes into a request header.
    if raw.issuer.is_empty() || !visible(&raw.issuer) {
        return Err(ConfigError::new(at("issuer"), "must be visible ASCII"));
    }
    let audiences = match (raw.audiences, raw.any_audience) {
        (Some(audiences), false) => Some(texts(audiences, &at("audiences"))?),
        (None, true) => None,
        _ => return Err(ConfigError::new(at("audiences"), "must be given, or else anyAudience: true")),
    };
    let algorithms = texts(raw.algorithms, &at("algorithms"))?;
    let algorithms = algorithms.iter().enumerate().map(|(index, name)| {
        Algorithm::from_name(name).ok_or_else(|| {
            let known = "ES256, ES384, RS256, RS384, RS512, PS256 or EdDSA";
            ConfigError::new(format!("{path}.algorithms[{index}]"), format!("must be {known}"))
        })
    });
    let conditions = raw.required_claims.into_iter().enumerate();
    let jwks = jwks(raw.jwks, &at("jwks"), limits)?;
    let provider = Provider {
        name: name(raw.name, &at("name"), is_alone)?,
        issuer: raw.issuer,
        audiences,
        subjects: subjects(raw.subjects, &at("subjects"))?,
        algorithms: algorithms.collect::<Result<Vec<_>, _>>()?,
        types: match raw.types {
            Some(types) => types_of(&types, &at("types"))?,
            None => vec!["at+jwt".to_owned(), "JWT".to_owned()],
        },
        needs_type: raw.needs_type.unwrap_or(true),
        leeway_seconds: seconds(raw.leeway_seconds, 60, 0, MAX_LEEWAY_SECONDS, &at("leewaySeconds"))?,
        max_lifetime_seconds: raw
            .max_lifetime_seconds
            .map(|limit| seconds(Some(limit), 0, 1, u64::from(u32::MAX), &at("maxLifetimeSeconds")))
            .transpose()?,
        required_claims: conditions
            .map(|(index, raw)| condition(raw, &format!("{path}.requiredClaims[{index}]")))
            .collect::<Result<_, _>>()?,
        scope_claim: match raw.scope_claim {
            Some(name) => {
                claim_name(&name, &at("scopeClaim"), "no pointer is taken here").map(str::to_owned)?
            }
            None => "scope".to_owned(),
        },
        claim_headers: claim_headers(raw.claim_headers, &at("claimHeaders"))?,
        revocations: raw.revocations.map(|raw| revocations(raw, &at("revocations"))).transpose()?,
        jwks,
    };
    usable_algorithms(&provider, path)?;
    Ok(provider)
}

/// Media types, without what tokens leave out of them.
fn types_of(types: &[String], path: &str) -> Result<Vec<String>, ConfigError> {
    let types = types.iter().map(|typ| short_type(typ).to_owned()).collect();
    let types = texts(types, path)?;
    if types.iter().all(|typ| visible(typ)) {
        Ok(types)
    } else {
        Err(ConfigError::new(path, "must be media types"))
    }
}

/// A key set that is known now shows at once which algorithms can never be used.
fn usable_algorithms(provider: &Provider, path: &str) -> Result<(), ConfigError> {
    let Jwks::Inline(set) = &provider.jwks else { return Ok(()) };
    match provider.algorithms.iter().position(|algorithm| !set.keys().any(|key| key.may_check(*algorithm))) {
        Some(index) => {
            Err(ConfigError::new(format!("{path}.algorithms[{index}]"), "no key of jwks.inline is for it"))
        }
        None => Ok(()),
    }
}

fn name(name: Option<String>, path: &str, is_alone: bool) -> Result<String, ConfigError> {
    let name = match name {
        Some(name) => name,
        None if is_alone => "default".to_owned(),
        None => return Err(ConfigError::new(path, "must be given where there are several providers")),
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(plain) {
        return Err(ConfigError::new(path, "must be 1 to 63 lower-case letters, digits and hyphens"));
    }
    Ok(name)
}

fn subjects(raw: Option<raw::Subjects>, path: &str) -> Result<Subjects, ConfigError> {
    let Some(raw) = raw else { return Ok(Subjects::default()) };
    if raw.exact.is_empty() && raw.prefixes.is_empty() {
        return Err(ConfigError::new(path, "must list some, or be left out"));
    }
    if raw.exact.iter().chain(&raw.prefixes).any(String::is_empty) {
        return Err(ConfigError::new(path, "must not hold empty text"));
    }
    Ok(Subjects { exact: raw.exact, prefixes: raw.prefixes })
}

/// A condition on claims.
pub(super) fn condition(raw: raw::Condition, path: &str) -> Result<Condition, ConfigError> {
    let claim = selector(raw.claim.as_deref(), raw.pointer.as_deref(), path)?;
    for (name, value) in [("equals", &raw.equals), ("contains", &raw.contains)] {
        if value.as_ref().is_some_and(|value| !is_exact(value)) {
            let message = "must hold no number beyond 64 bits, which many are rounded to";
            return Err(ConfigError::new(format!("{path}.{name}"), message));
        }
    }
    let test = match (raw.equals, raw.contains) {
        (None, None) => Test::Present,
        (Some(value), None) => Test::Equals(value),
        (None, Some(value)) if !matches!(value, Value::Array(_) | Value::Object(_)) => Test::Contains(value),
        (None, Some(_)) => return Err(ConfigError::new(format!("{path}.contains"), "must be one value")),
        _ => return Err(ConfigError::new(path, "must have equals or contains, not both")),
    };
    Ok(Condition { claim, test })
}

fn selector(claim: Option<&str>, pointer: Option<&str>, path: &str) -> Result<Selector, ConfigError> {
    match (claim, pointer) {
        (Some(name), None) => {
            claim_name(name, &format!("{path}.claim"), "write pointer for that").map(Selector::name)
        }
        (None, Some(pointer)) => Selector::pointer(pointer)
            .ok_or_else(|| ConfigError::new(format!("{path}.pointer"), "must be an RFC 6901 pointer")),
        _ => Err(ConfigError::new(path, "must name one claim, by claim or by pointer")),
    }
}

/// A name that looks like a pointer would never be found.
fn claim_name<'a>(name: &'a str, path: &str, advice: &str) -> Result<&'a str, ConfigError> {
    if name.is_empty() || name.starts_with('/') {
        return Err(ConfigError::new(
            path,
            format!("must be the name of a claim, without / before it: {advice}"),
        ));
    }
    Ok(name)
}

fn claim_headers(raw: Option<Vec<raw::ClaimHeader>>, path: &str) -> Result<Vec<ClaimHeader>, ConfigError> {
    const MAX_BYTES: usize = 1024;
    let Some(raw) = raw else {
        let default = CLAIM_HEADERS.into_iter();
        return Ok(default
            .map(|(name, value)| ClaimHeader { name: name.to_owned(), value, max_bytes: MAX_BYTES })
            .collect());
    };
    if raw.len() > MAX_CLAIM_HEADERS {
        return Err(ConfigError::new(path, format!("must be at most {MAX_CLAIM_HEADERS}")));
    }
    let mut headers: Vec<ClaimHeader> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("{path}[{index}]");
        let header = claim_header(&raw, &path)?;
        if headers.iter().any(|known| is_spelt(known.name.as_bytes(), header.name.as_bytes())) {
            return Err(ConfigError::new(
                format!("{path}.header"),
                "is written already, or differs from one by its marks alone",
            ));
        }
        headers.push(header);
    }
    Ok(headers)
}

fn claim_header(raw: &raw::ClaimHeader, path: &str) -> Result<ClaimHeader, ConfigError> {
    let name = own_name(&raw.header, &format!("{path}.header"))?;
    let default = if raw.payload { 8 << 10 } else { 1 << 10 };
    let value = match (raw.claim.as_deref(), raw.pointer.as_deref(), raw.payload) {
        (None, None, true) => HeaderValue::Payload,
        (claim, pointer, false) => HeaderValue::Claim(selector(claim, pointer, path)?),
        _ => return Err(ConfigError::new(path, "must have claim, pointer or payload, one of them")),
    };
    let max_bytes = within(raw.max_bytes, default, 1, 16 << 10)
        .map_err(|message| ConfigError::new(format!("{path}.maxBytes"), message))?;
    Ok(ClaimHeader { name, value, max_bytes: usize::try_from(max_bytes).unwrap_or(0) })
}

fn jwks(raw: raw::Jwks, path: &str, limits: &Limits) -> Result<Jwks, ConfigError> {
    match (raw.inline, raw.remote, raw.discovery) {
        (Some(document), None, None) => KeySet::parse(document.as_bytes(), limits)
            .map(|set| Jwks::Inline(Box::new(set)))
            .map_err(|error| ConfigError::new(format!("{path}.inline"), error.to_string())),
        (None, Some(raw), None) => remote(raw, &format!("{path}.remote"), false).map(Jwks::Remote),
        (None, None, Some(raw)) => remote(raw, &format!("{path}.discovery"), true).map(Jwks::Remote),
        _ => Err(ConfigError::new(path, "must have inline, remote or discovery, one of them")),
    }
}

fn remote(raw: raw::RemoteJwks, path: &str, is_discovery: bool) -> Result<RemoteJwks, ConfigError> {
    let at = |field: &str| format!("{path}.{field}");
    let document = match raw.path {
        Some(path) => path,
        None if is_discovery => DISCOVERY_PATH.to_owned(),
        None => return Err(ConfigError::new(at("path"), "must be given")),
    };
    let refresh = seconds(raw.refresh_seconds, 300, 1, 86_400, &at("refreshSeconds"))?;
    let stale = seconds(raw.stale_seconds, 86_400, 60, 2_592_000, &at("staleSeconds"))?;
    if stale <= refresh {
        return Err(ConfigError::new(at("staleSeconds"), "must be more than refreshSeconds"));
    }
    Ok(RemoteJwks {
        target: target(raw.cluster, raw.authority, document, raw.timeout_ms, path)?,
        is_discovery,
        refresh: Duration::from_secs(refresh),
        stale: Duration::from_secs(stale),
        min_refetch: Duration::from_secs(seconds(
            raw.min_refetch_seconds,
            10,
            1,
            3600,
            &at("minRefetchSeconds"),
        )?),
    })
}

fn revocations(raw: raw::RevocationFeed, path: &str) -> Result<RevocationFeed, ConfigError> {
    let at = |field: &str| format!("{path}.{field}");
    if raw.path.contains('?') {
        return Err(ConfigError::new(at("path"), "must have no query"));
    }
    let interval = within(raw.interval_ms, 1_000, 1_000, 60_000)
        .map_err(|message| ConfigError::new(at("intervalMs"), message))?;
    let stale = seconds(raw.stale_seconds, 900, 5, 86_400, &at("staleSeconds"))?;
    if stale.saturating_mul(1_000) <= interval {
        return Err(ConfigError::new(at("staleSeconds"), "must be more than intervalMs"));
    }
    Ok(RevocationFeed {
        target: target(raw.cluster, raw.authority, raw.path, raw.timeout_ms, path)?,
        interval: Duration::from_millis(interval),
        stale: Duration::from_secs(stale),
        passes_when_stale: matches!(raw.when_stale, raw::WhenStale::Pass),
    })
}

fn target(
    cluster: String,
    authority: String,
    document: String,
    timeout_ms: Option<u64>,
    path: &str,
) -> Result<Target, ConfigError> {
    // An empty pseudo-header would make every fetch fail, and only at run time.
    for (name, value) in [("cluster", &cluster), ("authority", &authority), ("path", &document)] {
        if value.is_empty() || !visible(value) {
            return Err(ConfigError::new(format!("{path}.{name}"), "must be visible ASCII"));
        }
    }
    if !document.starts_with('/') {
        return Err(ConfigError::new(format!("{path}.path"), "must begin with /"));
    }
    let timeout = within(timeout_ms, 2_000, 1, 30_000)
        .map_err(|message| ConfigError::new(format!("{path}.timeoutMs"), message))?;
    Ok(Target { cluster, authority, path: document, timeout: Duration::from_millis(timeout) })
}

fn visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn texts(list: Vec<String>, path: &str) -> Result<Vec<String>, ConfigError> {
    if list.is_empty() || list.iter().any(|text| text.is_empty() || text.trim() != text) {
        return Err(ConfigError::new(path, "must hold some, none of them empty or with blanks at its ends"));
    }
    Ok(list)
}

fn seconds(value: Option<u64>, default: u64, min: u64, max: u64, path: &str) -> Result<u64, ConfigError> {
    within(value, default, min, max).map_err(|message| ConfigError::new(path, message))
}
