//! What the amounts of one body must be to each other.

use super::Judge;
use super::found::{Found, within};
use crate::config::{Amount, AtMost, Sum};
use crate::fault::Code;
use crate::money::Currency;
use crate::pattern::Indices;
use crate::tree::bit;

/// Why there is no sum.
enum NoSum {
    Overflow,
    /// An amount of another currency, and where it is.
    Currency(usize, Indices),
}

impl Judge<'_> {
    pub(super) fn judge_relations(&mut self) {
        for sum in &self.plan.sums {
            let parts = sum.price.iter().chain(&sum.plus).chain(&sum.minus).chain([&sum.total]);
            let is_sound = parts.fold(0, |bits, part| bits | bit(*part)) & self.unsound_amounts == 0
                && sum.quantity.map_or(0, bit) & self.unsound_counts == 0;
            if is_sound {
                self.judge_sum(sum);
            }
        }
        for relation in &self.plan.at_most {
            if (bit(relation.amount) | bit(relation.limit)) & self.unsound_amounts == 0 {
                self.judge_at_most(relation);
            }
        }
    }

    /// Each total against its own parts: those that lie in the same items as it does.
    fn judge_sum(&mut self, sum: &Sum) {
        let Some(total) = self.plan.amounts.get(sum.total) else { return };
        for found in self.found(sum.total) {
            if self.is_full() {
                return;
            }
            let (Some(currency), stars) =
                (self.currency(total.source, &found.indices), total.pattern.stars())
            else {
                continue;
            };
            let group = Group { indices: found.indices, stars, currency };
            let Some(stated) = self.value(total, found, currency) else { continue };
            match self.sum(sum, &group) {
                Ok(right) if right == stated => {}
                Ok(right) => {
                    let of =
                        if sum.plus.is_empty() && sum.minus.is_empty() { "the items" } else { "its parts" };
                    let right = Self::written(total, right, Some(currency));
                    let detail = ["must be ", &right, ", the sum of ", of].concat();
                    self.refuse(Code::SumMismatch, &total.pattern, &found.indices, detail);
                }
                Err(NoSum::Overflow) => {
                    let place = match sum.price.and_then(|price| self.plan.amounts.get(price)) {
                        Some(price) => price.pattern.array_of(stars),
                        None => total.pattern.clone(),
                    };
                    self.refuse(Code::Overflow, &place, &found.indices, "must add up to at most 2^63-1");
                }
                Err(NoSum::Currency(part, indices)) => {
                    if let Some(part) = self.plan.amounts.get(part) {
                        self.mismatch(part, &indices, currency);
                    }
                }
            }
        }
    }

    /// All that is added less all that is taken off, in this order: so which item comes first changes nothing.
    fn sum(&mut self, sum: &Sum, group: &Group) -> Result<i64, NoSum> {
        let mut added = match sum.price {
            Some(price) => self.items(price, sum.quantity, group)?,
            None => 0,
        };
        for part in &sum.plus {
            added = added.checked_add(self.items(*part, None, group)?).ok_or(NoSum::Overflow)?;
        }
        let mut taken = 0_i64;
        for part in &sum.minus {
            taken = taken.checked_add(self.items(*part, None, group)?).ok_or(NoSum::Overflow)?;
        }
        added.checked_sub(taken).ok_or(NoSum::Overflow)
    }

    /// All of an amount in a group, each times the quantity in the same item.
    fn items(&mut self, amount: usize, quantity: Option<usize>, group: &Group) -> Result<i64, NoSum> {
        let Some(rule) = self.plan.amounts.get(amount) else { return Ok(0) };
        let stars = rule.pattern.stars();
        let quantity = quantity.and_then(|quantity| self.plan.counts.get(quantity));
        let mut counts =
            quantity.map(|count| within(self.found(count.slot), &group.indices, group.stars).iter());
        let mut sum = 0_i64;
        for found in within(self.found(amount), &group.indices, group.stars) {
            if self.currency(rule.source, &found.indices) != Some(group.currency) {
                return Err(NoSum::Currency(amount, found.indices));
            }
            let price = self.value(rule, found, group.currency).unwrap_or_default();
            let times = match &mut counts {
                None => 1,
                // Both are in the order of their items, and no item is without its quantity.
                Some(counts) => {
                    let count = counts.find(|count| count.order(&found.indices, stars).is_eq());
                    count.and_then(|count| self.count(count).ok()).unwrap_or_default()
                }
            };
            let product = price.checked_mul(times).ok_or(NoSum::Overflow)?;
            sum = sum.checked_add(product).ok_or(NoSum::Overflow)?;
        }
        Ok(sum)
    }

    /// Each amount against the limit that lies in the same items.
    fn judge_at_most(&mut self, relation: &AtMost) {
        let amounts = &self.plan.amounts;
        let (Some(amount), Some(limit)) = (amounts.get(relation.amount), amounts.get(relation.limit)) else {
            return;
        };
        let stars = limit.pattern.stars();
        for found in self.found(relation.amount) {
            if self.is_full() {
                return;
            }
            let Some(bound) = within(self.found(relation.limit), &found.indices, stars).first() else {
                continue;
            };
            let currency = self.currency(amount.source, &found.indices);
            let Some(currency) = currency else { continue };
            if self.currency(limit.source, &bound.indices) != Some(currency) {
                self.mismatch(limit, &bound.indices, currency);
                continue;
            }
            let (value, bound) = (self.value(amount, found, currency), self.value(limit, bound, currency));
            if let Some(bound) = bound.filter(|bound| value.is_none_or(|value| value > *bound)) {
                let bound = Self::written(amount, bound, Some(currency));
                let detail = ["must be at most ", &bound, ", which is ", &limit.pattern.text()].concat();
                self.refuse(Code::AboveLimit, &amount.pattern, &found.indices, detail);
            }
        }
    }

    pub(super) fn mismatch(&mut self, amount: &Amount, indices: &Indices, expected: Currency) {
        let detail = ["must be of the currency ", expected.code()].concat();
        self.refuse(Code::CurrencyMismatch, &amount.pattern, indices, detail);
    }

    /// A sound amount's value.
    fn value(&mut self, amount: &Amount, found: &Found, currency: Currency) -> Option<i64> {
        self.units(amount, found, Some(currency)).ok().flatten()
    }
}

/// The items that a total lies in, and its currency.
struct Group {
    indices: Indices,
    stars: usize,
    currency: Currency,
}
