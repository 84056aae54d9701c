//! Which requests need what: the first rule that matches counts, and no rule means any valid token.

use serde::Deserialize;

use crate::config::ConfigError;

/// What a route asks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access<'a> {
    /// Nothing.
    Public,
    /// A valid token with all these scopes; with none, any valid token.
    Scopes(&'a [String]),
}

/// A checked rule.
#[derive(Debug)]
pub struct Rule {
    /// Empty for every method.
    methods: Vec<String>,
    path: PathMatch,
    public: bool,
    scopes: Vec<String>,
}

#[derive(Debug)]
enum PathMatch {
    Exact(String),
    Prefix(String),
}

impl Rule {
    fn matches(&self, method: &str, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|known| known == method))
            && self.path.matches(path)
    }
}

impl PathMatch {
    /// A prefix ends where a segment ends: `/payment` covers `/payment/1` and not `/payments`.
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// What the rules ask of this request. HEAD is judged as GET, since servers answer it from the same handler.
pub fn access<'a>(rules: &'a [Rule], method: &str, path: &str) -> Access<'a> {
    let method = if method == "HEAD" { "GET" } else { method };
    match rules.iter().find(|rule| rule.matches(method, path)) {
        Some(rule) if rule.public => Access::Public,
        Some(rule) => Access::Scopes(&rule.scopes),
        None => Access::Scopes(&[]),
    }
}

/// The path of a `:path` header, if it has one reading only: Envoy has normalised it before, so whatever could still
/// mean two things to two servers (an escape, an empty or dot segment, a parameter) is not worth an answer.
pub fn normal_path(target: &[u8]) -> Option<&str> {
    let target = std::str::from_utf8(target).ok()?;
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let rest = path.strip_prefix('/')?;
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if (segment.is_empty() && !last) || !is_plain(segment) {
            return None;
        }
    }
    (!target.contains('#')).then_some(path)
}

/// RFC 3986's pchar without escapes and without `;`, and nothing that only consists of dots.
fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte);
    segment.bytes().all(plain) && (segment.is_empty() || segment.bytes().any(|byte| byte != b'.'))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawRule {
    r#match: RawMatch,
    public: Option<bool>,
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawMatch {
    methods: Option<Vec<String>>,
    path: RawPath,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawPath {
    exact: Option<String>,
    prefix: Option<String>,
}

impl RawRule {
    pub(crate) fn check(self, at: &str) -> Result<Rule, ConfigError> {
        let methods = self.r#match.methods;
        if let Some(methods) = &methods {
            let sound =
                |method: &String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
            // HEAD is judged as GET, so a rule for it would never apply.
            if methods.is_empty()
                || !methods.iter().all(sound)
                || methods.iter().any(|method| method == "HEAD")
            {
                let message = "must hold methods in capitals, without HEAD, which follows GET";
                return Err(ConfigError::new(format!("{at}.match.methods"), message));
            }
        }
        let path = match (self.r#match.path.exact, self.r#match.path.prefix) {
            (Some(exact), None) => PathMatch::Exact(checked_path(exact, &format!("{at}.match.path.exact"))?),
            (None, Some(prefix)) => {
                PathMatch::Prefix(checked_path(prefix, &format!("{at}.match.path.prefix"))?)
            }
            _ => {
                return Err(ConfigError::new(
                    format!("{at}.match.path"),
                    "must have exact or prefix, not both",
                ));
            }
        };
        let (public, scopes) = match (self.public, self.scopes) {
            (Some(true), None) => (true, Vec::new()),
            (None | Some(false), scopes) => (false, scopes.unwrap_or_default()),
            (Some(true), Some(_)) => {
                return Err(ConfigError::new(format!("{at}.scopes"), "cannot be asked of a public route"));
            }
        };
        // Scopes stand between quotes in a challenge, separated by spaces.
        let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if scopes.iter().any(|scope| scope.is_empty() || !scope.bytes().all(sound)) {
            return Err(ConfigError::new(format!("{at}.scopes"), "must hold RFC 6749 scope tokens"));
        }
        Ok(Rule { methods: methods.unwrap_or_default(), path, public, scopes })
    }
}

/// A rule for a path that no request can have would be a hole or dead.
fn checked_path(path: String, at: &str) -> Result<String, ConfigError> {
    if normal_path(path.as_bytes()) == Some(path.as_str()) {
        Ok(path)
    } else {
        Err(ConfigError::new(at, "must be a path in normal form"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::normal_path;

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
}
