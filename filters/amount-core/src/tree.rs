//! The places that a rule knows, as a tree: what the body's reader walks along.

mod child;

pub(crate) use self::child::{Child, is_like_any};
use crate::pattern::{Indices, Pattern, Token};

/// As many members of one object may be required: a bit for each.
const MAX_REQUIRED: usize = 64;

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing is known below it.
    Leaf,
    /// It has members.
    Object,
    /// It has items.
    Array,
}

impl Shape {
    const fn name(self) -> &'static str {
        match self {
            Self::Leaf => "a value",
            Self::Object => "an object",
            Self::Array => "an array",
        }
    }
}

/// A place.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its number in the tree.
    pub(crate) id: usize,
    pub(crate) pattern: Pattern,
    pub(crate) shape: Shape,
    /// An object's members: those that must be there first, so that a bit is enough for each.
    pub(crate) children: Vec<Child>,
    /// Which of them must be there.
    pub(crate) required: u64,
    /// An array's items.
    pub(crate) items: Option<usize>,
    /// Whether anything may be below it, besides what is known.
    pub(crate) is_open: bool,
    /// Where what stands here is noted: a value, or an array's length.
    pub(crate) slot: Option<Slot>,
    /// Bits of the rule's `arrays` that it lies in, or is.
    pub(crate) arrays: u64,
    /// The longest that an array may be; its further items are not looked at.
    pub(crate) max_items: Option<u32>,
}

/// What is noted of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Its number.
    pub(crate) index: usize,
    /// Whether it must be there.
    pub(crate) is_required: bool,
}

/// All places.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::new(Self::ROOT, Pattern::default())] }
    }
}

impl Node {
    fn new(id: usize, pattern: Pattern) -> Self {
        Self {
            id,
            pattern,
            shape: Shape::Leaf,
            children: Vec::new(),
            required: 0,
            items: None,
            is_open: false,
            slot: None,
            arrays: 0,
            max_items: None,
        }
    }

    /// What a message calls it.
    fn name(&self) -> String {
        if self.id == Tree::ROOT { "the body".to_owned() } else { self.pattern.text() }
    }

    /// The pointer to this place.
    pub(crate) fn pointer(&self, indices: &Indices) -> String {
        self.pattern.pointer(indices)
    }
}

impl Tree {
    /// The root.
    pub(crate) const ROOT: usize = 0;

    /// A place by its number.
    #[inline]
    pub(crate) fn get(&self, node: usize) -> Option<&Node> {
        self.nodes.get(node)
    }

    /// The place of a pattern, from now on a known one. The error says why it cannot be.
    pub(crate) fn insert(&mut self, pattern: &Pattern) -> Result<usize, String> {
        let mut at = Self::ROOT;
        for (depth, token) in pattern.tokens().iter().enumerate() {
            self.shape(at, if *token == Token::Any { Shape::Array } else { Shape::Object })?;
            at = match self.step(at, token) {
                Some(next) => next,
                None => self.add(at, token, pattern.tokens().get(..=depth).unwrap_or_default()),
            };
        }
        Ok(at)
    }

    fn step(&self, at: usize, token: &Token) -> Option<usize> {
        let node = self.nodes.get(at)?;
        match token {
            Token::Any => node.items,
            Token::Name(name) => {
                node.children.iter().find(|child| child.name() == name).map(|child| child.node)
            }
        }
    }

    fn add(&mut self, at: usize, token: &Token, tokens: &[Token]) -> usize {
        let added = self.nodes.len();
        self.nodes.push(Node::new(added, Pattern::new(tokens)));
        if let Some(node) = self.nodes.get_mut(at) {
            match token {
                Token::Any => node.items = Some(added),
                Token::Name(name) => {
                    node.children.push(Child::new(name, added));
                }
            }
        }
        added
    }

    /// Says what a place is, once and for all.
    pub(crate) fn shape(&mut self, at: usize, shape: Shape) -> Result<(), String> {
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        let known = match node.slot {
            Some(_) if node.shape == Shape::Leaf => Some("an amount, a count or a currency"),
            _ if node.shape != Shape::Leaf && node.shape != shape => Some(node.shape.name()),
            _ => None,
        };
        if let Some(known) = known {
            return Err(
                [node.name().as_str(), " is ", known, " already, and cannot be ", shape.name()].concat()
            );
        }
        node.shape = shape;
        Ok(())
    }

    /// Opens a place for anything.
    pub(crate) fn open(&mut self, at: usize) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.is_open = true;
        }
    }

    /// Gives a place of a value its slot.
    pub(crate) fn note(&mut self, at: usize, slot: Slot) -> Result<(), String> {
        match self.nodes.get_mut(at) {
            Some(node) if node.shape != Shape::Leaf => {
                Err(["is ", node.shape.name(), " already, and cannot be a value"].concat())
            }
            Some(node) if node.slot.is_some() => {
                Err("is an amount, a count or a currency already".to_owned())
            }
            Some(node) => {
                node.slot = Some(slot);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Gives the place of the array of this number in the rule its slot.
    pub(crate) fn note_array(&mut self, at: usize, array: usize, slot: Slot, max: u32) -> Result<(), String> {
        self.shape(at, Shape::Array)?;
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        if node.slot.is_some() {
            return Err("has its limits already".to_owned());
        }
        node.slot = Some(slot);
        node.max_items = Some(max);
        node.arrays |= bit(array);
        Ok(())
    }

    /// Once every place is known: which members must be there, which arrays each place lies in, and
    /// what lies in an open place and so is one.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        // A place comes behind the one that it lies in, so one pass each way is enough.
        for at in 0..self.nodes.len() {
            let Some(node) = self.nodes.get(at) else { continue };
            let (arrays, is_open) = (node.arrays, node.is_open);
            let below: Vec<usize> = node.children.iter().map(|child| child.node).chain(node.items).collect();
            for at in below {
                if let Some(node) = self.nodes.get_mut(at) {
                    node.arrays |= arrays;
                    node.is_open |= is_open;
                }
            }
        }
        for at in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get_mut(at) else { continue };
            let mut children = std::mem::take(&mut node.children);
            children.sort_by_key(|child| !self.must_be(child.node));
            let count = children.iter().filter(|child| self.must_be(child.node)).count();
            let Some(node) = self.nodes.get_mut(at) else { continue };
            if count > MAX_REQUIRED {
                return Err([node.name().as_str(), " has more than 64 places that must be there"].concat());
            }
            node.required = (0..count).fold(0, |bits, child| bits | bit(child));
            node.children = children;
        }
        Ok(())
    }

    /// Whether something in it must be there wherever the object is that it lies in.
    fn must_be(&self, at: usize) -> bool {
        self.nodes.get(at).is_some_and(|node| {
            node.slot.is_some_and(|slot| slot.is_required)
                || (node.shape == Shape::Object && node.required != 0)
        })
    }

    /// Tells each place in a place that must be there, if that one is not: itself, or what must be in it.
    pub(crate) fn each_required(&self, at: usize, tell: &mut impl FnMut(usize)) {
        let Some(node) = self.nodes.get(at) else { return };
        if let Some(slot) = node.slot.filter(|slot| slot.is_required) {
            tell(slot.index);
        } else if node.shape == Shape::Object {
            let required = node.children.iter().take(node.required.count_ones() as usize);
            // As deep as the longest pattern.
            required.for_each(|child| self.each_required(child.node, tell));
        }
    }
}

/// One bit; none beyond the 64th.
pub(crate) fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

/// The bits of a mask, as indices.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask.wrapping_sub(1);
        Some(lowest)
    })
}
