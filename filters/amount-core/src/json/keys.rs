//! Doubled keys: whether an object has one twice, however they are spelled.

use super::text::{Text, unescape};

/// Up to this many members each key is compared with each; above, they are sorted once.
const FEW_MEMBERS: usize = 16;

/// The keys of all open objects. It is kept from body to body, so that reading allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// What escaped keys say.
    unescaped: String,
    open: Vec<Key>,
    /// Where each open object's keys begin.
    objects: Vec<usize>,
}

/// A key. Almost all are told apart by their length and their first eight bytes.
#[derive(Debug, Clone, Copy)]
struct Key {
    word: u64,
    start: u32,
    len: u32,
    is_escaped: bool,
}

impl Keys {
    pub(super) fn clear(&mut self) {
        self.unescaped.clear();
        self.open.clear();
        self.objects.clear();
    }

    /// How many bytes it holds on to.
    pub(crate) fn capacity(&self) -> usize {
        let keys = self.open.capacity().saturating_mul(size_of::<Key>());
        keys.saturating_add(self.unescaped.capacity())
            .saturating_add(self.objects.capacity().saturating_mul(size_of::<usize>()))
    }

    #[inline]
    pub(super) fn open(&mut self) {
        self.objects.push(self.open.len());
    }

    /// Adds a key to the innermost object: what it says, or nothing if it comes twice.
    #[inline]
    pub(super) fn add<'k>(&'k mut self, body: &'k str, key: Text<'k>) -> Option<&'k str> {
        let (start, source) = if key.is_escaped {
            let start = self.unescaped.len();
            unescape(key.raw, &mut self.unescaped);
            (start, self.unescaped.as_str())
        } else {
            (key.start, body)
        };
        let end = if key.is_escaped { source.len() } else { start.saturating_add(key.raw.len()) };
        let name = source.get(start..end).unwrap_or_default();
        let added = Key {
            word: first_word(source.as_bytes(), start, name.len()),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(name.len()).unwrap_or(u32::MAX),
            is_escaped: key.is_escaped,
        };
        let first = self.objects.last().copied().unwrap_or_default();
        let siblings = self.open.get(first..).unwrap_or_default();
        let is_same = |known: &Key| {
            known.word == added.word
                && known.len == added.len
                && (known.len <= 8 || known.name(body, &self.unescaped) == name.as_bytes())
        };
        if siblings.len() < FEW_MEMBERS && siblings.iter().any(is_same) {
            return None;
        }
        self.open.push(added);
        Some(name)
    }

    /// Closes the innermost object; false if it has a key twice.
    #[inline]
    pub(super) fn close(&mut self, body: &str) -> bool {
        let first = self.objects.pop().unwrap_or_default();
        let members = self.open.get_mut(first..).unwrap_or_default();
        let is_sound = members.len() <= FEW_MEMBERS || !has_double(members, body, &self.unescaped);
        self.open.truncate(first);
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

/// The first eight bytes of a text of this length, with zeros behind its end.
#[inline]
fn first_word(source: &[u8], start: usize, len: usize) -> u64 {
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
