//! Strings: where they end, and what their escapes say.

/// A string of the body, as it stands between its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// Between the quotes.
    pub(crate) raw: &'a str,
    /// Where that begins in the body.
    pub(crate) start: usize,
    /// Whether there is an escape in it.
    pub(crate) is_escaped: bool,
}

/// What is wrong with an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Unknown,
    Hex,
    Surrogate,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// From here on, where the first byte is that ends plain text: a quote, a backslash or a control character; or the
/// end. Eight bytes at a time: a body is mostly strings.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        // A byte is zero where the word is the wanted one; what is below a blank borrows. Borrows only go upwards, so
        // the lowest mark is right.
        let quote = word ^ (LOW.wrapping_mul(0x22));
        let backslash = word ^ (LOW.wrapping_mul(0x5c));
        let marks = (quote.wrapping_sub(LOW) & !quote)
            | (backslash.wrapping_sub(LOW) & !backslash)
            | (word.wrapping_sub(LOW.wrapping_mul(0x20)) & !word);
        let marks = marks & HIGH;
        if marks != 0 {
            return at.saturating_add(marks.trailing_zeros() as usize / 8);
        }
        at = at.saturating_add(8);
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at = at.saturating_add(1);
    }
    at
}

/// The character that an escape stands for and where it ends; `at` is behind the backslash. An error has its place.
pub(super) fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), (Wrong, usize)> {
    let behind = at.saturating_add(1);
    let character = match bytes.get(at) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, behind),
        _ => return Err((Wrong::Unknown, behind)),
    };
    Ok((character, behind))
}

/// `\uXXXX`, or two of them as a surrogate pair; `at` is behind the first `u`.
fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), (Wrong, usize)> {
    let first = hex(bytes, at).ok_or((Wrong::Hex, at))?;
    let mut end = at.saturating_add(4);
    let mut code = first;
    if (0xd800..=0xdbff).contains(&first) {
        if bytes.get(end..).is_none_or(|rest| !rest.starts_with(b"\\u")) {
            return Err((Wrong::Surrogate, end));
        }
        let pair = end.saturating_add(2);
        let second = hex(bytes, pair).ok_or((Wrong::Hex, pair))?;
        end = pair.saturating_add(4);
        if !(0xdc00..=0xdfff).contains(&second) {
            return Err((Wrong::Surrogate, end));
        }
        // RFC 2781 section 2.2: the pair's twenty bits count from U+10000.
        code = 0x1_0000_u32.saturating_add(((first & 0x3ff) << 10) | (second & 0x3ff));
    }
    char::from_u32(code).map(|character| (character, end)).ok_or((Wrong::Surrogate, end))
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.first_chunk::<4>()?;
    digits.iter().try_fold(0_u32, |code, digit| Some((code << 4) | char::from(*digit).to_digit(16)?))
}

/// Adds the text that a string of a body which was read stands for.
pub(crate) fn unescape(raw: &str, text: &mut String) {
    let bytes = raw.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let plain = plain_end(bytes, at);
        text.push_str(raw.get(at..plain).unwrap_or_default());
        at = match escape(bytes, plain.saturating_add(1)) {
            Ok((character, end)) => {
                text.push(character);
                end
            }
            // The end; the reader has refused everything else.
            Err(_) => bytes.len(),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_text_ends_where_a_simple_loop_finds_it(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), 0x1e_u8..0x24, 0x7e_u8..0xa3], 0..40), from in 0_usize..9)
        {
            let slow = bytes.iter().skip(from).position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let expected = slow.map_or(bytes.len().max(from), |at| from + at);
            prop_assert_eq!(plain_end(&bytes, from), expected);
        }
    }
}
