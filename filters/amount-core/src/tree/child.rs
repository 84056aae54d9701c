//! An object's known members, and the keys that are taken for them.

use std::char::ToLowercase;

use crate::json::{Name, first_word};

/// The bit in which the cases of an ASCII letter differ, in each byte.
const CASE: u64 = 0x2020_2020_2020_2020;
/// The bit that no ASCII byte has, in each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A known member.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    /// Its name's first bytes, which tell most names apart.
    word: u64,
    /// The bits of `word` that an ASCII key has too, if it differs by case alone.
    kept: u64,
    pub(crate) node: usize,
}

impl Child {
    /// A member of this name, at this place.
    pub(super) fn new(name: &str, node: usize) -> Self {
        let kept = if name.is_ascii() { !CASE } else { 0 };
        Self { name: name.to_owned(), word: first_word(name), kept, node }
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

    #[cold]
    fn is_like(&self, key: &str) -> bool {
        if self.name.is_ascii() && key.is_ascii() {
            return self.name.eq_ignore_ascii_case(key);
        }
        self.name.chars().flat_map(folded).eq(key.chars().flat_map(folded))
    }
}

/// Whether a reader that ignores case, or one for which a text ends at a NUL, takes a key for one of these.
pub(crate) fn is_like_any(children: &[Child], key: &Name<'_>) -> bool {
    let text = key.text.split('\0').next().unwrap_or_default();
    let is_whole = text.len() == key.text.len();
    let is_ascii = key.word & HIGH == 0 && (text.len() <= size_of::<u64>() || text.is_ascii());
    let differing =
        |child: &Child| if is_whole && is_ascii { (child.word ^ key.word) & child.kept } else { 0 };
    children.iter().any(|child| differing(child) == 0 && child.is_like(text))
}

/// A letter without its case. Readers differ in what is another case of an ASCII letter: Go's takes the long s for s and
/// the Kelvin sign for k, Java's the dotted and the dotless i for i.
fn folded(letter: char) -> ToLowercase {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{130}' | '\u{131}' => 'i',
        other => other,
    }
    .to_lowercase()
}
