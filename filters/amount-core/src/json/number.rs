//! Whether a number is one that a double can hold, told by its digits and its exponent: a reader that takes doubles
//! would else read infinity, or zero, where the next one reads digits.

/// Up to this length, a number without exponent is neither too small nor too large, whatever its digits are.
pub(super) const PLAIN_LIMIT: usize = 300;

/// Half of the smallest double is 2.4703282292062327208...e-324, which rounds to zero.
const SMALLEST: (i64, u64) = (-324, 2_470_328_229_206_232_720);
/// What rounds to infinity begins with 1.797693134862315807937...e308.
const LARGEST: (i64, u64) = (308, 1_797_693_134_862_315_807);

/// Whether a double can hold this JSON number: it is zero, or rounds neither to zero nor to infinity. At the very edge,
/// where twenty digits say too little, it is refused.
pub(super) fn is_in_range(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        None => (digits, 0),
        Some((digits, exponent)) => (digits, read_exponent(exponent)),
    };
    let whole = digits.bytes().position(|byte| byte == b'.').unwrap_or(digits.len());
    let mut significant = digits.bytes().filter(|byte| *byte != b'.').skip_while(|byte| *byte == b'0');
    let zeros =
        digits.bytes().take_while(|byte| matches!(byte, b'0' | b'.')).filter(|byte| *byte == b'0').count();
    let Some(first) = significant.next() else { return true };
    // The exponent of the first digit that is not zero.
    let scale = exponent.saturating_add(count(whole)).saturating_sub(count(zeros)).saturating_sub(1);
    let leading = std::iter::once(first).chain(significant).chain(std::iter::repeat(b'0')).take(19);
    let leading =
        leading.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit & 0x0f)));
    (scale, leading) > SMALLEST && (scale, leading) < LARGEST
}

fn count(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}

/// Beyond what a body's length can balance it stays as it is.
fn read_exponent(text: &str) -> i64 {
    let digits = text.trim_start_matches(['+', '-']);
    let value = digits.bytes().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit & 0x0f)).min(i64::MAX >> 8)
    });
    if text.starts_with('-') { value.saturating_neg() } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", true)]
    #[case("-0e999999999999999999999", true)]
    #[case("0.000e-400", true)]
    #[case("1e308", true)]
    #[case("1.7976931348623157e308", true)]
    #[case("17976931348623157e292", true)]
    #[case("1.797693134862315807e308", false)]
    #[case("1.8e308", false)]
    #[case("1e309", false)]
    #[case("-1e400", false)]
    #[case("1e99999999999999999999", false)]
    #[case("5e-324", true)]
    #[case("2.4703282292062328e-324", true)]
    #[case("2.4703282292062327e-324", false)]
    #[case("1e-324", false)]
    #[case("1e-400", false)]
    #[case("1e-99999999999999999999", false)]
    fn edges(#[case] number: &str, #[case] expected: bool) {
        assert_eq!(is_in_range(number), expected);
    }

    #[test]
    fn long_numbers() {
        assert!(is_in_range(&"9".repeat(308)));
        assert!(!is_in_range(&"9".repeat(309)));
        assert!(!is_in_range(&"1".repeat(400)));
        assert!(is_in_range(&format!("0.{}1", "0".repeat(322))));
        assert!(!is_in_range(&format!("0.{}1", "0".repeat(323))));
        assert!(is_in_range(&format!("{}e-400", "1".repeat(400))));
        assert!(is_in_range(&format!("0.{}1e400", "0".repeat(400))));
    }

    proptest! {
        /// The standard library's reader as the oracle, away from the very edge.
        #[test]
        fn a_double_agrees(
            whole in "0|[1-9][0-9]{0,25}", fraction in prop::option::of("[0-9]{1,25}"),
            exponent in prop::option::of(prop_oneof![-360_i64..-290, -5_i64..5, 270_i64..330]),
        ) {
            let fraction = fraction.map_or(String::new(), |digits| format!(".{digits}"));
            let exponent = exponent.map_or(String::new(), |exponent| format!("e{exponent}"));
            let text = format!("{whole}{fraction}{exponent}");
            let double: f64 = text.parse().expect("a number");
            let is_zero = whole.bytes().chain(fraction.bytes()).all(|byte| matches!(byte, b'0' | b'.'));
            prop_assert_eq!(is_in_range(&text), double.is_finite() && (double != 0.0 || is_zero), "{}", text);
        }
    }
}
