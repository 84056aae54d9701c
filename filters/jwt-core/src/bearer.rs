//! The Authorization header: RFC 6750's form, and one reading only.

use crate::verdict::Reason;

/// The bearer token among the request's Authorization values; nothing if there are none or another scheme is used.
pub fn token<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a str>, Reason> {
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Reason::Request);
    }
    let end = value.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).ok_or(Reason::Request)?;
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    let token = rest.trim_ascii_start();
    let separated = rest.first() == Some(&b' ')
        && rest.iter().take(rest.len().saturating_sub(token.len())).all(|byte| *byte == b' ');
    if !separated || token.is_empty() || !token.iter().all(|byte| is_token68(*byte)) {
        return Err(Reason::Request);
    }
    std::str::from_utf8(token).map(Some).map_err(|_| Reason::Request)
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::token;
    use crate::verdict::Reason;

    #[rstest]
    #[case::plain(b"Bearer a.b.c", Ok(Some("a.b.c")))]
    #[case::case_of_the_scheme(b"bEARER a.b.c", Ok(Some("a.b.c")))]
    #[case::more_spaces(b"Bearer   a.b.c", Ok(Some("a.b.c")))]
    #[case::other_scheme(b"Basic YTpi", Ok(None))]
    #[case::longer_scheme(b"Bearers a.b.c", Ok(None))]
    #[case::empty(b"", Ok(None))]
    #[case::no_token(b"Bearer", Err(Reason::Request))]
    #[case::only_spaces(b"Bearer  ", Err(Reason::Request))]
    #[case::tab(b"Bearer\ta.b.c", Err(Reason::Request))]
    #[case::tab_after_space(b"Bearer \ta.b.c", Err(Reason::Request))]
    #[case::colon(b"Bearer:a.b.c", Err(Reason::Request))]
    #[case::joined(b"Bearer a.b.c,Bearer a.b.c", Err(Reason::Request))]
    #[case::two_tokens(b"Bearer a.b.c a.b.c", Err(Reason::Request))]
    #[case::trailing_space(b"Bearer a.b.c ", Err(Reason::Request))]
    #[case::quoted(b"Bearer \"a.b.c\"", Err(Reason::Request))]
    #[case::not_utf8(b"Bearer \xff", Err(Reason::Request))]
    #[case::nul(b"Bearer a\0", Err(Reason::Request))]
    fn reads_one_value(#[case] value: &[u8], #[case] expected: Result<Option<&str>, Reason>) {
        assert_eq!(token([value].into_iter()), expected);
    }

    #[test]
    fn no_header_is_no_token_and_two_headers_are_a_fault() {
        assert_eq!(token([].into_iter()), Ok(None));
        assert_eq!(token([b"Bearer a".as_slice(), b"Bearer a"].into_iter()), Err(Reason::Request));
        assert_eq!(token([b"Basic a".as_slice(), b"Bearer a"].into_iter()), Err(Reason::Request));
    }
}
