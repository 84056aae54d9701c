//! What a lenient server could read in a target that has no one reading: so that a rule which guards a route is not
//! passed by a spelling that its filter takes for another route and the server behind does not.
//!
//! Servers differ in what they decode, and how often, in what they take for a separator, and in whether they know
//! parameters. So a target has several readings, and whoever asks wants to know whether any of them is meant.

use std::borrow::Cow;

use crate::path::{HostPattern, PathPattern, normal_path};

/// How often a chain of servers may decode escapes.
const MAX_DECODINGS: usize = 3;

/// All readings of a `:path`: without query, doubled slashes, dot segments and trailing slash. The root is empty.
#[derive(Debug, Clone)]
pub struct Readings<'a>(Form<'a>);

#[derive(Debug, Clone)]
enum Form<'a> {
    /// In normal form: nothing was allocated.
    One(&'a str),
    Many(Vec<Vec<u8>>),
}

impl<'a> Readings<'a> {
    /// Of a target as it came: in origin form, absolute form or anything else.
    pub fn new(target: &'a [u8]) -> Self {
        if let Some(path) = normal_path(target) {
            return Self(Form::One(path));
        }
        let mut many = Vec::new();
        let mut text = Cow::Borrowed(behind_authority(target));
        for _ in 0..=MAX_DECODINGS {
            add_each(&text, &mut many);
            // What a server decodes may hold a query's or a fragment's mark, which the next one in turn heeds.
            let end = text.iter().position(|byte| matches!(byte, b'?' | b'#'));
            if let Some(before) = end.and_then(|end| text.get(..end)) {
                add_each(before, &mut many);
            }
            match decode(&text) {
                Some(decoded) => text = Cow::Owned(decoded),
                None => break,
            }
        }
        Self(Form::Many(many))
    }

    /// The path, if it is in normal form and so has one reading.
    pub fn normal(&self) -> Option<&'a str> {
        match self.0 {
            Form::One(path) => Some(path),
            Form::Many(_) => None,
        }
    }

    /// Whether one of them is such.
    pub fn any(&self, mut is_such: impl FnMut(&[u8]) -> bool) -> bool {
        match &self.0 {
            Form::One(path) => is_such(path.strip_suffix('/').unwrap_or(path).as_bytes()),
            Form::Many(paths) => paths.iter().any(|path| is_such(path)),
        }
    }
}

/// `http://host/path`: what stands behind the host.
fn behind_authority(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let scheme = target.windows(3).position(|window| window == b"://");
    let Some(rest) = scheme.and_then(|at| target.get(at.saturating_add(3)..)) else { return target };
    let path = rest.iter().position(|byte| matches!(byte, b'/' | b'\\' | b'?' | b'#'));
    path.and_then(|at| rest.get(at..)).unwrap_or_default()
}

/// The text without one layer of escapes; nothing if it has none.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if let (b'%', [high, low, after @ ..]) = (*first, after)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            decoded.push((high << 4) | low);
            rest = after;
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    (decoded.len() < text.len()).then_some(decoded)
}

/// A reading with and without parameters, and with `\` as a separator and as a letter.
fn add_each(text: &[u8], readings: &mut Vec<Vec<u8>>) {
    let has = |wanted: u8| text.contains(&wanted);
    for backslash in [true, false] {
        for parameters in [true, false] {
            if (backslash || has(b'\\')) && (parameters || has(b';')) {
                let reading = resolve(text, backslash, parameters);
                if !readings.contains(&reading) {
                    readings.push(reading);
                }
            }
        }
    }
}

/// The path without empty segments, dot segments and, if so wanted, parameters.
fn resolve(text: &[u8], backslash_separates: bool, drop_parameters: bool) -> Vec<u8> {
    let is_separator = |byte: &u8| *byte == b'/' || (backslash_separates && *byte == b'\\');
    let mut path = Vec::with_capacity(text.len());
    for segment in text.split(is_separator) {
        let name = if drop_parameters {
            segment.split(|byte| *byte == b';').next().unwrap_or_default()
        } else {
            segment
        };
        match name {
            b"" | b"." => {}
            b".." => {
                let parent = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                path.truncate(parent);
            }
            _ => {
                path.push(b'/');
                path.extend_from_slice(name);
            }
        }
    }
    path
}

/// Whether a reading is meant, whatever its letters' case.
pub(crate) fn path_matches(pattern: &PathPattern, reading: &[u8]) -> bool {
    let trimmed = |text: &str| text.strip_suffix('/').unwrap_or(text).len();
    match pattern {
        PathPattern::Exact(exact) => {
            exact.as_bytes().get(..trimmed(exact)).is_some_and(|exact| reading.eq_ignore_ascii_case(exact))
        }
        PathPattern::Prefix(prefix) => {
            let Some((start, rest)) = reading.split_at_checked(trimmed(prefix)) else { return false };
            let is_start = prefix.as_bytes().get(..start.len());
            is_start.is_some_and(|prefix| start.eq_ignore_ascii_case(prefix))
                && (rest.is_empty() || rest.starts_with(b"/"))
        }
        PathPattern::Template(pattern) => {
            let mut segments = reading.strip_prefix(b"/").unwrap_or(reading).split(|byte| *byte == b'/');
            pattern.iter().all(|wanted| {
                segments.next().is_some_and(|segment| match wanted {
                    Some(literal) => segment.eq_ignore_ascii_case(literal.as_bytes()),
                    None => !segment.is_empty(),
                })
            }) && segments.next().is_none()
        }
    }
}

