//! Tokens that were found to hold, so that a second request with one costs neither its signature nor its parsing.
//!
//! The whole token is compared, so a forged one never hits. Bounded by count and bytes without any order of use:
//! two generations, of which the older one is dropped when the younger one, at half of the limit, has no room for a new
//! token; a hit in the older one moves the token to the younger while there is room. As many tokens as the limit all
//! stay; of more, those that are used go last.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::identity::Identity;

/// What a slot of the map and the allocations of an entry take besides the texts.
const OVERHEAD_BYTES: usize = 200;

/// A bounded memory of tokens.
#[derive(Debug)]
pub struct Cache {
    young: Generation,
    old: Generation,
    limit: usize,
    /// Of one generation.
    max_tokens: usize,
    /// Of one generation.
    max_bytes: usize,
    key: RandomState,
}

/// Tokens by hash. Of two with one hash the later one stays.
#[derive(Debug, Default)]
struct Generation {
    tokens: HashMap<u64, Entry, BuildHasherDefault<AsIs>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    token: Box<[u8]>,
    identity: Rc<Identity>,
}

/// The map's keys are hashes already.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        // Not used for `u64`; still a hash.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How much of a token's end is hashed: it is the signature's, which no two tokens that hold have in common, and what
/// does not hold never gets in. To hash all of it would cost more than the rest of a lookup.
const TAIL_BYTES: usize = 32;

impl Entry {
    fn size(&self) -> usize {
        self.token.len().saturating_add(self.identity.heap_bytes()).saturating_add(OVERHEAD_BYTES)
    }
}

/// Whether two texts are equal, four words at a time: Wasm has no instruction for it, and the usual loop compares single
/// bytes.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    type Words = [[u8; 8]; 4];
    let differ = |one: &[u8; 8], other: &[u8; 8]| u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    let is_same = |([a, b, c, d], [e, f, g, h]): (&Words, &Words)| {
        differ(a, e) | differ(b, f) | differ(c, g) | differ(d, h) == 0
    };
    let ((one_words, one_bytes), (other_words, other_bytes)) = (one.as_chunks(), other.as_chunks());
    let ((ones, one_left), (others, other_left)) = (one_words.as_chunks(), other_words.as_chunks());
    one.len() == other.len()
        && ones.iter().zip(others).all(is_same)
        && one_left == other_left
        && one_bytes == other_bytes
}

impl Cache {
    /// An empty one. With a limit of 0 tokens it stays empty.
    pub fn new(max_tokens: usize, max_bytes: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            limit: max_tokens,
            max_tokens: max_tokens.div_euclid(2).max(1),
            max_bytes: max_bytes.div_euclid(2),
            key: RandomState::new(),
        }
    }

    fn hash(&self, token: &[u8]) -> u64 {
        self.key.hash_one(token.last_chunk::<TAIL_BYTES>().map_or(token, |tail| tail))
    }

    /// Whose token this is, if it is known.
    pub fn get(&mut self, token: &[u8]) -> Option<Rc<Identity>> {
        let hash = self.hash(token);
        if let Some(identity) = self.young.get(hash, token) {
            return Some(identity);
        }
        let identity = self.old.get(hash, token)?;
        if self.has_room()
            && let Some(entry) = self.old.remove(hash)
        {
            self.insert(hash, entry);
        }
        Some(identity)
    }

    fn has_room(&self) -> bool {
        self.young.tokens.len() < self.max_tokens && self.young.bytes < self.max_bytes
    }

    /// Keeps a token that holds.
    pub fn put(&mut self, token: &[u8], identity: &Rc<Identity>) {
        let entry = Entry { token: token.into(), identity: Rc::clone(identity) };
        if self.limit > 0 && entry.size() <= self.max_bytes {
            let hash = self.hash(token);
            self.old.remove(hash);
            self.insert(hash, entry);
        }
    }

    /// Takes an entry that is in the old generation no more.
    fn insert(&mut self, hash: u64, entry: Entry) {
        let bytes = entry.size();
        self.young.remove(hash);
        if self.young.tokens.len() >= self.max_tokens
            || self.young.bytes.saturating_add(bytes) > self.max_bytes
        {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes = self.young.bytes.saturating_add(bytes);
        self.young.tokens.insert(hash, entry);
        if self.len() > self.limit {
            // A limit of one token.
            self.old = Generation::default();
        }
    }

    /// Drops a token that no longer holds.
    pub fn remove(&mut self, token: &[u8]) {
        let hash = self.hash(token);
        for generation in [&mut self.young, &mut self.old] {
            if generation.get(hash, token).is_some() {
                generation.remove(hash);
            }
        }
    }

    /// Drops all tokens of a provider, as a change of its keys demands.
    pub fn forget(&mut self, provider: usize) {
        for generation in [&mut self.young, &mut self.old] {
            generation.tokens.retain(|_, entry| entry.identity.provider != provider);
            generation.bytes = generation.tokens.values().map(Entry::size).sum();
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
    fn get(&self, hash: u64, token: &[u8]) -> Option<Rc<Identity>> {
        let entry = self.tokens.get(&hash)?;
        is_equal(&entry.token, token).then(|| Rc::clone(&entry.identity))
    }

    fn remove(&mut self, hash: u64) -> Option<Entry> {
        let entry = self.tokens.remove(&hash)?;
        self.bytes = self.bytes.saturating_sub(entry.size());
        Some(entry)
    }
}
