//! Medians and quartiles of rounds.

use serde::Serialize;

/// The middle of some values, and where their middle half lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the values are below.
    pub median: f64,
    /// A quarter of them is below.
    pub lower: f64,
    /// A quarter of them is above.
    pub upper: f64,
}

impl Spread {
    /// Of finite values; `None` without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        if values.is_empty() {
            return None;
        }
        let at = |quarter| quantile(&values, quarter);
        Some(Self { median: at(2), lower: at(1), upper: at(3) })
    }

    /// Of what two series that were measured in the same rounds give together, round by round: noise that hits both
    /// cancels out.
    pub fn paired(left: &[f64], right: &[f64], by: impl Fn(f64, f64) -> f64) -> Option<Self> {
        Self::of(left.iter().zip(right).map(|(left, right)| by(*left, *right)))
    }
}

/// The value below which so many quarters of the sorted values lie, between two of them where it falls there.
fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    let position = (sorted.len() - 1) * quarters;
    let (whole, part) = (position / 4, position % 4);
    let low = sorted[whole];
    let high = sorted[(whole + 1).min(sorted.len() - 1)];
    let part = f64::from(u8::try_from(part).unwrap_or_default());
    (high - low).mul_add(part / 4.0, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_fall_between_values() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[7.0]), Some(Spread { median: 7.0, lower: 7.0, upper: 7.0 }));
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Some(Spread { median: 2.5, lower: 1.75, upper: 3.25 }));
        assert_eq!(spread(&[1.0, f64::NAN, 3.0]).map(|spread| spread.median), Some(2.0));
    }

    #[test]
    fn a_slow_round_that_hits_both_changes_no_ratio() {
        let (ours, native) = ([2.0, 20.0, 2.0], [4.0, 40.0, 4.0]);
        let ratio = Spread::paired(&ours, &native, |ours, native| ours / native);
        assert_eq!(ratio, Some(Spread { median: 0.5, lower: 0.5, upper: 0.5 }));
    }
}