/// Whether a host is meant; one that has no form could be any.
pub(crate) fn host_matches(patterns: &[HostPattern], authority: Option<&[u8]>) -> bool {
    let Some(host) = authority.and_then(|authority| std::str::from_utf8(authority).ok()) else { return true };
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    match crate::path::normal_host(host.trim_end_matches('.').as_bytes()) {
        Some(host) => patterns.iter().any(|pattern| pattern.matches(&host)),
        None => true,
    }
}

/// Whether a server could read a header's name as ours, which is in lower case: some take `_` for `-`.
pub fn is_spelt(name: &[u8], ours: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() == ours.len() && name.iter().zip(ours).all(|(theirs, ours)| plain(theirs) == *ours)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::Match;

    fn guarded(path: PathPattern) -> Match {
        let hosts = vec![HostPattern::parse("api.example.com").unwrap()];
        Match { hosts, methods: vec!["POST".to_owned()], path }
    }

    fn might(path: PathPattern, target: &str) -> bool {
        let target = Readings::new(target.as_bytes());
        guarded(path).might_match(Some(b"api.example.com"), b"POST", &target)
    }

    #[rstest]
    #[case::itself("/order/create")]
    #[case::query("/order/create?a=/../b")]
    #[case::case("/Order/CREATE")]
    #[case::trailing_slash("/order/create/")]
    #[case::escaped_letter("/order/%63reate")]
    #[case::escaped_slash("/order%2fcreate")]
    #[case::escaped_twice("/order/%2563reate")]
    #[case::escaped_three_times("/order/%252563reate")]
    #[case::escaped_query("/order/create%3Fa")]
    #[case::escaped_fragment("/order/create%23a")]
    #[case::fragment("/order/create#a")]
    #[case::backslash("/order\\create")]
    #[case::escaped_backslash("/order%5Ccreate")]
    #[case::parameter("/order;a=b/create;c")]
    #[case::doubled_slash("//order//create")]
    #[case::dot("/./order/./create")]
    #[case::dot_dot("/x/../order/create")]
    #[case::escaped_dots("/x/%2e%2E/order/create")]
    #[case::dot_dot_with_a_parameter("/x/..;a/order/create")]
    #[case::above_the_root("/../../order/create")]
    #[case::absolute("http://api.example.com/order/create")]
    #[case::absolute_with_a_query("http://other/order/create?a")]
    #[case::no_slash("order/create")]
    fn a_lenient_server_could_read_it(#[case] target: &str) {
        assert!(might(PathPattern::Exact("/order/create".to_owned()), target));
    }

    #[rstest]
    #[case("/order/created")]
    #[case("/order")]
    #[case("/order/create/x")]
    #[case("/order/create/../x")]
    #[case("/order/cre%ate")]
    #[case("/%6frder/%63reated")]
    #[case("http://order/create")]
    #[case("*")]
    #[case("")]
    fn no_server_could(#[case] target: &str) {
        assert!(!might(PathPattern::Exact("/order/create".to_owned()), target));
    }

    #[rstest]
    #[case("/order/1", true)]
    #[case("/ORDER/1/", true)]
    #[case("/order/a%2fb", true)]
    #[case("/order/a\\b", true)]
    #[case("/order/;a", true)]
    #[case("/order/..;a", true)]
    #[case("/order/", false)]
    #[case("/order/1/2", false)]
    fn templates(#[case] target: &str, #[case] expected: bool) {
        assert_eq!(might(PathPattern::template("/order/{id}").unwrap(), target), expected);
    }

    #[rstest]
    #[case("/pay", true)]
    #[case("/PAY/1", true)]
    #[case("/x/../pay/1", true)]
    #[case("/payment", false)]
    #[case("/pa", false)]
    fn prefixes(#[case] target: &str, #[case] expected: bool) {
        assert_eq!(might(PathPattern::Prefix("/pay".to_owned()), target), expected);
        assert_eq!(might(PathPattern::Prefix("/pay/".to_owned()), target), expected);
        assert!(might(PathPattern::Prefix("/".to_owned()), target));
    }

    #[rstest]
    #[case::itself(Some("api.example.com"), true)]
    #[case::capitals_and_port(Some("API.example.com:80"), true)]
    #[case::trailing_dot(Some("api.example.com.:80"), true)]
    #[case::no_form(Some("a b"), true)]
    #[case::none(None, true)]
    #[case::other(Some("example.com"), false)]
    #[case::other_with_a_dot(Some("example.com."), false)]
    fn hosts(#[case] authority: Option<&str>, #[case] expected: bool) {
        let rule = guarded(PathPattern::Exact("/a".to_owned()));
        let target = Readings::new(b"/a");
        assert_eq!(rule.might_match(authority.map(str::as_bytes), b"post", &target), expected);
        assert!(!rule.might_match(authority.map(str::as_bytes), b"PUT", &target));
        assert_eq!(rule.might_match_any_method(authority.map(str::as_bytes), &target), expected);
    }

    proptest::proptest! {
        /// Whatever a pattern matches, it might match.
        #[test]
        fn might_match_is_the_weaker(path in "(/[a-c%.;A]{1,3}){1,3}/?(\\?x)?") {
            let patterns = [
                PathPattern::Exact("/a/b".to_owned()),
                PathPattern::Prefix("/a".to_owned()),
                PathPattern::Prefix("/a/".to_owned()),
                PathPattern::Template(vec![Some("a".to_owned()), None]),
            ];
            let readings = Readings::new(path.as_bytes());
            for pattern in patterns {
                let is_meant = normal_path(path.as_bytes()).is_some_and(|path| pattern.matches(path));
                proptest::prop_assert!(!is_meant || readings.any(|path| path_matches(&pattern, path)));
            }
        }
    }
}
