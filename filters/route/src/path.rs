//! Paths and hosts with one reading, and the patterns that match them.

/// The path of a `:path` header, if it has one reading only: Envoy has normalised it before, so whatever could still
/// mean two things to two servers (an escape, an empty or dot segment, a parameter) is not worth an answer.
pub fn normal_path(target: &[u8]) -> Option<&str> {
    let target = std::str::from_utf8(target).ok()?;
    let rest = target.strip_prefix('/')?;
    let mut before = b'/';
    let mut path = target;
    for (at, byte) in (1..).zip(rest.bytes()) {
        match byte {
            // An empty segment before the last one; and some servers do not see a dot at the end of one.
            b'/' if before == b'/' || before == b'.' => return None,
            b'?' if !rest.contains('#') => {
                path = target.get(..at)?;
                break;
            }
            byte if byte == b'/' || is_plain_byte(byte) => before = byte,
            _ => return None,
        }
    }
    let is_last_of_dots = before == b'.' && path.trim_end_matches('.').ends_with('/');
    (!is_last_of_dots).then_some(path)
}

/// RFC 3986's pchar without escapes and without `;`: characters that are themselves and nothing else.
pub(crate) fn is_plain_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'')
        || matches!(byte, b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

/// Nothing but such characters, and not dots alone.
fn is_plain(segment: &str) -> bool {
    segment.bytes().all(is_plain_byte) && (segment.is_empty() || segment.bytes().any(|byte| byte != b'.'))
}

/// The host of an `:authority` in lower case and without its port, if it has one reading only: a trailing dot names
/// the same host for DNS and another one for a table.
pub fn normal_host(authority: &[u8]) -> Option<String> {
    let host = without_port(std::str::from_utf8(authority).ok()?)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    (!host.is_empty() && !host.ends_with('.') && host.bytes().all(plain)).then(|| host.to_ascii_lowercase())
}

/// The name, or the IPv6 address in brackets, before digits alone; nothing if a colon or a bracket stands elsewhere,
/// since servers differ in what they then take for the host.
pub(crate) fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.split_once(']') {
        Some((before, port)) => {
            let address = before.strip_prefix('[')?;
            // Whether it is a right one is no matter: no name has a colon.
            let is_address = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            (address.contains(':') && address.bytes().all(is_address)).then_some(())?;
            (authority.strip_suffix(port)?, port)
        }
        None => authority.split_at_checked(authority.find([':', '[']).unwrap_or(authority.len()))?,
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(host)
}

/// Which paths a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// This path.
    Exact(String),
    /// This path and what lies below it.
    Prefix(String),
    /// Segments of which some may be anything: `None`.
    Template(Vec<Option<String>>),
}

impl PathPattern {
    /// `/order/{id}`: a segment in braces stands for any one segment that is not empty.
    pub fn template(text: &str) -> Option<Self> {
        let segments = text.strip_prefix('/')?.split('/').map(|segment| {
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => is_plain(name).then_some(None),
                None => (!segment.is_empty() && is_plain(segment)).then(|| Some(segment.to_owned())),
            }
        });
        let segments: Vec<Option<String>> = segments.collect::<Option<_>>()?;
        // Without a placeholder it is just its path.
        let is_exact = segments.iter().all(Option::is_some);
        Some(if is_exact { Self::Exact(text.to_owned()) } else { Self::Template(segments) })
    }

    /// Whether this path, in normal form, is meant. A prefix ends where a segment ends: `/payment` covers
    /// `/payment/1` and not `/payments`.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')),
            Self::Template(pattern) => {
                let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
                pattern.iter().all(|wanted| {
                    segments.next().is_some_and(|segment| match wanted {
                        Some(literal) => segment == literal,
                        None => !segment.is_empty(),
                    })
                }) && segments.next().is_none()
            }
        }
    }

    /// Whether every path that the other one matches is matched by this one too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(path)) | (Self::Prefix(_), Self::Prefix(path)) => self.matches(path),
            (Self::Prefix(_), Self::Template(pattern)) => {
                // A placeholder matches no prefix's literal, so it stands in as a byte that no path has.
                let segments = pattern.iter().map(|segment| segment.as_deref().unwrap_or("\0"));
                self.matches(&segments.fold(String::new(), |path, segment| path + "/" + segment))
            }
            (Self::Template(ours), Self::Template(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(ours, theirs)| ours.is_none() || ours == theirs)
            }
            (Self::Exact(_), _) | (Self::Template(_), Self::Prefix(_)) => false,
        }
    }
}

/// Which hosts a rule is for, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// All hosts that end so; the text begins with a dot.
    Suffix(String),
}

