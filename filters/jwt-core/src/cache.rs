//! Tokens that were found to hold, so that a second request with one costs neither its signature nor its parsing.
//!
//! The whole token is compared, so a forged one never hits. Bounded by count and bytes without any order of use:
//! two generations, of which the older one is dropped when the younger one reaches half of the limit; a hit in the
//! older one moves the token to the younger. Who is asked often stays, who is not is gone in two turns.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use crate::identity::Identity;

/// What a slot of the map and the allocations of an entry take besides the texts.
const OVERHEAD_BYTES: usize = 200;

/// A bounded memory of tokens.
#[derive(Debug)]
pub struct Cache {
    young: Generation,
    old: Generation,
    /// Of one generation.
    max_tokens: usize,
    /// Of one generation.
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Generation {
    tokens: HashMap<Box<str>, Rc<Identity>, Tails>,
    bytes: usize,
}

/// Hashes the last bytes of a token alone, keyed: they are the signature's, which no two tokens that hold have in
/// common, and what does not hold never gets in. Hashing all of it would cost more than the rest of a lookup.
#[derive(Debug, Default, Clone)]
struct Tails(RandomState);

/// See [`Tails`].
#[derive(Debug)]
struct Tail(<RandomState as BuildHasher>::Hasher);

const TAIL_BYTES: usize = 32;

impl BuildHasher for Tails {
    type Hasher = Tail;

    fn build_hasher(&self) -> Tail {
        Tail(self.0.build_hasher())
    }
}

impl Hasher for Tail {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes.last_chunk::<TAIL_BYTES>().map_or(bytes, |tail| tail));
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl Cache {
    /// An empty one. With a limit of 0 tokens it stays empty.
    pub fn new(max_tokens: usize, max_bytes: usize) -> Self {
        let half = |limit: usize| limit.div_ceil(2);
        Self {
            young: Generation::default(),
            old: Generation::default(),
            max_tokens: half(max_tokens),
            max_bytes: half(max_bytes),
        }
    }

    /// Whose token this is, if it is known.
    pub fn get(&mut self, token: &str) -> Option<Rc<Identity>> {
        if let Some(identity) = self.young.tokens.get(token) {
            return Some(Rc::clone(identity));
        }
        let (token, identity) = self.old.remove(token)?;
        self.insert(token, Rc::clone(&identity));
        Some(identity)
    }

    /// Keeps a token that holds.
    pub fn put(&mut self, token: &str, identity: &Rc<Identity>) {
        if self.max_tokens > 0 {
            self.insert(token.into(), Rc::clone(identity));
        }
    }

    fn insert(&mut self, token: Box<str>, identity: Rc<Identity>) {
        let bytes = size(&token, &identity);
        if self.young.tokens.len() >= self.max_tokens
            || self.young.bytes.saturating_add(bytes) > self.max_bytes
        {
            self.old = std::mem::take(&mut self.young);
        }
        if bytes <= self.max_bytes {
            self.young.remove(&token);
            self.young.bytes = self.young.bytes.saturating_add(bytes);
            self.young.tokens.insert(token, identity);
        }
    }

    /// Drops a token that no longer holds.
    pub fn remove(&mut self, token: &str) {
        for generation in [&mut self.young, &mut self.old] {
            generation.remove(token);
        }
    }

    /// Drops all tokens of a provider, as a change of its keys demands.
    pub fn forget(&mut self, provider: usize) {
        for generation in [&mut self.young, &mut self.old] {
            generation.tokens.retain(|_, identity| identity.provider != provider);
            generation.bytes = generation.tokens.iter().map(|(token, identity)| size(token, identity)).sum();
        }
    }

    /// How many tokens it holds.
    pub fn len(&self) -> usize {
        self.young.tokens.len().saturating_add(self.old.tokens.len())
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Generation {
    fn remove(&mut self, token: &str) -> Option<(Box<str>, Rc<Identity>)> {
        let (token, identity) = self.tokens.remove_entry(token)?;
        self.bytes = self.bytes.saturating_sub(size(&token, &identity));
        Some((token, identity))
    }
}

fn size(token: &str, identity: &Identity) -> usize {
    token.len().saturating_add(identity.heap_bytes()).saturating_add(OVERHEAD_BYTES)
}
