//! Walks along a rule's tree as the body is read, and notes what stands at the places that the rule asks about.

use super::found::{Found, What};
use crate::config::{Plan, Rule};
use crate::fault::FAULTS_LIMIT;
use crate::json::Text;
use crate::json::reader::{Scalar, Visitor};
use crate::pattern::Indices;
use crate::tree::{Node, Shape, Tree, bit, bits};

/// What one rule has noted of a body.
#[derive(Debug, Default)]
pub(super) struct Walker {
    frames: Vec<Frame>,
    /// How many objects and arrays are open in which nothing is asked about.
    skipped: usize,
    /// The place of the member whose value comes next.
    next: Option<usize>,
    indices: Indices,
    found: Vec<Slot>,
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
#[derive(Debug)]
struct Frame {
    node: usize,
    is_array: bool,
    /// Bits of the known members that were there.
    seen: u64,
    /// How many items have come.
    items: u32,
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
}

#[derive(Debug)]
pub(super) enum Token {
    /// A key that looks like a name.
    Name(String),
    /// Any other one: a client's own text, which is not told.
    Secret,
    Index(u32),
}

impl Walker {
    fn reset(&mut self, slots: usize) {
        self.frames.clear();
        self.skipped = 0;
        self.next = None;
        self.indices = Indices::default();
        for slot in &mut self.found {
            slot.found.clear();
            slot.missing = 0;
        }
        self.found.resize_with(slots.max(self.found.len()), Slot::default);
        self.misplaced.clear();
        self.unknown.clear();
        self.too_deep = None;
    }

    /// How many bytes it holds on to.
    pub(super) fn capacity(&self) -> usize {
        let found = self.found.iter().map(|slot| slot.found.capacity());
        let found = found.fold(0, usize::saturating_add).saturating_mul(size_of::<Found>());
        found.saturating_add(self.found.capacity().saturating_mul(size_of::<Slot>()))
    }

    pub(super) fn found(&self, slot: usize) -> &[Found] {
        self.found.get(slot).map_or(&[], |slot| slot.found.as_slice())
    }

    fn note(&mut self, slot: usize, what: What, start: usize, end: usize) {
        let Some(slot) = self.found.get_mut(slot) else { return };
        if what == What::Missing {
            // No more than are told: a body can lack more than it has bytes.
            if slot.missing >= FAULTS_LIMIT {
                return;
            }
            slot.missing = slot.missing.saturating_add(1);
        }
        let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
        slot.found.push(Found { indices: self.indices, what, start: place(start), end: place(end) });
    }
}

/// A walker on its rule's tree.
pub(super) struct Walk<'w> {
    plan: &'w Plan,
    max_depth: usize,
    walker: &'w mut Walker,
}

impl<'w> Walk<'w> {
    pub(super) fn new(rule: &'w Rule, walker: &'w mut Walker) -> Self {
        walker.reset(rule.plan.slots);
        Self { plan: &rule.plan, max_depth: rule.max_depth, walker }
    }

