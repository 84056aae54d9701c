//! The header fields that say what a body is: `application/json` alone, and no coding of it.

use route::field::is_tchar;

use crate::fault::{Code, Fault};

/// Judges `Content-Type` (RFC 9110 section 8.3) and `Content-Encoding` (section 8.4).
pub fn check(content_type: Option<&[u8]>, content_encoding: Option<&[u8]>) -> Result<(), Fault> {
    if !content_encoding.is_none_or(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return Err(Fault::whole(Code::ContentEncoding, "Send the body without a content coding."));
    }
    if content_type.is_some_and(is_json) {
        return Ok(());
    }
    Err(Fault::whole(Code::ContentType, "Send Content-Type: application/json, in UTF-8."))
}

/// `application/json`, with parameters as RFC 9110 section 5.6.6 has them: a `;` within quotes separates nothing, so
/// no reader finds another charset than this one does.
fn is_json(value: &[u8]) -> bool {
    let value = trim_space(value);
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (media_type, mut rest) = value.split_at(end);
    if !trim_space(media_type).eq_ignore_ascii_case(b"application/json") {
        return false;
    }
    let mut has_charset = false;
    while let Some(behind) = rest.strip_prefix(b";") {
        match parameter(trim_space(behind)) {
            Some((name, value, behind)) => {
                if name.eq_ignore_ascii_case(b"charset") {
                    // A quoted-pair would spell it in a way that not every reader undoes.
                    if has_charset || !value.eq_ignore_ascii_case(b"utf-8") {
                        return false;
                    }
                    has_charset = true;
                }
                rest = trim_space(behind);
            }
            None => return false,
        }
    }
    rest.is_empty()
}

/// The next parameter, its value without quotes, and what is behind it. An empty one has no name.
fn parameter(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if text.is_empty() || text.starts_with(b";") {
        return Some((b"", b"", text));
    }
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix(b"=")?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = quoted_end(quoted)?;
            Some((name, quoted.get(..end)?, quoted.get(end.checked_add(1)?..)?))
        }
        None => token(rest).map(|(value, rest)| (name, value, rest)),
    }
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !is_tchar(*byte)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Where the closing quote of a quoted-string is. What is in it must be what RFC 9110 section 5.6.4 allows.
fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            0..=0x08 | 0x0a..=0x1f | 0x7f => return None,
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// Without the blanks and tabs around it.
fn trim_space(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON ; Charset=\"UTF-8\"", true)]
    #[case("application/json\t;charset=utf-8;", true)]
    #[case("application/json;;a=b; ;charset=utf-8", true)]
    #[case("application/json;a=\";charset=utf-16\"", true)]
    #[case("application/json;a=\"\\\";charset=utf-16\"", true)]
    #[case::after_a_quoted_pair("application/json;a=\"\\\\\";charset=utf-16", false)]
    #[case::charset_behind_a_quote("application/json;a=\"x\";charset=utf-16", false)]
    #[case::charset_twice("application/json;charset=utf-8;charset=utf-8", false)]
    #[case::charset_in_pairs("application/json;charset=\"utf\\-8\"", false)]
    #[case::no_end("application/json;a=\"x", false)]
    #[case::behind_the_quote("application/json;a=\"x\"y", false)]
    #[case::no_value("application/json;a=", false)]
    #[case::no_equals("application/json;a", false)]
    #[case::no_name("application/json;=a", false)]
    #[case::space_before_equals("application/json;a =b", false)]
    #[case::control("application/json;a=\"\u{1}\"", false)]
    #[case("application/json; charset=utf-16", false)]
    #[case("application/json; charset=", false)]
    #[case("application/problem+json", false)]
    #[case("application/jsonx", false)]
    #[case("text/plain", false)]
    #[case("application/json, text/plain", false)]
    #[case("application/json;a=b, text/plain", false)]
    #[case("", false)]
    fn only_json_in_utf8(#[case] value: &str, #[case] taken: bool) {
        assert_eq!(check(Some(value.as_bytes()), None).is_ok(), taken);
    }

    #[test]
    fn no_coding_and_no_missing_type() {
        assert!(check(None, None).is_err());
        assert!(check(Some(b"application/json"), Some(b"Identity")).is_ok());
        assert_eq!(
            check(Some(b"application/json"), Some(b"gzip")).map_err(|fault| fault.kind().status()),
            Err(415)
        );
    }
}
