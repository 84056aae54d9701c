//! Money: integer minor units with their currency. No float anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::fault::Code;

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
            // ISO 4217 lists VES beside VED and has withdrawn neither; the table is ahead of it.
            let is_active = currency.is_superseded().is_none() || *currency == iso_currency::Currency::VES;
            currency.exponent().is_some() && is_active
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

impl Money {
    /// As an RFC 9651 item: `12345;currency=USD;exponent=2`.
    pub fn item(self) -> String {
        let exponent = self.currency.exponent().to_string();
        [&self.minor.to_string(), ";currency=", self.currency.code(), ";exponent=", &exponent].concat()
    }
}

/// The integer that a JSON number is. The error is a code and a sentence.
pub fn minor_units(number: &str) -> Result<i64, (Code, &'static str)> {
    match number.parse() {
        Ok(0) if number.starts_with('-') => Err((Code::MinusZero, "must not be -0")),
        Ok(units) => within(units),
        Err(_) if number.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            Err((Code::NotAnInteger, "must be an integer of minor units, without fraction or exponent"))
        }
        Err(_) => Err(TOO_LARGE),
    }
}

const TOO_LARGE: (Code, &str) = (Code::TooLarge, "must be within 2^53-1");

/// Whether an integer is within the limit, either way.
pub(crate) fn within(units: i64) -> Result<i64, (Code, &'static str)> {
    let is_within = units.checked_abs().is_some_and(|units| units <= MINOR_UNITS_LIMIT);
    if is_within { Ok(units) } else { Err(TOO_LARGE) }
}

/// What a double holds exactly in major units, whatever the currency's decimals are: fifteen digits.
const DOUBLE_LIMIT: i64 = 1_000_000_000_000_000;

/// Whether minor units are within what a reader that takes doubles keeps of a number of major units, either way.
pub(crate) fn within_double(units: i64) -> Result<i64, (Code, &'static str)> {
    let is_within = units.checked_abs().is_some_and(|units| units < DOUBLE_LIMIT);
    if is_within {
        Ok(units)
    } else {
        Err((Code::TooLarge, "must be below 10^15 minor units as a number of major units"))
    }
}

/// Whole major units in a minor unit that is so many decimals below.
pub(crate) fn from_major(units: i64, exponent: u16) -> Result<i64, (Code, &'static str)> {
    let factor = 10_i64.checked_pow(u32::from(exponent));
    within(factor.and_then(|factor| units.checked_mul(factor)).ok_or(TOO_LARGE)?)
}

/// A decimal number's text: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, in ASCII digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads it.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match rest.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (rest, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_whole = digits(whole) && (whole == "0" || !whole.starts_with('0'));
        let is_decimal = is_whole && fraction.is_none_or(digits);
        is_decimal.then_some(Self { is_negative, whole, fraction: fraction.unwrap_or_default() })
    }

    /// Whether it has a point.
    pub fn has_fraction(self) -> bool {
        !self.fraction.is_empty()
    }

    /// How many digits are behind the point.
    pub fn decimals(self) -> usize {
        self.fraction.len()
    }

    /// Whether it is zero with a minus.
    pub fn is_minus_zero(self) -> bool {
        self.is_negative && self.digits().all(|digit| digit == b'0')
    }

    /// In a minor unit that is so many decimals below. More digits than that must not be there.
    pub fn minor_units(self, exponent: u16) -> Result<i64, (Code, &'static str)> {
        let zeros = usize::from(exponent).checked_sub(self.decimals()).ok_or(TOO_LARGE)?;
        let digits = self.digits().chain(std::iter::repeat_n(b'0', zeros));
        let units = digits.map(|digit| i64::from(digit & 0x0f)).try_fold(0_i64, |units, digit| {
            let units = units.checked_mul(10)?;
            if self.is_negative { units.checked_sub(digit) } else { units.checked_add(digit) }
        });
        within(units.ok_or(TOO_LARGE)?)
    }

    fn digits(self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }
}

/// Minor units as a decimal number of the major unit: 1050 with exponent 2 is `10.50`.
pub fn major(units: i64, exponent: u16) -> String {
    let digits = units.unsigned_abs().to_string();
    let exponent = usize::from(exponent);
    let zeros = exponent.saturating_add(1).saturating_sub(digits.len());
    let digits = "0".repeat(zeros) + &digits;
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(exponent));
    let sign = if units < 0 { "-" } else { "" };
    let point = if exponent > 0 { "." } else { "" };
    [sign, whole, point, fraction].concat()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10.50", 2, Ok(1050))]
    #[case("10.5", 2, Ok(1050))]
    #[case("10", 0, Ok(10))]
    #[case("-1.001", 3, Ok(-1001))]
    #[case("0.0001", 4, Ok(1))]
    #[case("90071992547409.91", 2, Ok(MINOR_UNITS_LIMIT))]
    #[case("90071992547409.92", 2, Err(Code::TooLarge))]
    #[case("-90071992547409.92", 2, Err(Code::TooLarge))]
    #[case("99999999999999999999", 2, Err(Code::TooLarge))]
    fn decimals(#[case] text: &str, #[case] exponent: u16, #[case] expected: Result<i64, Code>) {
        let read = Decimal::parse(text).expect("a decimal").minor_units(exponent);
        assert_eq!(read.map_err(|(code, _)| code), expected);
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case("+1")]
    #[case("01")]
    #[case(".5")]
    #[case("5.")]
    #[case("1e2")]
    #[case("1,5")]
    #[case(" 1")]
    #[case("1.5.0")]
    #[case("--1")]
    #[case("\u{ff11}")]
    #[case("\u{0661}")]
    fn no_decimals(#[case] text: &str) {
        assert_eq!(Decimal::parse(text), None);
    }

    #[rstest]
    #[case(0, 2, "0.00")]
    #[case(5, 2, "0.05")]
    #[case(-105, 2, "-1.05")]
    #[case(100_000_000, 2, "1000000.00")]
    #[case(7, 0, "7")]
    #[case(1, 4, "0.0001")]
    #[case(i64::MIN, 3, "-9223372036854775.808")]
    fn majors(#[case] units: i64, #[case] exponent: u16, #[case] expected: &str) {
        assert_eq!(major(units, exponent), expected);
    }

    #[test]
    fn an_item_names_currency_and_exponent() {
        let currency = "USD".parse().expect("a currency");
        assert_eq!(Money { minor: 12345, currency }.item(), "12345;currency=USD;exponent=2");
    }
}
