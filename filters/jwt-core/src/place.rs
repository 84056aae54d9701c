//! Where a request may carry its token: RFC 6750's header, other headers, a cookie, a query parameter. One reading
//! only: a place that is broken or filled twice is a fault of the request, and so are two places that are filled.

use route::field::is_tchar;

use crate::verdict::Reason;

/// A place for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A header, its name in lower case; with a scheme before the token, or without.
    Header {
        /// Name.
        name: String,
        /// Such as `Bearer`; its case is free (RFC 9110 section 11.1).
        scheme: Option<String>,
    },
    /// A cookie (RFC 6265) of this name.
    Cookie(String),
    /// A query parameter of this name.
    Query(String),
}

/// A token and the place that it came from, an index into the configured ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// What should be a token, as yet any bytes.
    pub token: &'a [u8],
    /// Where.
    pub place: usize,
}

/// Gathers tokens during the one pass over a request's headers.
#[derive(Debug, Default)]
pub struct Finder<'a> {
    found: Option<Found<'a>>,
    /// One bit for each header place that had a value, of whatever scheme.
    filled: u32,
    is_broken: bool,
}

/// As many as [`Finder`] has bits.
pub const MAX_PLACES: usize = 32;

impl<'a> Finder<'a> {
    /// Looks at a header, its name in lower case.
    pub fn header(&mut self, places: &[Place], name: &[u8], value: &'a [u8]) {
        for (index, place) in places.iter().enumerate() {
            match place {
                Place::Header { name: ours, scheme } if ours.as_bytes() == name => {
                    self.field(index, value, scheme.as_deref());
                }
                Place::Cookie(cookie) if name == b"cookie" => {
                    for value in cookies(value, cookie) {
                        self.note(index, Ok(Some(value)));
                    }
                }
                Place::Header { .. } | Place::Cookie(_) | Place::Query(_) => {}
            }
        }
    }

    /// Notes what a field that is a place holds.
    fn field(&mut self, place: usize, value: &'a [u8], scheme: Option<&str>) {
        let bit = u32::try_from(place).ok().and_then(|index| 1_u32.checked_shl(index)).unwrap_or(0);
        // Twice the same header, be it of another scheme, has two readings.
        self.is_broken |= self.filled & bit != 0;
        self.filled |= bit;
        self.note(place, credentials(value, scheme));
    }

    /// Looks at the request's target.
    pub fn target(&mut self, places: &[Place], target: &'a [u8]) {
        for (index, place) in places.iter().enumerate() {
            if let Place::Query(parameter) = place {
                for value in parameters(target, parameter) {
                    self.note(index, Ok(Some(value)));
                }
            }
        }
    }

    fn note(&mut self, place: usize, token: Result<Option<&'a [u8]>, Reason>) {
        match token {
            Ok(None) => {}
            Ok(Some(token)) if self.found.is_none() => self.found = Some(Found { token, place }),
            Ok(Some(_)) | Err(_) => self.is_broken = true,
        }
    }

    /// The one token, if there is one.
    pub fn result(&self) -> Result<Option<Found<'a>>, Reason> {
        if self.is_broken { Err(Reason::Request) } else { Ok(self.found) }
    }
}

/// The token of a header value; nothing if another scheme is used (RFC 6750 section 2.1, RFC 9110 section 11.4). Some
/// proxies join fields of one name by a comma before a filter sees them, so another scheme is not to hide ours.
fn credentials<'a>(value: &'a [u8], scheme: Option<&str>) -> Result<Option<&'a [u8]>, Reason> {
    let Some(scheme) = scheme else { return Ok(Some(value)) };
    let (found, rest) = value.split_at_checked(scheme.len()).unwrap_or((value, b""));
    if !found.eq_ignore_ascii_case(scheme.as_bytes()) || rest.first().is_some_and(|byte| is_tchar(*byte)) {
        let is_joined = value.first().is_some_and(|byte| !is_tchar(*byte)) || holds_scheme(value, scheme);
        return if is_joined { Err(Reason::Request) } else { Ok(None) };
    }
    let text = rest.trim_ascii_start();
    let separated = rest.first() == Some(&b' ')
        && rest.iter().take(rest.len().saturating_sub(text.len())).all(|byte| *byte == b' ');
    if separated { Ok(Some(text)) } else { Err(Reason::Request) }
}

