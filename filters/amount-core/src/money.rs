//! Money: integer minor units with their currency. No float anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The largest integer that every JSON reader reads alike: 2^53-1 (RFC 8259 section 6).
pub const MINOR_UNITS_LIMIT: i64 = 9_007_199_254_740_991;

/// A payable currency: an active ISO 4217 code with an exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

/// Not a payable currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an active ISO 4217 code in capitals, with a minor unit")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = iso_currency::Currency::from_code(code);
        let payable = |currency: &iso_currency::Currency| {
            currency.exponent().is_some() && currency.is_superseded().is_none()
        };
        known.filter(payable).map(Self).ok_or(UnknownCurrency)
    }
}

impl Currency {
    /// The alphabetic code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the minor unit is below the major one: 2 for USD, 0 for JPY.
    pub fn exponent(self) -> u16 {
        self.0.exponent().unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// An amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// In the currency's minor unit.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

/// The integer that a JSON number is. The error is a code and a sentence.
pub fn minor_units(number: &str) -> Result<i64, (&'static str, &'static str)> {
    if number == "-0" {
        return Err(("minus_zero", "must not be -0"));
    }
    if number.contains(['.', 'e', 'E']) {
        return Err(("not_an_integer", "must be an integer of minor units, without fraction or exponent"));
    }
    let units: i64 = number.parse().map_err(|_| TOO_LARGE)?;
    if units.checked_abs().is_some_and(|units| units <= MINOR_UNITS_LIMIT) {
        Ok(units)
    } else {
        Err(TOO_LARGE)
    }
}

const TOO_LARGE: (&str, &str) = ("too_large", "must be within 2^53-1");

/// The sum of quantity x price, or `None` past `i64`.
pub fn sum(items: impl Iterator<Item = (i64, i64)>) -> Option<i64> {
    let mut sum = 0_i64;
    for (quantity, price) in items {
        sum = sum.checked_add(quantity.checked_mul(price)?)?;
    }
    Some(sum)
}
