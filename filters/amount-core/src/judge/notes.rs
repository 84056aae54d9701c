//! What one rule's walk over a body has noted.

use super::found::{Found, What};
use crate::fault::FAULTS_LIMIT;
use crate::pattern::Indices;

/// The notes of one rule. They are kept from body to body for their memory.
#[derive(Debug, Default)]
pub(super) struct Notes {
    slots: Vec<Slot>,
    /// How many values they may hold.
    limit: usize,
    /// Whether there was no room for a value.
    is_over: bool,
    /// The open objects and arrays at known places.
    pub(super) frames: Vec<Frame>,
    /// Values of another kind than what is known below them needs.
    pub(super) misplaced: Vec<Misplaced>,
    /// Fields that the rule does not know.
    pub(super) unknown: Vec<Unknown>,
    /// Where the body first nests deeper than the rule allows.
    pub(super) too_deep: Option<usize>,
}

/// What stands at the places of one slot.
#[derive(Debug, Default)]
struct Slot {
    found: Vec<Found>,
    missing: usize,
}

/// An open object or array at a known place.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) node: usize,
    pub(super) is_array: bool,
    /// Bits of the known members that were there.
    pub(super) seen: u64,
    /// How many items have come.
    pub(super) items: u32,
}

#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) node: usize,
    pub(super) indices: Indices,
}

/// A field or item that is not known, in a place that is.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) node: usize,
    pub(super) indices: Indices,
    pub(super) token: Token,
    /// Whether it is a known one but for the case of its letters.
    pub(super) is_like: bool,
}

#[derive(Debug)]
pub(super) enum Token {
    /// A key that looks like a name.
    Name(String),
    /// Any other one: a client's own text, which is not told.
    Secret,
    Index(u32),
}

impl Notes {
    /// Empties them, for so many slots and for at most so many values.
    pub(super) fn reset(&mut self, slots: usize, limit: usize) {
        self.limit = limit;
        self.is_over = false;
        for slot in &mut self.slots {
            slot.found.clear();
            slot.missing = 0;
        }
        self.slots.resize_with(slots.max(self.slots.len()), Slot::default);
        self.frames.clear();
        self.misplaced.clear();
        self.unknown.clear();
        self.too_deep = None;
    }

    /// How many bytes they hold on to.
    pub(super) fn capacity(&self) -> usize {
        let found = self.slots.iter().map(|slot| slot.found.capacity());
        let found = found.fold(0, usize::saturating_add).saturating_mul(size_of::<Found>());
        found.saturating_add(self.slots.capacity().saturating_mul(size_of::<Slot>()))
    }

    pub(super) fn found(&self, slot: usize) -> &[Found] {
        self.slots.get(slot).map_or(&[], |slot| slot.found.as_slice())
    }

    #[inline]
    pub(super) fn add(&mut self, index: usize, indices: Indices, what: What) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        if what == What::Missing {
            // No more than are told: a body can lack more than it has bytes.
            if slot.missing >= FAULTS_LIMIT {
                return;
            }
            slot.missing = slot.missing.saturating_add(1);
        }
        // Only where memory would grow is it asked how much there is, so that a value costs no counting.
        if slot.found.len() < slot.found.capacity() {
            slot.found.push(Found { indices, what });
        } else {
            self.grow(index, Found { indices, what });
        }
    }

    #[cold]
    fn grow(&mut self, slot: usize, found: Found) {
        // Once is enough: it counts all that is held.
        if self.is_over || self.held() >= self.limit {
            self.is_over = true;
        } else if let Some(slot) = self.slots.get_mut(slot) {
            slot.found.push(found);
        }
    }

    /// How many values they may hold.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn held(&self) -> usize {
        self.slots.iter().map(|slot| slot.found.len()).fold(0, usize::saturating_add)
    }

    /// Whether there were more values than they may hold, whatever memory they had.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.held() > self.limit
    }
}
