//! The header fields that say what a body is: `application/json` alone, and no coding of it.

use crate::fault::{Fault, Kind};

/// Judges `Content-Type` (RFC 9110 section 8.3) and `Content-Encoding` (section 8.4).
pub fn check(content_type: Option<&[u8]>, content_encoding: Option<&[u8]>) -> Result<(), Fault> {
    let refuse = |code, detail: &str| {
        Err(Fault { kind: Kind::MediaType, pointer: String::new(), code, detail: detail.to_owned() })
    };
    if !content_encoding.is_none_or(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"identity")) {
        return refuse("content_encoding", "Send the body without a content coding.");
    }
    if content_type.is_some_and(is_json) {
        return Ok(());
    }
    refuse("content_type", "Send Content-Type: application/json, in UTF-8.")
}

fn is_json(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let json = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(b"application/json"));
    json && parts.all(is_harmless_parameter)
}

/// A `charset` must be UTF-8, quoted or not; other parameters mean nothing for JSON (RFC 8259 section 11).
fn is_harmless_parameter(parameter: &[u8]) -> bool {
    if parameter.is_empty() {
        return true;
    }
    let mut halves = parameter.splitn(2, |byte| *byte == b'=');
    let (Some(name), Some(value)) = (halves.next(), halves.next()) else { return false };
    if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
        return false;
    }
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    !name.eq_ignore_ascii_case(b"charset") || value.eq_ignore_ascii_case(b"utf-8")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON ; Charset=\"UTF-8\"", true)]
    #[case("application/json\t;charset=utf-8;", true)]
    #[case("application/json; charset=utf-16", false)]
    #[case("application/problem+json", false)]
    #[case("application/jsonx", false)]
    #[case("text/plain", false)]
    #[case("application/json, text/plain", false)]
    #[case("", false)]
    fn only_json_in_utf8(#[case] value: &str, #[case] taken: bool) {
        assert_eq!(check(Some(value.as_bytes()), None).is_ok(), taken);
    }

    #[test]
    fn no_coding_and_no_missing_type() {
        assert!(check(None, None).is_err());
        assert!(check(Some(b"application/json"), Some(b"Identity")).is_ok());
        assert_eq!(
            check(Some(b"application/json"), Some(b"gzip")).map_err(|fault| fault.kind.status()),
            Err(415)
        );
    }
}
