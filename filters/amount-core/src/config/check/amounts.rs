//! Amounts, their currencies and their limits.

use std::collections::BTreeMap;

use ::config::{NONE_NAMED, named};
use route::field;

use super::super::raw;
use super::super::{Amount, ConfigError, LiftWord, Limits, Origin, Source};
use super::MAX_LIFTS;
use super::plan::Draft;
use crate::money::{Currency, MINOR_UNITS_LIMIT};
use crate::pattern::Pattern;
use crate::tree::{Slot, bit};

/// The source that a currency in the configuration is; the same one for the same words.
pub(super) fn source(raw: &raw::Currency, field: &str, draft: &mut Draft<'_>) -> Result<usize, ConfigError> {
    let at = |name: &str| format!("{field}.{name}");
    let allowed = named(raw.allowed.clone(), draft.at(&at("allowed")))?;
    let allowed = allowed.iter().enumerate().map(|(index, code)| {
        currency(code).map_err(|message| draft.error(&at(&format!("allowed[{index}]")), message))
    });
    let allowed = allowed.collect::<Result<Vec<_>, _>>()?;
    let is_allowed = |currency: Currency| allowed.is_empty() || allowed.contains(&currency);
    let known = |code: &Option<String>, name: &str| {
        let known =
            code.as_ref().map(|code| currency(code).map_err(|message| draft.error(&at(name), message)));
        match known.transpose()? {
            Some(known) if !is_allowed(known) => Err(draft.error(&at(name), "is not among the allowed ones")),
            known => Ok(known),
        }
    };
    let (fixed, default) = (known(&raw.fixed, "fixed")?, known(&raw.default, "default")?);
    let origin = match (&raw.pointer, fixed, default) {
        (None, Some(fixed), None) => Origin::Fixed(fixed),
        (Some(pointer), None, default) => {
            let pattern = draft.pattern(pointer, &at("pointer"))?;
            let slot = named_slot(&pattern, &at("pointer"), draft)?;
            Origin::Body { pattern, slot, default }
        }
        _ => {
            let message = "must have pointer (with or without default) or fixed, one of them";
            return Err(draft.error(field, message));
        }
    };
    let source = Source { origin, allowed };
    let sources = &mut draft.plan.sources;
    Ok(sources.iter().position(|known| *known == source).unwrap_or_else(|| {
        sources.push(source);
        sources.len().saturating_sub(1)
    }))
}

/// The slot of a currency's place: one for all sources that name it.
fn named_slot(pattern: &Pattern, field: &str, draft: &mut Draft<'_>) -> Result<usize, ConfigError> {
    let known = draft.plan.sources.iter().find_map(|source| match &source.origin {
        Origin::Body { pattern: known, slot, .. } if known == pattern => Some(*slot),
        _ => None,
    });
    if let Some(slot) = known {
        return Ok(slot);
    }
    // Whether it must be there depends on whether an amount asks for it.
    let slot = Slot { index: draft.next_slot(), is_required: false };
    draft.value(pattern, slot, field)?;
    Ok(slot.index)
}

fn currency(code: &str) -> Result<Currency, String> {
    code.parse().map_err(|problem: crate::money::UnknownCurrency| problem.to_string())
}

/// An amount; `currency` is the rule's source, if it has one.
pub(super) fn amount(
    raw: &raw::Amount,
    index: usize,
    currency: Option<usize>,
    lifts: &mut Vec<LiftWord>,
    draft: &mut Draft<'_>,
) -> Result<(), ConfigError> {
    let field = format!("amounts[{index}]");
    let at = |name: &str| format!("{field}.{name}");
    let pattern = draft.pattern(&raw.pointer, &at("pointer"))?;
    draft.value(&pattern, Slot { index, is_required: !raw.optional }, &at("pointer"))?;
    let source = match (&raw.currency, currency) {
        (Some(own), _) => source(own, &at("currency"), draft)?,
        (None, Some(rules)) => rules,
        (None, None) => return Err(draft.error(&at("currency"), "must be here or at the rule")),
    };
    let Some(from) = draft.plan.sources.get(source) else { return Ok(()) };
    if let Origin::Body { pattern: currency, .. } = &from.origin
        && !pattern.tokens().starts_with(currency.group())
    {
        let message = format!("is not in the items that its currency, {}, is in", currency.text());
        return Err(draft.error(&at("pointer"), message));
    }
    let min = limit(raw.min.unwrap_or(1)).map_err(|message| draft.error(&at("min"), message))?;
    let limits = limits(raw.max, raw.caps.as_ref(), from, min, &field, draft)?;
    let lift = raw.lift.as_ref().map(|raw| {
        let field = at("lift");
        if raw.max.is_none() && raw.caps.is_none() {
            return Err(draft.error(&field, "must have max or caps"));
        }
        let lifted = self::limits(raw.max, raw.caps.as_ref(), from, min, &field, draft)?;
        is_above(&lifted, &limits, from).map_err(|message| draft.error(&field, message))?;
        Ok::<_, ConfigError>((lift_bit(raw, &field, lifts, draft)?, lifted))
    });
    let lift = lift.transpose()?;
    let form = raw.form.unwrap_or(match raw.unit {
        raw::Unit::Minor => raw::Form::Number,
        raw::Unit::Major => raw::Form::String,
    });
    draft.plan.amounts.push(Amount { pattern, source, unit: raw.unit, form, min, limits, lift });
    Ok(())
}

