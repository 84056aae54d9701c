//! From the configuration as it is written to one that is right.

mod amounts;
mod plan;
mod relations;

use route::field::own_name;

use super::raw;
use super::{Config, ConfigError, DEFAULT_BODY_BYTES, LiftWord, MAX_BODY_BYTES, MAX_RULES, Rule};
use crate::json::DEPTH_LIMIT;

/// As many words as a [`Guard`](crate::Guard) has bits.
const MAX_LIFTS: usize = 64;
const MAX_NAME_BYTES: usize = 64;
const DEFAULT_DEPTH: usize = 32;

pub(super) fn config(raw: raw::Config) -> Result<Config, ConfigError> {
    if raw.rules.is_empty() || raw.rules.len() > MAX_RULES {
        return Err(ConfigError::new("rules", format!("must be 1 to {MAX_RULES}")));
    }
    let dry_run_header = raw.dry_run_header.map(|name| own_name(&name, "dryRunHeader")).transpose()?;
    let mut lifts = Vec::new();
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.rules.len());
    for (index, raw) in raw.rules.into_iter().enumerate() {
        let path = format!("rules[{index}]");
        let rule = rule(raw, &path, &mut lifts)?;
        if rules.iter().any(|known| known.name == rule.name) {
            return Err(ConfigError::new(format!("{path}.name"), "is that of another rule"));
        }
        rules.push(rule);
    }
    Ok(Config {
        hold_headers: raw.hold_headers,
        dry_run_header,
        matches_hosts: rules.iter().any(|rule| !rule.matches.hosts.is_empty()),
        rules,
        lifts,
    })
}

fn rule(raw: raw::Rule, path: &str, lifts: &mut Vec<LiftWord>) -> Result<Rule, ConfigError> {
    let at = |field: &str| format!("{path}.{field}");
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=MAX_NAME_BYTES).contains(&raw.name.len()) || !raw.name.bytes().all(plain) {
        let message = format!("must be 1 to {MAX_NAME_BYTES} lower-case letters, digits and hyphens");
        return Err(ConfigError::new(at("name"), message));
    }
    if raw.r#match.methods.is_none() {
        return Err(ConfigError::new(at("match.methods"), "must be there"));
    }
    let max_body_bytes =
        within(raw.max_body_bytes, DEFAULT_BODY_BYTES, MAX_BODY_BYTES, || at("maxBodyBytes"))?;
    let max_depth = within(raw.max_depth, DEFAULT_DEPTH, DEPTH_LIMIT, || at("maxDepth"))?;
    Ok(Rule {
        plan: plan::compile(&raw, max_depth, path, lifts)?,
        name: raw.name,
        is_dry_run: raw.dry_run,
        max_body_bytes,
        max_depth,
        matches: raw.r#match.check(&at("match"))?,
    })
}

fn within(
    value: Option<u64>,
    default: usize,
    max: usize,
    path: impl Fn() -> String,
) -> Result<usize, ConfigError> {
    let value = value.map_or(Some(default), |value| usize::try_from(value).ok());
    value
        .filter(|value| (1..=max).contains(value))
        .ok_or_else(|| ConfigError::new(path(), format!("must be 1 to {max}")))
}