    fn node(&self, node: usize) -> Option<&'w Node> {
        self.plan.tree.get(node)
    }

    /// The place of the value that begins; nothing where nothing is asked about.
    #[inline]
    fn place(&mut self) -> Option<usize> {
        if self.walker.skipped > 0 {
            return None;
        }
        match self.walker.frames.last_mut() {
            None => Some(Tree::ROOT),
            Some(frame) if frame.is_array => self.item(),
            Some(_) => self.walker.next.take(),
        }
    }

    fn item(&mut self) -> Option<usize> {
        let frame = self.walker.frames.last_mut()?;
        let index = frame.items;
        frame.items = index.saturating_add(1);
        let at = frame.node;
        let node = self.plan.tree.get(at)?;
        if node.max_items.is_some_and(|max| index >= max) {
            return None;
        }
        if let Some(place) = self.walker.indices.get_mut(node.stars) {
            *place = index;
        }
        if node.items.is_none() && !node.is_open {
            self.unknown(at, || Token::Index(index));
        }
        node.items
    }

    #[cold]
    fn unknown(&mut self, node: usize, token: impl FnOnce() -> Token) {
        if !self.plan.allows_unknown && self.walker.unknown.len() < FAULTS_LIMIT {
            self.walker.unknown.push(Unknown { node, indices: self.walker.indices, token: token() });
        }
    }

    #[cold]
    fn misplace(&mut self, node: usize) {
        if self.walker.misplaced.len() < FAULTS_LIMIT {
            self.walker.misplaced.push(Misplaced { node, indices: self.walker.indices });
        }
    }

    fn begin(&mut self, is_array: bool, at: usize) {
        let depth = self.walker.frames.len().saturating_add(self.walker.skipped);
        if depth >= self.max_depth && self.walker.too_deep.is_none() {
            self.walker.too_deep = Some(at);
        }
        if !self.enter(is_array) {
            self.walker.skipped = self.walker.skipped.saturating_add(1);
        }
    }

    /// Whether something is asked about in the object or array that begins.
    fn enter(&mut self, is_array: bool) -> bool {
        let Some(place) = self.place() else { return false };
        let Some(node) = self.node(place) else { return false };
        match node.shape {
            Shape::Leaf => {
                if let Some(slot) = node.slot {
                    self.walker.note(slot.index, What::Other, 0, 0);
                    return false;
                }
                if node.is_open || self.plan.allows_unknown {
                    return false;
                }
            }
            Shape::Object | Shape::Array if (node.shape == Shape::Array) != is_array => {
                self.misplace(place);
                return false;
            }
            Shape::Object | Shape::Array => {}
        }
        self.walker.frames.push(Frame { node: place, is_array, seen: 0, items: 0 });
        true
    }

    fn end(&mut self) -> Option<(Frame, &'w Node)> {
        if self.walker.skipped > 0 {
            self.walker.skipped = self.walker.skipped.saturating_sub(1);
            return None;
        }
        let frame = self.walker.frames.pop()?;
        let node = self.node(frame.node)?;
        Some((frame, node))
    }

    #[cold]
    fn missing(&mut self, node: &'w Node, missing: u64) {
        let plan = self.plan;
        for child in bits(missing).filter_map(|child| node.children.get(child)) {
            plan.tree.each_required(child.node, &mut |slot| self.walker.note(slot, What::Missing, 0, 0));
        }
    }

    fn key(&mut self, name: &str) {
        if self.walker.skipped > 0 {
            return;
        }
        let plan = self.plan;
        let Some(frame) = self.walker.frames.last_mut() else { return };
        let at = frame.node;
        let Some(node) = plan.tree.get(at) else { return };
        if let Some((index, child)) = node.children.iter().enumerate().find(|(_, child)| child.name == name) {
            frame.seen |= bit(index);
            self.walker.next = Some(child.node);
            return;
        }
        self.walker.next = None;
        if !node.is_open {
            self.unknown(at, || if is_name(name) { Token::Name(name.to_owned()) } else { Token::Secret });
        }
    }

    fn scalar(&mut self, scalar: Scalar<'_>, at: usize) {
        let Some(place) = self.place() else { return };
        let Some(node) = self.node(place) else { return };
        if node.shape != Shape::Leaf {
            self.misplace(place);
        } else if let Some(slot) = node.slot {
            let (what, start, len) = match scalar {
                Scalar::Number(text) => (What::Number, at, text.len()),
                Scalar::String(text) if text.is_escaped => (What::EscapedString, text.start, text.raw.len()),
                Scalar::String(text) => (What::String, text.start, text.raw.len()),
                Scalar::Null | Scalar::Bool(_) => (What::Other, at, 0),
            };
            self.walker.note(slot.index, what, start, start.saturating_add(len));
        }
    }
}

const NAME_LIMIT: usize = 64;

/// A key is the client's own text and might hold anything: only one that looks like a name is told.
fn is_name(key: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    (1..=NAME_LIMIT).contains(&key.len()) && key.bytes().all(known)
}

/// Several rules walk on one pass over the body.
impl<'a> Visitor<'a> for &mut [Walk<'_>] {
    fn begin_object(&mut self, at: usize) {
        self.iter_mut().for_each(|walk| walk.begin(false, at));
    }

    fn begin_array(&mut self, at: usize) {
        self.iter_mut().for_each(|walk| walk.begin(true, at));
    }

    fn end_object(&mut self) {
        for walk in self.iter_mut() {
            if let Some((frame, node)) = walk.end() {
                let missing = node.required & !frame.seen;
                if missing != 0 {
                    walk.missing(node, missing);
                }
            }
        }
    }

    fn end_array(&mut self) {
        for walk in self.iter_mut() {
            if let Some((frame, node)) = walk.end()
                && let Some(slot) = node.slot
            {
                walk.walker.note(slot.index, What::Array, 0, frame.items as usize);
            }
        }
    }

    fn key(&mut self, name: &str, _key: Text<'a>) {
        self.iter_mut().for_each(|walk| walk.key(name));
    }

    fn scalar(&mut self, scalar: Scalar<'a>, at: usize) {
        self.iter_mut().for_each(|walk| walk.scalar(scalar, at));
    }
}
