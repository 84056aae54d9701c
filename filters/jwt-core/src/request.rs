//! What counts of a request, gathered in one pass over its headers.

use route::field::{begins_spelt, is_spelt, is_tchar, overrides_method};

use crate::config::Config;
use crate::place::{Finder, Found, Place, without_cookie, without_parameter};
use crate::verdict::Reason;

/// The contract's own headers: whatever a client sends under this prefix never reaches a service.
pub(crate) const OWNED_PREFIX: &str = "x-jwt-";

/// A request as far as the filter judges it.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path`, with its query.
    pub target: &'a [u8],
    /// `:authority`.
    pub authority: &'a [u8],
    /// Names of headers that only this filter may write, as the client sent them.
    pub owned: Vec<&'a [u8]>,
    cookies: Vec<&'a [u8]>,
    has_origin: bool,
    asks_for_method: bool,
    is_overridden: bool,
    finder: Finder<'a>,
}

impl<'a> Request<'a> {
    /// Reads headers, names in lower case as Envoy keeps them.
    pub fn read(config: &Config, headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut request = Self::default();
        for (name, value) in headers {
            match name {
                // No place for a token and no header of ours is named so.
                [b':', pseudo @ ..] => {
                    match pseudo {
                        b"method" => request.method = value,
                        b"path" => request.target = value,
                        b"authority" => request.authority = value,
                        _ => {}
                    }
                    continue;
                }
                b"origin" => request.has_origin = !value.is_empty(),
                b"access-control-request-method" => {
                    request.asks_for_method = !value.is_empty() && value.iter().copied().all(is_tchar);
                }
                b"cookie" => request.cookies.push(value),
                name => {
                    request.is_overridden |= request.method == b"OPTIONS" && overrides_method(name);
                    if is_owned(config, name) {
                        request.owned.push(name);
                    }
                }
            }
            request.finder.header(&config.places, name, value);
        }
        request.finder.target(&config.places, request.target);
        request
    }

    /// The one token, if there is one.
    pub fn token(&self) -> Result<Option<Found<'a>>, Reason> {
        self.finder.result()
    }

    /// Whether it is a CORS preflight (Fetch section 3.2.2), which carries no credentials by definition. One that a
    /// server could take for a request of another method is none.
    pub fn is_preflight(&self) -> bool {
        self.method == b"OPTIONS" && self.has_origin && self.asks_for_method && !self.is_overridden
    }

    /// The target without the tokens in its query, if there are any: no log and no upstream is to see them.
    pub fn clean_target(&self, config: &Config) -> Option<Vec<u8>> {
        let mut clean = None;
        for place in &config.places {
            if let Place::Query(name) = place {
                clean = without_parameter(clean.as_deref().unwrap_or(self.target), name).or(clean);
            }
        }
        clean
    }

    /// All cookies but this one, in one header; empty if none is left.
    pub fn other_cookies(&self, name: &str) -> Vec<u8> {
        let kept = self
            .cookies
            .iter()
            .map(|cookies| without_cookie(cookies, name).unwrap_or_else(|| cookies.to_vec()));
        kept.filter(|cookies| !cookies.is_empty()).collect::<Vec<_>>().join(&b"; "[..])
    }
}

/// Whether a name is one that this filter writes, in any spelling that a server could read as it.
pub fn is_owned(config: &Config, name: &[u8]) -> bool {
    begins_spelt(name, OWNED_PREFIX.as_bytes())
        || config.owned_headers.iter().any(|ours| is_spelt(name, ours.as_bytes()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PREFLIGHT: [(&str, &str); 3] = [
        (":method", "OPTIONS"),
        ("origin", "https://shop.example"),
        ("access-control-request-method", "PUT"),
    ];

    #[rstest]
    #[case::whole([], true)]
    #[case::another_method([(":method", "GET")], false)]
    #[case::origin_without_value([("origin", "")], false)]
    #[case::method_without_value([("access-control-request-method", "")], false)]
    #[case::two_methods([("access-control-request-method", "GET, PUT")], false)]
    #[case::another_header([("x-method", "DELETE")], true)]
    #[case::overridden([("x-http-method-override", "DELETE")], false)]
    #[case::overridden_by_another([("x-method-override", "DELETE")], false)]
    #[case::overridden_in_another_spelling([("x_http_method", "DELETE")], false)]
    fn preflights<const N: usize>(#[case] changes: [(&str, &str); N], #[case] expected: bool) {
        let kept = PREFLIGHT.into_iter().filter(|(name, _)| !changes.iter().any(|(other, _)| name == other));
        let mut headers: Vec<_> = changes.into_iter().chain(kept).collect();
        headers.sort_by_key(|(name, _)| !name.starts_with(':'));
        let json = r#"{"realm":"a","providers":[{"issuer":"i","anyAudience":true,"algorithms":["ES256"],
            "jwks":{"remote":{"cluster":"c","authority":"a","path":"/"}}}]}"#;
        let config = Config::from_json(json.as_bytes()).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        assert_eq!(Request::read(&config, headers).is_preflight(), expected);
    }
}
