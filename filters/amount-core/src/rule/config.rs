//! The rules as they are written: read strictly, checked, then compiled.

use std::collections::BTreeMap;

use ::config::ConfigError;
use serde::Deserialize;

use super::{
    AmountRule, Config, CountRule, CurrencyRule, DEFAULT_BODY_BYTES, Pattern, Rule, Segment, SumRule,
};
use crate::money::Currency;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawConfig {
    #[serde(default)]
    hold_headers: bool,
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawRule {
    name: String,
    r#match: RawMatch,
    max_body_bytes: Option<usize>,
    currency: RawCurrency,
    amounts: Vec<RawAmount>,
    #[serde(default)]
    counts: Vec<RawCount>,
    #[serde(default)]
    arrays: Vec<RawCount>,
    sum: Option<RawSum>,
    fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatch {
    methods: Vec<String>,
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCurrency {
    pointer: String,
    default: Option<String>,
    #[serde(default)]
    allowed: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAmount {
    pointer: String,
    min: i64,
    #[serde(default)]
    caps: BTreeMap<String, i64>,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    pointer: String,
    min: i64,
    max: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSum {
    items: String,
    price: String,
    quantity: String,
    total: String,
}

pub(super) fn read(text: &[u8]) -> Result<Config, ConfigError> {
    let raw: RawConfig = ::config::parse(text)?;
    let compile_at = |(index, raw)| compile(raw, &format!("rules[{index}]"));
    let rules = raw.rules.into_iter().enumerate().map(compile_at).collect::<Result<_, _>>()?;
    Ok(Config { hold_headers: raw.hold_headers, rules })
}

fn compile(raw: RawRule, at: &str) -> Result<Rule, ConfigError> {
    let at = |field: &str| format!("{at}.{field}");
    if raw.r#match.methods.is_empty() {
        return Err(ConfigError::new(at("match.methods"), "names no method"));
    }
    let max_body_bytes = raw.max_body_bytes.unwrap_or(DEFAULT_BODY_BYTES);
    if max_body_bytes == 0 {
        return Err(ConfigError::new(at("maxBodyBytes"), "must be above 0"));
    }
    let amount = |(index, raw): (usize, RawAmount)| {
        let at = at(&format!("amounts[{index}]"));
        if raw.min < 0 {
            return Err(ConfigError::new(format!("{at}.min"), "must not be negative"));
        }
        for (code, cap) in &raw.caps {
            currency(code, &format!("{at}.caps"))?;
            if *cap < raw.min {
                return Err(ConfigError::new(format!("{at}.caps.{code}"), "is below min"));
            }
        }
        let pattern = pattern(&raw.pointer, format!("{at}.pointer"))?;
        Ok(AmountRule { pattern, min: raw.min, caps: raw.caps, optional: raw.optional })
    };
    let fields = raw.fields.iter().enumerate();
    Ok(Rule {
        name: raw.name,
        max_body_bytes,
        methods: raw.r#match.methods,
        path: template(&raw.r#match.path, at("match.path"))?,
        currency: currency_rule(raw.currency, &at("currency"))?,
        amounts: raw.amounts.into_iter().enumerate().map(amount).collect::<Result<_, _>>()?,
        counts: counts(raw.counts, &at("counts"))?,
        arrays: counts(raw.arrays, &at("arrays"))?,
        sum: raw.sum.map(|sum| sum_rule(sum, &at("sum"))).transpose()?,
        fields: fields
            .map(|(index, field)| pattern(field, at(&format!("fields[{index}]"))))
            .collect::<Result<_, _>>()?,
    })
}

fn counts(raw: Vec<RawCount>, at: &str) -> Result<Vec<CountRule>, ConfigError> {
    let count = |(index, raw): (usize, RawCount)| {
        if raw.max < raw.min {
            return Err(ConfigError::new(format!("{at}[{index}].max"), "is below min"));
        }
        let pattern = pattern(&raw.pointer, format!("{at}[{index}].pointer"))?;
        Ok(CountRule { pattern, min: raw.min, max: raw.max })
    };
    raw.into_iter().enumerate().map(count).collect()
}

fn currency_rule(raw: RawCurrency, at: &str) -> Result<CurrencyRule, ConfigError> {
    pattern(&raw.pointer, format!("{at}.pointer"))?;
    let default = raw.default.map(|code| currency(&code, &format!("{at}.default"))).transpose()?;
    let allowed =
        raw.allowed.iter().map(|code| currency(code, &format!("{at}.allowed"))).collect::<Result<_, _>>()?;
    Ok(CurrencyRule { pointer: raw.pointer, default, allowed })
}

fn sum_rule(raw: RawSum, at: &str) -> Result<SumRule, ConfigError> {
    pattern(&raw.items, format!("{at}.items"))?;
    pattern(&raw.total, format!("{at}.total"))?;
    Ok(SumRule { items: raw.items, price: raw.price, quantity: raw.quantity, total: raw.total })
}

fn currency(code: &str, at: &str) -> Result<Currency, ConfigError> {
    code.parse().map_err(|problem| ConfigError::new(at, format!("{code}: {problem}")))
}

fn pattern(text: &str, at: String) -> Result<Pattern, ConfigError> {
    Pattern::new(text).ok_or_else(|| ConfigError::new(at, format!("{text}: a JSON pointer starts with '/'")))
}

fn template(text: &str, at: String) -> Result<Vec<Segment>, ConfigError> {
    let rest = text
        .strip_prefix('/')
        .ok_or_else(|| ConfigError::new(at, format!("{text}: a path starts with '/'")))?;
    let is_placeholder = |part: &str| part.starts_with('{') && part.ends_with('}');
    let segment =
        |part: &str| if is_placeholder(part) { Segment::Any } else { Segment::Exact(part.to_owned()) };
    Ok(rest.split('/').map(segment).collect())
}