/// Whether credentials of this scheme could begin somewhere in a value.
fn holds_scheme(value: &[u8], scheme: &str) -> bool {
    value.split_inclusive(|byte| b", \t".contains(byte)).any(|word| {
        word.split_last()
            .is_some_and(|(end, word)| *end != b',' && word.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

/// A token as text, if it is RFC 6750's b64token and not empty. Looked at only where the very bytes are not known yet.
pub fn token68(text: &[u8]) -> Result<&str, Reason> {
    if text.is_empty() || !text.iter().all(|byte| is_token68(*byte)) {
        return Err(Reason::Request);
    }
    std::str::from_utf8(text).map_err(|_| Reason::Request)
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// All values of a cookie in a header.
fn cookies<'a>(header: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    pairs(header, b';', name)
}

/// All values of a parameter in a target's query.
fn parameters<'a>(target: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let query =
        target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at.saturating_add(1)..));
    pairs(query.unwrap_or_default(), b'&', name)
}

fn pairs<'a>(text: &'a [u8], separator: u8, name: &str) -> impl Iterator<Item = &'a [u8]> {
    text.split(move |byte| *byte == separator).filter_map(move |pair| value(pair, separator, name))
}

/// The value of a pair of this name. Servers take escapes in the names of parameters for what they stand for.
fn value<'a>(pair: &'a [u8], separator: u8, name: &str) -> Option<&'a [u8]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let behind = name.bytes().try_fold(pair.trim_ascii(), |rest, wanted| match rest {
        [b'%', high, low, rest @ ..] if separator == b'&' => {
            (digit(*high)? << 4 | digit(*low)? == u32::from(wanted)).then_some(rest)
        }
        [byte, rest @ ..] if *byte == wanted => Some(rest),
        _ => None,
    });
    behind?.strip_prefix(b"=")
}

/// The target without a parameter; nothing if it has none.
pub fn without_parameter(target: &[u8], name: &str) -> Option<Vec<u8>> {
    parameters(target, name).next()?;
    let at = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = target.split_at_checked(at)?;
    let kept = without(query.get(1..)?, b'&', name).join(&b"&"[..]);
    let question = if kept.is_empty() { &b""[..] } else { b"?" };
    Some([path, question, &kept].concat())
}

/// A cookie header without a cookie; nothing if it has none. Empty if nothing is left.
pub fn without_cookie(header: &[u8], name: &str) -> Option<Vec<u8>> {
    cookies(header, name).next()?;
    let kept = without(header, b';', name).into_iter().map(<[u8]>::trim_ascii);
    let kept: Vec<_> = kept.filter(|pair| !pair.is_empty()).collect();
    Some(kept.join(&b"; "[..]))
}

