//! Amounts: how they are written, and their limits.

use std::borrow::Cow;

use super::Judge;
use super::found::{Found, What};
use crate::config::Amount;
use crate::config::raw::{Form, Unit};
use crate::fault::Code;
use crate::money::{self, Currency, Decimal, MINOR_UNITS_LIMIT, Money};
use crate::tree::bit;

/// What is wrong with a value: a code and a sentence.
pub(super) type Wrong = (Code, Cow<'static, str>);

pub(super) fn wrong<T>((code, detail): (Code, &'static str)) -> Result<T, Wrong> {
    Err((code, Cow::Borrowed(detail)))
}

impl Judge<'_> {
    pub(super) fn judge_amounts(&mut self) {
        for (index, amount) in self.plan.amounts.iter().enumerate() {
            if self.is_full() || self.node(index).is_some_and(|node| self.is_in_too_long(node, 0)) {
                self.unsound_amounts |= bit(index);
                continue;
            }
            for found in self.found(index) {
                if self.is_full() {
                    break;
                }
                let currency = self.currency(amount.source, &found.indices);
                if let Err((code, detail)) = self.amount(amount, found, currency) {
                    self.unsound_amounts |= bit(index);
                    self.refuse(code, &amount.pattern, &found.indices, detail);
                } else if currency.is_none() {
                    self.unsound_amounts |= bit(index);
                }
            }
        }
    }

    /// What is wrong with an amount. Without a currency only its text is judged, and whether it is above zero.
    fn amount(&mut self, amount: &Amount, found: &Found, currency: Option<Currency>) -> Result<(), Wrong> {
        let Some(units) = self.units(amount, found, currency)? else { return Ok(()) };
        if units < 0 {
            return wrong((Code::Negative, "must not be negative"));
        }
        if units == 0 && amount.min > 0 {
            return wrong((Code::Zero, "must not be zero"));
        }
        if units < amount.min {
            let least = Self::written(amount, amount.min, currency);
            return Err((Code::TooSmall, ["must be at least ", &least].concat().into()));
        }
        let lifted = amount.lift.as_ref().filter(|(bit, _)| self.lifts & bit != 0);
        let limits = lifted.map_or(&amount.limits, |(_, limits)| limits);
        match currency.and_then(|currency| limits.of(currency)) {
            Some(cap) if units > cap => {
                let most = Self::written(amount, cap, currency);
                Err((Code::AboveCap, ["must be at most ", &most].concat().into()))
            }
            _ => Ok(()),
        }
    }

    /// An amount in minor units; nothing where that takes a currency and there is none.
    pub(super) fn units(
        &mut self,
        amount: &Amount,
        found: &Found,
        currency: Option<Currency>,
    ) -> Result<Option<i64>, Wrong> {
        let text = match (found.what, amount.form) {
            (What::Missing, _) => return wrong((Code::Missing, "must be there")),
            (What::Integer(value), Form::Number) => return Self::integer(amount, value, currency),
            (What::Number(span), Form::Number) => span.of(self.body),
            (_, Form::Number) => return wrong((Code::NotANumber, "must be a JSON number")),
            (what, Form::String) => match what.string(self.body, self.buffer) {
                Some(text) => text,
                None => return wrong((Code::NotAString, "must be a JSON string")),
            },
        };
        if (amount.form, amount.unit) == (Form::Number, Unit::Minor) {
            return money::minor_units(text).map(Some).or_else(wrong);
        }
        let Some(decimal) = Decimal::parse(text) else {
            return wrong((
                Code::NotAnAmount,
                "must be decimal digits, without sign, exponent or leading zero",
            ));
        };
        if amount.unit == Unit::Minor && decimal.has_fraction() {
            return wrong((Code::NotAnInteger, "must be an integer of minor units, without fraction"));
        }
        if decimal.is_minus_zero() {
            return wrong((Code::MinusZero, "must not be -0"));
        }
        let exponent = match (amount.unit, currency) {
            (Unit::Minor, _) => 0,
            (Unit::Major, None) => return Ok(None),
            (Unit::Major, Some(currency)) => {
                if decimal.decimals() > usize::from(currency.exponent()) {
                    return Err((Code::TooManyDecimals, decimals(currency).into()));
                }
                currency.exponent()
            }
        };
        let units = decimal.minor_units(exponent);
        // A number that is no integer of minor units is one of major units.
        let units = if amount.form == Form::Number { units.and_then(money::within_double) } else { units };
        units.map(Some).or_else(wrong)
    }

    /// The same of a plain integer.
    fn integer(amount: &Amount, value: i64, currency: Option<Currency>) -> Result<Option<i64>, Wrong> {
        let units = match (amount.unit, currency) {
            (Unit::Minor, _) => money::within(value),
            (Unit::Major, Some(currency)) => {
                money::from_major(value, currency.exponent()).and_then(money::within_double)
            }
            (Unit::Major, None) => return Ok(None),
        };
        units.map(Some).or_else(wrong)
    }

    /// Units as an amount writes them, for details. Without a currency no major amount has units.
    pub(super) fn written(amount: &Amount, units: i64, currency: Option<Currency>) -> String {
        match (amount.unit, currency) {
            (Unit::Major, Some(currency)) => money::major(units, currency.exponent()),
            _ => units.to_string(),
        }
    }

    /// The amount that the upstream is told of, of a body with no fault.
    pub(super) fn verified(&mut self) -> Option<String> {
        let index = self.plan.verified?;
        let (amount, found) = (self.plan.amounts.get(index)?, self.found(index).first()?);
        let currency = self.currency(amount.source, &found.indices)?;
        let minor = self.units(amount, found, Some(currency)).ok().flatten()?;
        debug_assert!((0..=MINOR_UNITS_LIMIT).contains(&minor));
        Some(Money { minor, currency }.item())
    }
}

fn decimals(currency: Currency) -> String {
    match currency.exponent() {
        0 => ["must have no decimals in ", currency.code()].concat(),
        exponent => ["must have at most ", &exponent.to_string(), " decimals in ", currency.code()].concat(),
    }
}