/// Units, or a count.
pub(super) fn limit(value: u64) -> Result<i64, &'static str> {
    let value = i64::try_from(value).ok().filter(|value| *value <= MINOR_UNITS_LIMIT);
    value.ok_or("must be within 2^53-1")
}

/// Upper limits. Those by currency alone must name every one that can occur: else a forgotten currency would have no
/// limit.
fn limits(
    max: Option<u64>,
    caps: Option<&BTreeMap<String, u64>>,
    source: &Source,
    min: i64,
    field: &str,
    draft: &Draft<'_>,
) -> Result<Limits, ConfigError> {
    let sound = |value: u64, name: &str| {
        let value = limit(value).map_err(|message| draft.error(&format!("{field}.{name}"), message))?;
        if value < min {
            return Err(draft.error(&format!("{field}.{name}"), format!("is below min, which is {min}")));
        }
        Ok(value)
    };
    let max = max.map(|max| sound(max, "max")).transpose()?;
    if caps.is_some_and(BTreeMap::is_empty) {
        return Err(draft.error(&format!("{field}.caps"), NONE_NAMED));
    }
    let caps = caps.into_iter().flatten().map(|(code, cap)| {
        let name = format!("caps.{code}");
        let known = currency(code).map_err(|message| draft.error(&format!("{field}.{name}"), message))?;
        let is_possible = possible(source).is_none_or(|possible| possible.contains(&known));
        if !is_possible {
            return Err(
                draft.error(&format!("{field}.{name}"), "is not a currency that this amount can have")
            );
        }
        Ok((known, sound(*cap, &name)?))
    });
    let caps = caps.collect::<Result<Vec<_>, _>>()?;
    let limits = Limits { max, caps };
    if !limits.caps.is_empty() && max.is_none() {
        let all = possible(source);
        let is_complete =
            all.as_ref().is_some_and(|all| all.iter().all(|currency| limits.of(*currency).is_some()));
        if !is_complete {
            let message = "must name every currency that can occur (see allowed), or max must be there";
            return Err(draft.error(&format!("{field}.caps"), message));
        }
    }
    Ok(limits)
}

/// The currencies that can occur; nothing where all can.
fn possible(source: &Source) -> Option<Vec<Currency>> {
    match source.origin {
        Origin::Fixed(fixed) => Some(vec![fixed]),
        Origin::Body { .. } => (!source.allowed.is_empty()).then(|| source.allowed.clone()),
    }
}

/// Whether lifted limits are nowhere below the ordinary ones.
fn is_above(lifted: &Limits, ordinary: &Limits, source: &Source) -> Result<(), String> {
    let is_below = |lifted: Option<i64>, ordinary: Option<i64>| {
        lifted.is_some_and(|lifted| ordinary.is_none_or(|ordinary| lifted < ordinary))
    };
    let all = possible(source);
    let named = lifted.caps.iter().chain(&ordinary.caps).map(|(currency, _)| *currency).collect();
    let below = all
        .clone()
        .unwrap_or(named)
        .into_iter()
        .find(|currency| is_below(lifted.of(*currency), ordinary.of(*currency)));
    match below {
        Some(currency) => Err(format!("is below the ordinary limit of {currency}")),
        None if all.is_none() && is_below(lifted.max, ordinary.max) => {
            Err("is below the ordinary max".to_owned())
        }
        None => Ok(()),
    }
}

/// The bit of the word that lifts: one for all amounts that name the same.
fn lift_bit(
    raw: &raw::Lift,
    field: &str,
    lifts: &mut Vec<LiftWord>,
    draft: &Draft<'_>,
) -> Result<u64, ConfigError> {
    let header = field::name(&raw.header, &draft.at(&format!("{field}.header")))?;
    let sound = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    if raw.has.is_empty() || !raw.has.bytes().all(sound) {
        let message = "must be one word: printable ASCII without blanks and commas";
        return Err(draft.error(&format!("{field}.has"), message));
    }
    let word = LiftWord { header, word: raw.has.clone() };
    let index = lifts.iter().position(|known| *known == word).unwrap_or_else(|| {
        lifts.push(word);
        lifts.len().saturating_sub(1)
    });
    if index >= MAX_LIFTS {
        let message = format!("is one too many: rules may name {MAX_LIFTS} different words");
        return Err(draft.error(field, message));
    }
    Ok(bit(index))
}
