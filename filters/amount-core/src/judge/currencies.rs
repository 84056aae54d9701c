//! The currencies of a body: those that it names, and those that its amounts have besides.

use super::Judge;
use super::amounts::{Wrong, wrong};
use super::found::{Found, What, within};
use crate::config::{Origin, Source};
use crate::fault::Code;
use crate::money::{Currency, UnknownCurrency};
use crate::pattern::{Indices, Pattern};

impl Judge<'_> {
    /// Every currency that the body names, every one that an amount of it asks for, and whether all are the same.
    pub(super) fn judge_currencies(&mut self) {
        let mut first = if self.plan.same_currency { self.fixed() } else { None };
        for (index, source) in self.plan.sources.iter().enumerate() {
            let Origin::Body { pattern, slot, default } = &source.origin else { continue };
            for found in self.judged(*slot) {
                match self.named(source, found) {
                    Err((code, detail)) => self.refuse(code, pattern, &found.indices, detail),
                    Ok(currency) if self.plan.same_currency && *first.get_or_insert(currency) != currency => {
                        let detail = "must be the same currency everywhere";
                        self.refuse(Code::CurrencyMismatch, pattern, &found.indices, detail);
                    }
                    Ok(_) => {}
                }
                if self.is_full() {
                    return;
                }
            }
            if default.is_none() {
                self.judge_absent_currency(index, pattern, *slot);
            }
        }
        if self.plan.same_currency {
            self.judge_defaults(first);
        }
    }

    /// The currency that the configuration gives to an amount which is there. All such are the same.
    fn fixed(&self) -> Option<Currency> {
        let mut amounts = self.plan.amounts.iter().enumerate();
        amounts.find_map(|(index, amount)| match self.plan.sources.get(amount.source)?.origin {
            Origin::Fixed(fixed) => {
                self.judged(index).iter().any(|found| found.what != What::Missing).then_some(fixed)
            }
            Origin::Body { .. } => None,
        })
    }

    /// Amounts whose currency is a default, which must be the same as all others.
    fn judge_defaults(&mut self, mut first: Option<Currency>) {
        for (index, amount) in self.plan.amounts.iter().enumerate() {
            let origin = self.plan.sources.get(amount.source).map(|source| &source.origin);
            let Some(Origin::Body { pattern, slot, default: Some(default) }) = origin else { continue };
            if first == Some(*default) {
                continue;
            }
            for found in self.judged(index).iter().filter(|found| found.what != What::Missing) {
                if self.is_full() {
                    return;
                }
                if within(self.found(*slot), &found.indices, pattern.stars()).is_empty() {
                    let first = *first.get_or_insert(*default);
                    if first != *default {
                        self.mismatch(amount, &found.indices, first);
                    }
                }
            }
        }
    }

    /// A currency that is nowhere, though an amount is that asks for it.
    fn judge_absent_currency(&mut self, source: usize, pattern: &Pattern, slot: usize) {
        let stars = pattern.stars();
        let mut told: Option<Indices> = None;
        let amounts = self.plan.amounts.iter().enumerate();
        for (index, _) in amounts.filter(|(_, amount)| amount.source == source) {
            for found in self.judged(index) {
                if self.is_full() {
                    return;
                }
                let is_told = told.as_ref().is_some_and(|told| found.order(told, stars).is_eq());
                if !is_told && within(self.found(slot), &found.indices, stars).is_empty() {
                    told = Some(found.indices);
                    if self.is_below_misplaced(pattern, &found.indices) {
                        continue;
                    }
                    let pointer = pattern.pointer(&found.indices);
                    if !self.faults.iter().any(|fault| fault.pointer == pointer) {
                        self.refuse(Code::Missing, pattern, &found.indices, "must be there");
                    }
                }
            }
        }
    }

    /// Whether something on the way to a place is of another kind, which says all of what is not below it.
    fn is_below_misplaced(&self, pattern: &Pattern, indices: &Indices) -> bool {
        self.notes.misplaced.iter().any(|misplaced| {
            self.plan.tree.get(misplaced.node).is_some_and(|node| {
                let stars = node.pattern.stars();
                pattern.tokens().starts_with(node.pattern.tokens())
                    && misplaced.indices.get(..stars) == indices.get(..stars)
            })
        })
    }

    /// The currency that the body names at a place.
    fn named(&mut self, source: &Source, found: &Found) -> Result<Currency, Wrong> {
        let Some(code) = found.what.string(self.body, self.buffer) else {
            return wrong((Code::UnknownCurrency, "must be a string"));
        };
        let currency: Currency = code
            .parse()
            .map_err(|problem: UnknownCurrency| (Code::UnknownCurrency, problem.to_string().into()))?;
        if source.allowed.is_empty() || source.allowed.contains(&currency) {
            return Ok(currency);
        }
        let codes: Vec<_> = source.allowed.iter().map(|currency| currency.code()).collect();
        Err((Code::UnknownCurrency, ["must be one of ", &codes.join(", ")].concat().into()))
    }

    /// The currency of an amount in these items, if there is a sound one.
    pub(super) fn currency(&mut self, source: usize, indices: &Indices) -> Option<Currency> {
        let from = self.plan.sources.get(source)?;
        let (pattern, slot, default) = match &from.origin {
            Origin::Fixed(fixed) => return Some(*fixed),
            Origin::Body { pattern, slot, default } => (pattern, *slot, *default),
        };
        let stars = pattern.stars();
        let known = self.currencies.get(source).copied().flatten();
        if let Some((_, currency)) = known.filter(|(known, _)| known.get(..stars) == indices.get(..stars)) {
            return currency;
        }
        let currency = match within(self.found(slot), indices, stars).first() {
            Some(found) => self.named(from, found).ok(),
            None => default,
        };
        if let Some(known) = self.currencies.get_mut(source) {
            *known = Some((*indices, currency));
        }
        currency
    }
}
