//! Walks along a rule's tree as the body is read, and notes what stands at the places that the rule asks about.

use super::found::What;
use super::notes::{Frame, Misplaced, Notes, Token, Unknown};
use crate::config::{Plan, Rule};
use crate::fault::FAULTS_LIMIT;
use crate::json::{Name, Scalar, Text, Visitor};
use crate::pattern::Indices;
use crate::tree::{Node, Shape, Tree, bit, bits, is_like_any};

/// One rule's walk.
pub(super) struct Walk<'w> {
    plan: &'w Plan,
    max_depth: usize,
    notes: &'w mut Notes,
    /// How many objects and arrays are open in which nothing is asked about.
    skipped: usize,
    /// The innermost open object or array at a known place, and its place.
    frame: Frame,
    here: Option<&'w Node>,
    /// The place of the value that comes next, where it is not an array's item; the value takes it.
    next: Option<&'w Node>,
    indices: Indices,
}

impl<'w> Walk<'w> {
    pub(super) fn new(rule: &'w Rule, notes: &'w mut Notes, limit: usize) -> Self {
        let plan = &rule.plan;
        notes.reset(plan.places.len(), limit);
        Self {
            plan,
            max_depth: rule.max_depth,
            notes,
            skipped: 0,
            frame: Frame::default(),
            here: None,
            next: plan.tree.get(Tree::ROOT),
            indices: Indices::default(),
        }
    }

    /// The pointer to the innermost open object or array at a known place.
    fn pointer(&self) -> String {
        self.here.map(|node| node.pointer(&self.indices)).unwrap_or_default()
    }

