//! From the configuration as it is written to one that is right.

mod provider;
mod rule;

use route::field;

use super::raw;
use super::{ClaimHeader, Config, ConfigError, Forward, Limits, Provider};
use crate::place::{MAX_PLACES, Place};
use crate::request::{OWNED_PREFIX, is_owned};
use crate::rules::Demands;
use crate::token::MAX_TOKEN_BYTES;

const MAX_PROVIDERS: usize = 32;
const MAX_RULES: usize = 1000;

pub(super) fn config(raw: raw::Config) -> Result<Config, ConfigError> {
    // The realm stands between quotes in a header.
    let sound = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    if raw.realm.is_empty() || !raw.realm.bytes().all(sound) {
        return Err(ConfigError::new("realm", "must be printable ASCII without quote and backslash"));
    }
    let limits = limits(&raw.limits)?;
    let providers = providers(raw.providers, &limits)?;
    let mut demands = Demands::default();
    let rules = rule::rules(raw.rules, &providers, &mut demands)?;
    let places = places(raw.token_places)?;
    let dry_run_header = raw.dry_run_header.map(|name| field::own_name(&name, "dryRunHeader")).transpose()?;
    let mut owned_headers: Vec<String> = Vec::new();
    for ClaimHeader { name, .. } in providers.iter().flat_map(|provider| &provider.claim_headers) {
        // Not by sorting them, which would be code for nothing else.
        if !name.starts_with(OWNED_PREFIX) && !owned_headers.contains(name) {
            owned_headers.push(name.clone());
        }
    }
    // A service that finds the token there must not take a client's own word for it.
    if raw.forward == Forward::Authorization && !forwarded_in_place(&places)? {
        owned_headers.push("authorization".to_owned());
    }
    let config = Config {
        realm: raw.realm,
        matches_hosts: rules.iter().any(|rule| !rule.matches.hosts.is_empty()),
        providers,
        rules,
        demands,
        places,
        forward: raw.forward,
        passes_preflight: raw.cors_preflight.unwrap_or(true),
        dry_run_header,
        logs_state: raw.log_state,
        signatures: raw.signatures,
        owned_headers,
        limits,
    };
    let is_written =
        |place: &Place| matches!(place, Place::Header { name, .. } if is_owned(&config, name.as_bytes()));
    match config.places.iter().position(is_written) {
        Some(index) => {
            let path = format!("tokenPlaces[{index}].header");
            Err(ConfigError::new(path, "is a header that this filter writes"))
        }
        None => Ok(config),
    }
}

fn providers(raw: Vec<raw::Provider>, limits: &Limits) -> Result<Vec<Provider>, ConfigError> {
    if raw.is_empty() || raw.len() > MAX_PROVIDERS {
        return Err(ConfigError::new("providers", format!("must be 1 to {MAX_PROVIDERS}")));
    }
    let is_alone = raw.len() == 1;
    let mut providers: Vec<Provider> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("providers[{index}]");
        let provider = provider::provider(raw, &path, is_alone, limits)?;
        if providers.iter().any(|known| known.issuer == provider.issuer) {
            return Err(ConfigError::new(format!("{path}.issuer"), "is that of another provider"));
        }
        if providers.iter().any(|known| known.name == provider.name) {
            return Err(ConfigError::new(format!("{path}.name"), "is that of another provider"));
        }
        providers.push(provider);
    }
    Ok(providers)
}

fn places(raw: Option<Vec<raw::Place>>) -> Result<Vec<Place>, ConfigError> {
    let bearer = || Place::Header { name: "authorization".to_owned(), scheme: Some("Bearer".to_owned()) };
    let Some(raw) = raw else { return Ok(vec![bearer()]) };
    if raw.is_empty() || raw.len() > MAX_PLACES {
        return Err(ConfigError::new("tokenPlaces", format!("must be 1 to {MAX_PLACES}")));
    }
    let mut places: Vec<Place> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("tokenPlaces[{index}]");
        let place = place(raw, &path)?;
        if places.iter().any(|known| overlap(known, &place)) {
            return Err(ConfigError::new(path, "is there already"));
        }
        places.push(place);
    }
    Ok(places)
}