impl HostPattern {
    /// `api.example.com`, or `*.example.com` for all below it.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let sound = normal_host(name.as_bytes()).as_deref() == Some(name) && !name.starts_with('.');
        match (sound, text.strip_prefix('*')) {
            (false, _) => None,
            (true, Some(suffix)) => Some(Self::Suffix(suffix.to_owned())),
            (true, None) => Some(Self::Exact(text.to_owned())),
        }
    }

    /// Whether this host, in normal form, is meant.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(exact) => host == exact,
            Self::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }

    /// Whether every host that the other one matches is matched by this one too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(host)) => self.matches(host),
            (Self::Suffix(ours), Self::Suffix(theirs)) => theirs.ends_with(ours.as_str()),
            (Self::Exact(_), Self::Suffix(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"/")]
    #[case(b"/order/create")]
    #[case(b"/order/")]
    #[case(b"/.well-known/jwks.json")]
    #[case(b"/auth/users/a.b_c-1/standing")]
    fn takes_normal_paths(#[case] path: &[u8]) {
        assert_eq!(normal_path(path).map(str::as_bytes), Some(path));
    }

    #[test]
    fn drops_the_query() {
        assert_eq!(normal_path(b"/a?b=/../c"), Some("/a"));
        assert_eq!(normal_path(b"/?"), Some("/"));
    }

    #[rstest]
    #[case::empty(b"")]
    #[case::star(b"*")]
    #[case::absolute(b"http://h/a")]
    #[case::doubled_slash(b"//auth/login")]
    #[case::doubled_slash_within(b"/auth//login")]
    #[case::dot(b"/./auth/login")]
    #[case::dot_dot(b"/auth/login/..")]
    #[case::three_dots(b"/auth/.../login")]
    #[case::dot_behind_a_segment(b"/auth./login")]
    #[case::encoded_slash(b"/auth%2Flogin")]
    #[case::encoded_letter(b"/auth/%6cogin")]
    #[case::encoded_backslash(b"/auth%5Clogin")]
    #[case::backslash(b"/auth\\login")]
    #[case::parameter(b"/auth/login;a=b")]
    #[case::fragment(b"/auth/login#a")]
    #[case::fragment_after_query(b"/auth/login?a#b")]
    #[case::nul(b"/auth/login\0")]
    #[case::space(b"/auth/login ")]
    #[case::not_utf8(b"/auth/\xff")]
    #[case::not_ascii("/auth/ł".as_bytes())]
    fn refuses_paths_with_two_readings(#[case] path: &[u8]) {
        assert_eq!(normal_path(path), None);
    }

    #[rstest]
    #[case(b"api.example.com", Some("api.example.com"))]
    #[case(b"API.Example.com:8080", Some("api.example.com"))]
    #[case(b"[::1]:80", Some("[::1]"))]
    #[case(b"api.example.com.", None)]
    #[case(b"api.example.com.:80", None)]
    #[case(b"api example", None)]
    #[case(b"user@api", None)]
    #[case(b"", None)]
    #[case(b":80", None)]
    #[case(b"\xff", None)]
    fn reads_hosts(#[case] authority: &[u8], #[case] expected: Option<&str>) {
        assert_eq!(normal_host(authority).as_deref(), expected);
    }

    #[rstest]
    #[case("/order/{id}", "/order/1", true)]
    #[case("/order/{id}", "/order/", false)]
    #[case("/order/{id}", "/order", false)]
    #[case("/order/{id}", "/order/1/", false)]
    #[case("/order/{id}", "/order/1/lines", false)]
    #[case("/order/{id}/lines", "/order/1/lines", true)]
    #[case("/{a}/{b}", "/x/y", true)]
    fn templates_match_segment_by_segment(
        #[case] template: &str,
        #[case] path: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(PathPattern::template(template).unwrap().matches(path), expected);
    }

    #[rstest]
    #[case("order/{id}")]
    #[case("/order//{id}")]
    #[case("/order/{i%d}")]
    #[case("/order/{id")]
    #[case("/order/../{id}")]
    #[case("/order/")]
    fn refuses_other_templates(#[case] template: &str) {
        assert_eq!(PathPattern::template(template), None);
    }

    #[test]
    fn one_pattern_covers_another() {
        let exact = |path: &str| PathPattern::Exact(path.to_owned());
        let prefix = |path: &str| PathPattern::Prefix(path.to_owned());
        let template = |path: &str| PathPattern::template(path).unwrap();
        for (first, second, expected) in [
            (exact("/a"), exact("/a"), true),
            (exact("/a"), prefix("/a"), false),
            (prefix("/a"), exact("/a/b"), true),
            (prefix("/a"), prefix("/a/b"), true),
            (prefix("/a/b"), prefix("/a"), false),
            (prefix("/"), template("/{x}"), true),
            (prefix("/a"), template("/a/{x}"), true),
            (prefix("/a/b"), template("/a/{x}"), false),
            (template("/a/{x}"), exact("/a/b"), true),
            (template("/a/{x}"), template("/a/b"), true),
            (template("/a/b"), template("/a/{x}"), false),
            (template("/a/{x}"), prefix("/a"), false),
        ] {
            assert_eq!(first.covers(&second), expected, "{first:?} {second:?}");
        }
    }

    #[rstest]
    #[case("api.example.com", "api.example.com", true)]
    #[case("*.example.com", "api.example.com", true)]
    #[case("*.example.com", "example.com", false)]
    #[case("*.example.com", "badexample.com", false)]
    fn hosts_match(#[case] pattern: &str, #[case] host: &str, #[case] expected: bool) {
        assert_eq!(HostPattern::parse(pattern).unwrap().matches(host), expected);
    }

    #[rstest]
    #[case("*")]
    #[case("*.")]
    #[case("a*.example.com")]
    #[case("API.example.com")]
    #[case("api.example.com:80")]
    fn refuses_other_hosts(#[case] pattern: &str) {
        assert_eq!(HostPattern::parse(pattern), None);
    }
}