    /// The place of the value that begins; nothing where nothing is asked about.
    #[inline]
    fn place(&mut self) -> Option<&'w Node> {
        if self.skipped > 0 {
            return None;
        }
        if self.frame.is_array { self.item() } else { self.next.take() }
    }

    fn item(&mut self) -> Option<&'w Node> {
        let node = self.here?;
        let index = self.frame.items;
        self.frame.items = index.saturating_add(1);
        if node.max_items.is_some_and(|max| index >= max) {
            return None;
        }
        if let Some(place) = self.indices.get_mut(node.pattern.stars()) {
            *place = index;
        }
        if node.items.is_none() && !node.is_open && !self.plan.allows_unknown {
            self.unknown(node, false, || Token::Index(index));
        }
        node.items.and_then(|items| self.plan.tree.get(items))
    }

    #[cold]
    fn unknown(&mut self, node: &Node, is_like: bool, token: impl FnOnce() -> Token) {
        if self.notes.unknown.len() < FAULTS_LIMIT {
            self.notes.unknown.push(Unknown {
                node: node.id,
                indices: self.indices,
                token: token(),
                is_like,
            });
        }
    }

    #[cold]
    fn misplace(&mut self, node: &Node) {
        if self.notes.misplaced.len() < FAULTS_LIMIT {
            self.notes.misplaced.push(Misplaced { node: node.id, indices: self.indices });
        }
    }

    fn begin(&mut self, is_array: bool, at: usize) {
        let known = self.notes.frames.len();
        if known.saturating_add(self.skipped) >= self.max_depth && self.notes.too_deep.is_none() {
            self.notes.too_deep = Some(at);
        }
        match self.place().filter(|node| self.is_asked_about(node, is_array)) {
            Some(node) => {
                let frame = Frame { node: node.id, is_array, seen: 0, items: 0 };
                self.notes.frames.push(std::mem::replace(&mut self.frame, frame));
                self.here = Some(node);
            }
            None => self.skipped = self.skipped.saturating_add(1),
        }
    }

    /// Whether something is asked about in the object or array that begins here.
    fn is_asked_about(&mut self, node: &Node, is_array: bool) -> bool {
        match node.shape {
            Shape::Object if is_array => {
                self.misplace(node);
                false
            }
            Shape::Array if !is_array => {
                self.misplace(node);
                false
            }
            Shape::Object | Shape::Array => true,
            Shape::Leaf => match node.slot {
                Some(slot) => {
                    self.notes.add(slot.index, self.indices, What::Other);
                    false
                }
                None => !node.is_open && !self.plan.allows_unknown,
            },
        }
    }

    fn end(&mut self) {
        if self.skipped > 0 {
            self.skipped = self.skipped.saturating_sub(1);
            return;
        }
        let Some(node) = self.here else { return };
        if self.frame.is_array {
            if let Some(slot) = node.slot {
                self.notes.add(slot.index, self.indices, What::Array(self.frame.items));
            }
        } else if node.required & !self.frame.seen != 0 {
            self.missing(node);
        }
        self.frame = self.notes.frames.pop().unwrap_or_default();
        self.here = if self.notes.frames.is_empty() { None } else { self.plan.tree.get(self.frame.node) };
    }

    #[cold]
    fn missing(&mut self, node: &Node) {
        let missing = bits(node.required & !self.frame.seen);
        let (plan, indices) = (self.plan, self.indices);
        for child in missing.filter_map(|child| node.children.get(child)) {
            plan.tree.each_required(child.node, &mut |slot| self.notes.add(slot, indices, What::Missing));
        }
    }

    #[inline]
    fn key(&mut self, name: Name<'_>) {
        if self.skipped > 0 {
            return;
        }
        let Some(node) = self.here else { return };
        if let Some((index, child)) = node.children.iter().enumerate().find(|(_, child)| child.is(&name)) {
            self.frame.seen |= bit(index);
            self.next = self.plan.tree.get(child.node);
            return;
        }
        self.unknown_key(node, name);
    }

    /// Kept out of the walk along known keys, which is the faster for it.
    #[inline(never)]
    fn unknown_key(&mut self, node: &Node, name: Name<'_>) {
        if self.notes.unknown.len() >= FAULTS_LIMIT {
            // The rule refuses already, and tells of no more.
            return;
        }
        // Beside a known name, another spelling of it is never passed on: some readers take the one for the other.
        let is_like = is_like_any(&node.children, &name);
        if is_like || !(node.is_open || self.plan.allows_unknown) {
            self.unknown(node, is_like, || {
                if is_name(name.text) { Token::Name(name.text.to_owned()) } else { Token::Secret }
            });
        }
    }

    #[inline]
    fn scalar(&mut self, scalar: Scalar<'_>, at: usize) {
        let Some(node) = self.place() else { return };
        if node.shape != Shape::Leaf {
            self.misplace(node);
        } else if let Some(slot) = node.slot {
            self.notes.add(slot.index, self.indices, What::scalar(scalar, at));
        }
    }
}

const NAME_LIMIT: usize = 64;

/// A key is the client's own text and might hold anything: only one that looks like a name is told.
fn is_name(key: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    (1..=NAME_LIMIT).contains(&key.len()) && key.bytes().all(known)
}

/// The walks of all rules of a request, on one pass over its body. Mostly there is one.
pub(super) struct Walks<'w> {
    pub(super) first: Walk<'w>,
    pub(super) others: Vec<Walk<'w>>,
}

impl<'w> Walks<'w> {
    /// The pointer to the innermost open object or array at a place that some rule knows: so it is in the rules' own
    /// words, not in the client's.
    pub(super) fn pointer(&self) -> String {
        let walks = std::iter::once(&self.first).chain(&self.others);
        walks.map(Walk::pointer).max_by_key(String::len).unwrap_or_default()
    }

    #[inline]
    fn each(&mut self, go: impl Fn(&mut Walk<'w>)) {
        go(&mut self.first);
        for walk in &mut self.others {
            go(walk);
        }
    }
}

impl<'a> Visitor<'a> for Walks<'_> {
    fn begin(&mut self, is_array: bool, at: usize) {
        self.each(|walk| walk.begin(is_array, at));
    }

    fn end(&mut self) {
        self.each(Walk::end);
    }

    fn key(&mut self, name: Name<'_>, _key: Text<'a>) {
        self.each(|walk| walk.key(name));
    }

    fn scalar(&mut self, scalar: Scalar<'a>, at: usize) {
        self.each(|walk| walk.scalar(scalar, at));
    }
}