/// Whether `Authorization`, to which tokens move, is a place for them. What a client sends there is then refused or
/// verified, unless it has another scheme than the one that services are told.
fn forwarded_in_place(places: &[Place]) -> Result<bool, ConfigError> {
    let schemes: Vec<_> = places
        .iter()
        .filter_map(|place| match place {
            Place::Header { name, scheme } if name == "authorization" => Some(scheme.as_deref()),
            _ => None,
        })
        .collect();
    let is_told = |scheme: Option<&str>| scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("Bearer"));
    if !schemes.is_empty() && !schemes.iter().copied().any(is_told) {
        let message = "must not be authorization: that is a place for tokens, but not for those of Bearer";
        return Err(ConfigError::new("forward", message));
    }
    Ok(!schemes.is_empty())
}

/// Whether a token in one of them would be one in the other too.
fn overlap(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Header { name: one, scheme }, Place::Header { name: other, scheme: wanted }) => {
            let is_same = |(scheme, wanted): (&String, &String)| scheme.eq_ignore_ascii_case(wanted);
            one == other && scheme.as_ref().zip(wanted.as_ref()).is_none_or(is_same)
        }
        _ => one == other,
    }
}

fn place(raw: raw::Place, path: &str) -> Result<Place, ConfigError> {
    let at = |field: &str| format!("{path}.{field}");
    match raw {
        raw::Place { header: Some(header), scheme, cookie: None, query: None } => {
            let name = field::name(&header, &at("header"))?;
            if name != "authorization" {
                field::own_name(&name, &at("header"))?;
            }
            if let Some(scheme) = &scheme
                && (scheme.is_empty() || !scheme.bytes().all(field::is_tchar))
            {
                return Err(ConfigError::new(at("scheme"), "must be an RFC 9110 token"));
            }
            Ok(Place::Header { name, scheme })
        }
        raw::Place { header: None, scheme: None, cookie: Some(name), query: None } => {
            parameter_name(&name, &at("cookie")).map(|()| Place::Cookie(name))
        }
        raw::Place { header: None, scheme: None, cookie: None, query: Some(name) } => {
            parameter_name(&name, &at("query")).map(|()| Place::Query(name))
        }
        _ => Err(ConfigError::new(
            path,
            "must have header (with or without scheme), cookie or query, one of them",
        )),
    }
}

fn parameter_name(name: &str, path: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(ConfigError::new(path, "must be letters, digits and - . _ ~"));
    }
    Ok(())
}

fn limits(raw: &raw::Limits) -> Result<Limits, ConfigError> {
    let limit = |name: &str, value: Option<u64>, default: usize, min: usize, max: usize| {
        let value =
            value.map_or(Ok(default), usize::try_from).ok().filter(|value| (min..=max).contains(value));
        value.ok_or_else(|| ConfigError::new(format!("limits.{name}"), format!("must be {min} to {max}")))
    };
    let default = Limits::default();
    Ok(Limits {
        token_bytes: limit("tokenBytes", raw.token_bytes, default.token_bytes, 256, MAX_TOKEN_BYTES)?,
        token_depth: limit("tokenDepth", raw.token_depth, default.token_depth, 1, 64)?,
        jwks_bytes: limit("jwksBytes", raw.jwks_bytes, default.jwks_bytes, 1 << 10, 1 << 20)?,
        jwks_keys: limit("jwksKeys", raw.jwks_keys, default.jwks_keys, 1, 1_000)?,
        cached_tokens: limit("cachedTokens", raw.cached_tokens, default.cached_tokens, 0, 1_000_000)?,
        cached_bytes: limit("cachedBytes", raw.cached_bytes, default.cached_bytes, 0, 256 << 20)?,
        revocations: limit("revocations", raw.revocations, default.revocations, 1, 1_000_000)?,
        parked_requests: limit("parkedRequests", raw.parked_requests, default.parked_requests, 0, 100_000)?,
    })
}

fn within(value: Option<u64>, default: u64, min: u64, max: u64) -> Result<u64, String> {
    let value = value.unwrap_or(default);
    if (min..=max).contains(&value) { Ok(value) } else { Err(format!("must be {min} to {max}")) }
}
