//! What servers decode in a path: one layer at a time, and nothing if there is none.

/// Escapes: `%2f`.
pub(super) fn percent(text: &[u8]) -> Option<Vec<u8>> {
    percent_where(text, |_| true)
}

/// Escapes of what needs none, as proxies take them away that leave escaped separators alone (RFC 3986, 6.2.2.2).
pub(super) fn unreserved(text: &[u8]) -> Option<Vec<u8>> {
    percent_where(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn percent_where(text: &[u8], is_such: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    if !text.contains(&b'%') {
        return None;
    }
    replace(text, |rest, decoded| match rest {
        [b'%', high, low, after @ ..] => {
            let byte = u8::try_from(hex(&[*high, *low])?).ok().filter(|byte| is_such(*byte))?;
            decoded.push(byte);
            Some(after)
        }
        _ => None,
    })
}

/// Escapes of IIS and of JavaScript's `escape`: `%u002f`.
pub(super) fn unicode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'%') {
        return None;
    }
    replace(text, |rest, decoded| match rest {
        [b'%', b'u' | b'U', digits @ ..] => {
            let (digits, after) = digits.split_at_checked(4)?;
            // Half a surrogate pair is no letter that a pattern has.
            let letter = char::from_u32(hex(digits)?).unwrap_or(char::REPLACEMENT_CHARACTER);
            decoded.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            Some(after)
        }
        _ => None,
    })
}

/// ASCII in more bytes of UTF-8 than its one: `c0 af` for a slash.
pub(super) fn overlong(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(|byte| matches!(byte, 0xc0 | 0xc1 | 0xe0 | 0xf0)) {
        return None;
    }
    let ascii = |high: u8, low: u8| ((high & 1) << 6) | (low & 0x3f);
    replace(text, |rest, decoded| {
        let (byte, after) = match rest {
            [high @ 0xc0..=0xc1, low @ 0x80..=0xbf, after @ ..]
            | [0xe0, high @ 0x80..=0x81, low @ 0x80..=0xbf, after @ ..]
            | [0xf0, 0x80, high @ 0x80..=0x81, low @ 0x80..=0xbf, after @ ..] => (ascii(*high, *low), after),
            _ => return None,
        };
        decoded.push(byte);
        Some(after)
    })
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some((number << 4) | char::from(*digit).to_digit(16)?))
}

/// The text with all that `unit` reads replaced, which is longer than what stands for it. `unit` adds that, and
/// returns what is behind.
fn replace<'a>(text: &'a [u8], unit: impl Fn(&'a [u8], &mut Vec<u8>) -> Option<&'a [u8]>) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = unit(rest, &mut decoded).unwrap_or_else(|| {
            decoded.push(*first);
            after
        });
    }
    (decoded.len() < text.len()).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/a%2fb%63", Some("/a/bc"))]
    #[case("/%2563", Some("/%63"))]
    #[case("%4%g1%", None)]
    fn escapes(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(percent(text.as_bytes()).as_deref(), expected.map(str::as_bytes));
    }

    #[rstest]
    #[case("/a%2f%2e%63%7E", Some("/a%2f.c~"))]
    #[case("/a%2f%3b%25", None)]
    fn escapes_of_the_unreserved(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(unreserved(text.as_bytes()).as_deref(), expected.map(str::as_bytes));
    }

    #[rstest]
    #[case("/%u0063%U002f", Some("/c/"))]
    #[case("/%ud800", Some("/\u{fffd}"))]
    #[case("/%u006", None)]
    #[case("/%u00g3", None)]
    fn escapes_in_utf_16(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(unicode(text.as_bytes()).as_deref(), expected.map(str::as_bytes));
    }

    #[rstest]
    #[case(b"\xc0\xaf\xc1\xa3", Some("/c"))]
    #[case(b"\xe0\x80\xaf\xe0\x81\xa3", Some("/c"))]
    #[case(b"\xf0\x80\x80\xae", Some("."))]
    #[case(b"\xc0/\xe0\xa0\x80", None)]
    fn overlong_utf_8(#[case] text: &[u8], #[case] expected: Option<&str>) {
        assert_eq!(overlong(text).as_deref(), expected.map(str::as_bytes));
    }
}