fn without<'a>(text: &'a [u8], separator: u8, name: &str) -> Vec<&'a [u8]> {
    text.split(|byte| *byte == separator).filter(|pair| value(pair, separator, name).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn places() -> [Place; 5] {
        [
            Place::Header { name: "authorization".into(), scheme: Some("Bearer".into()) },
            Place::Header { name: "x-token".into(), scheme: None },
            Place::Cookie("session".into()),
            Place::Query("access_token".into()),
            Place::Header { name: "x-other".into(), scheme: Some("Token".into()) },
        ]
    }

    fn find<'a>(headers: &[(&str, &'a [u8])], target: &'a str) -> Result<Option<(&'a str, usize)>, Reason> {
        let mut finder = Finder::default();
        for (name, value) in headers {
            finder.header(&places(), name.as_bytes(), value);
        }
        finder.target(&places(), target.as_bytes());
        let found = finder.result()?;
        found.map(|found| Ok((token68(found.token)?, found.place))).transpose()
    }

    #[rstest]
    #[case::plain(b"Bearer a.b.c", Ok(Some(("a.b.c", 0))))]
    #[case::case_of_the_scheme(b"bEARER a.b.c", Ok(Some(("a.b.c", 0))))]
    #[case::more_spaces(b"Bearer   a.b.c", Ok(Some(("a.b.c", 0))))]
    #[case::other_scheme(b"Basic YTpi", Ok(None))]
    #[case::longer_scheme(b"Bearers a.b.c", Ok(None))]
    #[case::scheme_with_a_hyphen(b"Bearer-x a.b.c", Ok(None))]
    #[case::empty(b"", Ok(None))]
    #[case::no_token(b"Bearer", Err(Reason::Request))]
    #[case::only_spaces(b"Bearer  ", Err(Reason::Request))]
    #[case::tab(b"Bearer\ta.b.c", Err(Reason::Request))]
    #[case::tab_after_space(b"Bearer \ta.b.c", Err(Reason::Request))]
    #[case::colon(b"Bearer:a.b.c", Err(Reason::Request))]
    #[case::joined(b"Bearer a.b.c,Bearer a.b.c", Err(Reason::Request))]
    #[case::two_tokens(b"Bearer a.b.c a.b.c", Err(Reason::Request))]
    #[case::trailing_space(b"Bearer a.b.c ", Err(Reason::Request))]
    #[case::behind_another_scheme(b"Basic YTpi,Bearer a.b.c", Err(Reason::Request))]
    #[case::behind_nothing(b",Bearer a.b.c", Err(Reason::Request))]
    #[case::behind_a_word(b"x bearer a.b.c", Err(Reason::Request))]
    #[case::behind_parameters(b"Digest a=\"b\",\tBEARER\ta.b.c", Err(Reason::Request))]
    #[case::nothing_first(b",Basic YTpi", Err(Reason::Request))]
    #[case::a_word_that_ends_so(b"Digest xBearer a, Bearer=a", Ok(None))]
    #[case::quoted(b"Bearer \"a.b.c\"", Err(Reason::Request))]
    #[case::not_utf8(b"Bearer \xff", Err(Reason::Request))]
    #[case::nul(b"Bearer a\0", Err(Reason::Request))]
    fn authorization_is_read_one_way(
        #[case] value: &[u8],
        #[case] expected: Result<Option<(&str, usize)>, Reason>,
    ) {
        assert_eq!(find(&[("authorization", value)], "/"), expected);
    }

    #[test]
    fn every_place_is_looked_at() {
        assert_eq!(find(&[], "/"), Ok(None));
        assert_eq!(find(&[("x-token", b"a.b.c")], "/"), Ok(Some(("a.b.c", 1))));
        assert_eq!(find(&[("cookie", b"a=1; session=a.b.c;b=2")], "/"), Ok(Some(("a.b.c", 2))));
        assert_eq!(find(&[], "/?x=1&access_token=a.b.c"), Ok(Some(("a.b.c", 3))));
        assert_eq!(find(&[], "/?%61ccess%5ftoken=a.b.c"), Ok(Some(("a.b.c", 3))));
        assert_eq!(find(&[("cookie", b"s%65ssion=a.b.c")], "/?access%5xtoken=a&access%5"), Ok(None));
        assert_eq!(find(&[("cookie", b"xsession=a.b.c; session2=a.b.c")], "/?Access_token=a"), Ok(None));
    }

    #[rstest]
    #[case::two_headers(&[("authorization", b"Bearer a".as_slice()), ("authorization", b"Bearer a")], "/")]
    #[case::other_scheme_first(&[("x-other", b"Basic a".as_slice()), ("x-other", b"Token a")], "/")]
    #[case::two_places(&[("authorization", b"Bearer a".as_slice()), ("x-token", b"a")], "/")]
    #[case::cookie_twice(&[("cookie", b"session=a; session=a".as_slice())], "/")]
    #[case::two_cookie_headers(&[("cookie", b"session=a".as_slice()), ("cookie", b"session=b")], "/")]
    #[case::cookie_quoted(&[("cookie", b"session=\"a\"".as_slice())], "/")]
    #[case::parameter_twice(&[], "/?access_token=a&access_token=b")]
    #[case::parameter_twice_once_escaped(&[], "/?access_token=a&access%5Ftoken=b")]
    #[case::parameter_empty(&[], "/?access_token=")]
    #[case::parameter_escaped(&[], "/?access_token=a%2Eb")]
    #[case::header_and_parameter(&[("authorization", b"Bearer a".as_slice())], "/?access_token=a")]
    fn two_readings_are_a_fault(#[case] headers: &[(&str, &[u8])], #[case] target: &str) {
        assert_eq!(find(headers, target), Err(Reason::Request));
    }

    #[rstest]
    #[case("/a?access_token=x", Some("/a"))]
    #[case("/a?b=1&access_token=x&c=2", Some("/a?b=1&c=2"))]
    #[case("/a?access_token=x&access_token=y", Some("/a"))]
    #[case("/a?b=1&access%5ftoke%6e=x", Some("/a?b=1"))]
    #[case("/a?b=1", None)]
    #[case("/a", None)]
    fn takes_a_parameter_out(#[case] target: &str, #[case] expected: Option<&str>) {
        let left = without_parameter(target.as_bytes(), "access_token");
        assert_eq!(left.as_deref(), expected.map(str::as_bytes));
    }

    #[rstest]
    #[case("session=x", Some(""))]
    #[case("a=1; session=x;b=2", Some("a=1; b=2"))]
    #[case("a=1", None)]
    fn takes_a_cookie_out(#[case] header: &str, #[case] expected: Option<&str>) {
        let left = without_cookie(header.as_bytes(), "session");
        assert_eq!(left.as_deref(), expected.map(str::as_bytes));
    }
}
