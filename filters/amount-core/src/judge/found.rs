//! What stands at a place that a rule asks about.

use std::cmp::Ordering;

use crate::json::{Scalar, unescape};
use crate::pattern::Indices;

/// One place's content. Those of one slot are in the order of their indices, for no array comes twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) indices: Indices,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing, though it must be there.
    Missing,
    /// A number of at most 18 digits and nothing else, read at once: most amounts are such.
    Integer(i64),
    /// Any other number.
    Number(Span),
    /// A string without escapes.
    String(Span),
    EscapedString(Span),
    /// An array of so many items.
    Array(u32),
    /// Any other value.
    Other,
}

/// Where a text is in the body, a string without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// As many digits are always within 64 bits.
const INTEGER_DIGITS: usize = 18;

impl What {
    /// What a scalar is that begins here.
    #[inline]
    pub(super) fn scalar(scalar: Scalar<'_>, at: usize) -> Self {
        match scalar {
            Scalar::Number(text) => match integer(text) {
                Some(value) => Self::Integer(value),
                None => Self::Number(Span::new(at, text)),
            },
            Scalar::String(text) if text.is_escaped => Self::EscapedString(Span::new(text.start, text.raw)),
            Scalar::String(text) => Self::String(Span::new(text.start, text.raw)),
            Scalar::Null | Scalar::Bool(_) => Self::Other,
        }
    }

    /// A string's text, which is put together in the buffer if it has escapes.
    pub(super) fn string<'t>(&self, body: &'t str, buffer: &'t mut String) -> Option<&'t str> {
        match self {
            Self::String(span) => Some(span.of(body)),
            Self::EscapedString(span) => {
                buffer.clear();
                unescape(span.of(body), buffer);
                Some(buffer)
            }
            _ => None,
        }
    }
}

impl Span {
    fn new(start: usize, text: &str) -> Self {
        // The reader takes no body whose places need more.
        let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(start), end: place(start.saturating_add(text.len())) }
    }

    pub(super) fn of(self, body: &str) -> &str {
        body.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The value of digits alone, as many as 64 bits hold for sure.
#[inline]
fn integer(number: &str) -> Option<i64> {
    if number.len() > INTEGER_DIGITS {
        return None;
    }
    number.bytes().try_fold(0_i64, |value, byte| {
        byte.is_ascii_digit().then(|| value.wrapping_mul(10).wrapping_add(i64::from(byte & 0x0f)))
    })
}

impl Found {
    /// Its order to a place that lies in these items, as far as so many stars say.
    #[inline]
    pub(super) fn order(&self, indices: &Indices, stars: usize) -> Ordering {
        let pairs = self.indices.iter().zip(indices).take(stars);
        pairs.fold(Ordering::Equal, |order, (ours, theirs)| order.then(ours.cmp(theirs)))
    }
}

/// Those of a slot that lie in the items of these indices, as far as so many stars say.
pub(super) fn within<'f>(found: &'f [Found], indices: &Indices, stars: usize) -> &'f [Found] {
    if stars == 0 {
        return found;
    }
    let from = found.partition_point(|found| found.order(indices, stars) == Ordering::Less);
    let rest = found.get(from..).unwrap_or_default();
    let len = rest.partition_point(|found| found.order(indices, stars) == Ordering::Equal);
    rest.get(..len).unwrap_or_default()
}
