//! Doubled keys: whether an object has one twice, however they are spelled.

use std::mem;

use super::text::{Text, unescape};

/// Up to this many members each key is compared with each; above, they are sorted once.
const FEW_MEMBERS: usize = 16;

/// The keys of all open objects. It is kept from body to body, so that reading allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// What escaped keys say.
    unescaped: String,
    /// Those of all open objects, the innermost last.
    all: Vec<Key>,
    /// Where the innermost object's begin.
    first: usize,
    /// Where those of the objects around it begin.
    outer: Vec<usize>,
}

/// A key. Almost all are told apart by their length and their first eight bytes.
#[derive(Debug, Clone, Copy)]
struct Key {
    word: u64,
    start: u32,
    len: u32,
    is_escaped: bool,
}

/// What a key says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name<'k> {
    pub(crate) text: &'k str,
    /// See [`first_word`].
    pub(crate) word: u64,
}

impl Keys {
    pub(super) fn clear(&mut self) {
        self.unescaped.clear();
        self.all.clear();
        self.first = 0;
        self.outer.clear();
    }

    /// How many bytes it holds on to.
    pub(crate) fn capacity(&self) -> usize {
        let keys = self.all.capacity().saturating_mul(size_of::<Key>());
        keys.saturating_add(self.unescaped.capacity())
            .saturating_add(self.outer.capacity().saturating_mul(size_of::<usize>()))
    }

    #[inline]
    pub(super) fn open(&mut self) {
        self.outer.push(mem::replace(&mut self.first, self.all.len()));
    }

    /// Adds a key to the innermost object: what it says, or nothing if it comes twice.
    #[inline]
    pub(super) fn add<'k>(&'k mut self, body: &'k str, key: Text<'k>) -> Option<Name<'k>> {
        let (text, word, start) = if key.is_escaped {
            let start = self.unescaped.len();
            unescape(key.raw, &mut self.unescaped);
            let text = self.unescaped.get(start..).unwrap_or_default();
            (text, first_word(text), start)
        } else {
            (key.raw, word_at(body.as_bytes(), key.start, key.raw.len()), key.start)
        };
        // The reader takes no body whose places need more.
        let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
        let added = Key { word, start: place(start), len: place(text.len()), is_escaped: key.is_escaped };
        let siblings = self.all.get(self.first..).unwrap_or_default();
        let is_same = |known: &Key| {
            known.word == word
                && known.len == added.len
                && (text.len() <= size_of::<u64>() || known.name(body, &self.unescaped) == text.as_bytes())
        };
        if siblings.len() < FEW_MEMBERS && siblings.iter().any(is_same) {
            return None;
        }
        self.all.push(added);
        Some(Name { text, word })
    }

    /// Closes the innermost object; false if it has a key twice.
    #[inline]
    pub(super) fn close(&mut self, body: &str) -> bool {
        let members = self.all.get_mut(self.first..).unwrap_or_default();
        let is_sound = members.len() <= FEW_MEMBERS || !has_double(members, body, &self.unescaped);
        self.all.truncate(self.first);
        self.first = self.outer.pop().unwrap_or_default();
        is_sound
    }
}

impl Key {
    fn name<'k>(&self, body: &'k str, unescaped: &'k str) -> &'k [u8] {
        let source = if self.is_escaped { unescaped } else { body };
        let start = self.start as usize;
        source.as_bytes().get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }
}

/// The first eight bytes of a name, with zeros behind its end: with its length, all of one that is no longer.
pub(crate) fn first_word(name: &str) -> u64 {
    word_at(name.as_bytes(), 0, name.len())
}

#[inline]
fn word_at(source: &[u8], start: usize, len: usize) -> u64 {
    let rest = source.get(start..).unwrap_or_default();
    let Some(chunk) = rest.first_chunk::<8>() else {
        let bytes = rest.get(..len).unwrap_or(rest).iter().rev();
        return bytes.fold(0, |word, byte| (word << 8) | u64::from(*byte));
    };
    let word = u64::from_le_bytes(*chunk);
    match 8_usize.checked_sub(len) {
        None | Some(0) => word,
        Some(8) => 0,
        Some(beyond) => word & (u64::MAX >> (beyond.saturating_mul(8) & 63)),
    }
}

/// By sorting: no choice of keys makes that slow, as one could make a hash table's buckets.
#[cold]
fn has_double(keys: &mut [Key], body: &str, unescaped: &str) -> bool {
    let order = |key: &Key| (key.word, key.len);
    let name = |key: &Key| key.name(body, unescaped);
    keys.sort_unstable_by(|a, b| order(a).cmp(&order(b)).then_with(|| name(a).cmp(name(b))));
    keys.windows(2).any(|pair| match pair {
        [a, b] => order(a) == order(b) && name(a) == name(b),
        _ => false,
    })
}
