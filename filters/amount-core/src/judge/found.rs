//! What stands at a place that a rule asks about.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::json::unescape;
use crate::pattern::Indices;

/// One place's content. Those of one slot are in the order of their indices, for no array comes twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) indices: Indices,
    pub(super) what: What,
    /// Where it stands in the body, a string without its quotes; an array's length instead.
    pub(super) start: u32,
    pub(super) end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing, though it must be there.
    Missing,
    Number,
    String,
    EscapedString,
    /// Any other value.
    Other,
    /// An array of as many items as `end` says.
    Array,
}

impl Found {
    /// The text of a number or a string.
    pub(super) fn text<'b>(&self, body: &'b str) -> Cow<'b, str> {
        let raw = body.get(self.start as usize..self.end as usize).unwrap_or_default();
        if self.what == What::EscapedString {
            let mut text = String::with_capacity(raw.len());
            unescape(raw, &mut text);
            Cow::Owned(text)
        } else {
            Cow::Borrowed(raw)
        }
    }

    pub(super) fn is_string(&self) -> bool {
        matches!(self.what, What::String | What::EscapedString)
    }

    /// Its order to a place that lies in these items, as far as so many stars say.
    pub(super) fn order(&self, indices: &Indices, stars: usize) -> Ordering {
        let (ours, theirs) = (self.indices.get(..stars), indices.get(..stars));
        ours.cmp(&theirs)
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
