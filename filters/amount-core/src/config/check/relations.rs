//! What amounts of one body must be to each other.

use super::super::raw;
use super::super::{AtMost, ConfigError, Origin, Sum};
use super::plan::Draft;
use crate::pattern::Pattern;

pub(super) fn relations(raw: &raw::Rule, draft: &mut Draft<'_>) -> Result<(), ConfigError> {
    for (index, raw) in raw.sums.iter().enumerate() {
        let sum = sum(raw, &format!("sums[{index}]"), draft)?;
        draft.plan.sums.push(sum);
    }
    for (index, raw) in raw.at_most.iter().enumerate() {
        let field = format!("atMost[{index}]");
        let amount = amount(&raw.amount, &format!("{field}.amount"), draft)?;
        let at = format!("{field}.limit");
        let limit = self::amount(&raw.limit, &at, draft)?;
        if amount == limit {
            return Err(draft.error(&at, "is the amount itself"));
        }
        within(amount, limit, &format!("{field}.amount"), draft)?;
        one_currency(amount, limit, &at, draft)?;
        draft.plan.at_most.push(AtMost { amount, limit });
    }
    if let Some(pointer) = &raw.verified {
        let amount = amount(pointer, "verified", draft)?;
        if pattern(amount, draft).is_some_and(|pattern| pattern.stars() > 0) {
            return Err(draft.error("verified", "must be one amount, not one of each item"));
        }
        draft.plan.verified = Some(amount);
    }
    Ok(())
}

fn sum(raw: &raw::Sum, field: &str, draft: &Draft<'_>) -> Result<Sum, ConfigError> {
    let total = amount(&raw.total, &format!("{field}.total"), draft)?;
    if raw.items.is_none() && raw.plus.is_empty() {
        return Err(draft.error(field, "must have items or plus"));
    }
    let mut parts = Vec::new();
    let mut part = |pointer: &str, at: &str| {
        let part = amount(pointer, at, draft)?;
        if part == total || parts.contains(&part) {
            return Err(draft.error(at, "is in this sum already"));
        }
        within(part, total, at, draft)?;
        one_currency(part, total, at, draft)?;
        parts.push(part);
        Ok(part)
    };
    let price = raw.items.as_ref().map(|items| part(&items.price, &format!("{field}.items.price")));
    let price = price.transpose()?;
    let mut list = |pointers: &[String], name: &str| {
        let parts = pointers.iter().enumerate();
        parts.map(|(index, pointer)| part(pointer, &format!("{field}.{name}[{index}]"))).collect()
    };
    let plus: Result<Vec<_>, _> = list(&raw.plus, "plus");
    let (plus, minus) = (plus?, list(&raw.minus, "minus")?);
    let quantity = raw.items.as_ref().and_then(|items| items.quantity.as_deref());
    let quantity = quantity
        .zip(price)
        .map(|(pointer, price)| quantity_of(pointer, price, &format!("{field}.items.quantity"), draft));
    Ok(Sum { total, price, quantity: quantity.transpose()?, plus, minus })
}

/// The count that multiplies a price. It must be there: an item without it has no total.
fn quantity_of(pointer: &str, price: usize, at: &str, draft: &Draft<'_>) -> Result<usize, ConfigError> {
    let wanted = draft.pattern(pointer, at)?;
    let counts = draft.counts.iter().zip(&draft.plan.counts).enumerate();
    let found = counts.into_iter().find(|(_, (pattern, _))| **pattern == wanted);
    let Some((index, (_, count))) = found else { return Err(draft.error(at, "is not one of counts")) };
    if count.is_optional {
        return Err(draft.error(at, "must not be optional: an item without it has no total"));
    }
    if pattern(price, draft).is_none_or(|price| price.group() != wanted.group()) {
        return Err(draft.error(at, "is not in the same items as price"));
    }
    Ok(index)
}

/// The index of the amount that a relation names.
fn amount(pointer: &str, at: &str, draft: &Draft<'_>) -> Result<usize, ConfigError> {
    let wanted = draft.pattern(pointer, at)?;
    let found = draft.plan.amounts.iter().position(|amount| amount.pattern == wanted);
    found.ok_or_else(|| draft.error(at, "is not one of amounts"))
}

fn pattern<'d>(amount: usize, draft: &'d Draft<'_>) -> Option<&'d Pattern> {
    draft.plan.amounts.get(amount).map(|amount| &amount.pattern)
}

/// A part must lie in the items that the whole lies in, so that it is clear which ones go together.
fn within(part: usize, whole: usize, at: &str, draft: &Draft<'_>) -> Result<(), ConfigError> {
    let (Some(part), Some(whole)) = (pattern(part, draft), pattern(whole, draft)) else { return Ok(()) };
    if part.tokens().starts_with(whole.group()) {
        return Ok(());
    }
    Err(draft.error(at, format!("is not in the items that {} is in", whole.text())))
}

/// Two fixed currencies are never the same.
pub(super) fn same_currency(draft: &Draft<'_>) -> Result<(), ConfigError> {
    if !draft.plan.same_currency {
        return Ok(());
    }
    let sources = draft.plan.amounts.iter().filter_map(|amount| draft.plan.sources.get(amount.source));
    let mut fixed = sources.filter_map(|source| match source.origin {
        Origin::Fixed(fixed) => Some(fixed),
        Origin::Body { .. } => None,
    });
    let first = fixed.next();
    match first.zip(fixed.find(|other| Some(*other) != first)) {
        Some((first, other)) => {
            Err(draft.error("sameCurrency", format!("cannot be: {first} and {other} are fixed")))
        }
        None => Ok(()),
    }
}

/// Amounts of different currencies cannot be compared. Where the body's own word decides, `sameCurrency` asks for it.
fn one_currency(part: usize, whole: usize, at: &str, draft: &Draft<'_>) -> Result<(), ConfigError> {
    let origin = |amount: usize| {
        let source = draft.plan.amounts.get(amount).map(|amount| amount.source);
        source.and_then(|source| draft.plan.sources.get(source)).map(|source| &source.origin)
    };
    let (part, whole) = (origin(part), origin(whole));
    let is_hopeless = match (part, whole) {
        (Some(Origin::Fixed(part)), Some(Origin::Fixed(whole))) => part != whole,
        _ => part != whole && !draft.plan.same_currency,
    };
    if is_hopeless {
        return Err(draft.error(at, "has another currency than the rest (see sameCurrency)"));
    }
    Ok(())
}
