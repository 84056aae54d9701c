//! An object's known members, and the keys that are taken for them.

use crate::json::{Name, first_word};

/// The bit in which the cases of an ASCII letter differ, in each byte.
const CASE: u64 = 0x2020_2020_2020_2020;

/// A known member.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    /// Its name's first bytes, which tell most names apart.
    word: u64,
    pub(crate) node: usize,
}

impl Child {
    /// A member of this name, at this place.
    pub(super) fn new(name: &str, node: usize) -> Self {
        Self { name: name.to_owned(), word: first_word(name), node }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a key names it.
    #[inline]
    pub(crate) fn is(&self, key: &Name<'_>) -> bool {
        self.word == key.word
            && self.name.len() == key.text.len()
            && (key.text.len() <= size_of::<u64>() || self.name == key.text)
    }

    /// Whether a reader that ignores case takes an ASCII key for it, if its own name is ASCII.
    #[inline]
    fn is_like_ascii(&self, key: &Name<'_>) -> bool {
        (self.word ^ key.word) & !CASE == 0 && self.name.eq_ignore_ascii_case(key.text)
    }

    fn is_like(&self, key: &Name<'_>) -> bool {
        self.name.chars().map(folded).eq(key.text.chars().map(folded))
    }
}

/// Whether a reader that ignores case takes a key for one of these.
pub(crate) fn is_like_any(children: &[Child], key: &Name<'_>) -> bool {
    if key.text.is_ascii() {
        children.iter().any(|child| child.is_like_ascii(key))
            || children.iter().any(|child| !child.name.is_ascii() && child.is_like(key))
    } else {
        children.iter().any(|child| child.is_like(key))
    }
}

/// A letter without its case: ASCII, and what Unicode has beside it as another case of an ASCII letter. Readers differ:
/// Go's takes the long s for s and the Kelvin sign for k, Java's the dotted and the dotless i for i.
fn folded(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other.to_ascii_lowercase(),
    }
}
