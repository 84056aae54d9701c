//! What answers of an issuer say about where its keys are and how long they hold.

use std::time::Duration;

use serde_json::Value;

use crate::json;

/// Where keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Host, with its port if the URL has one.
    pub authority: String,
    /// Path, with its query.
    pub path: String,
}

/// Why a discovery document is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// OpenID Connect Discovery 1.0 section 4.3: it must be the document of the issuer that was asked for.
    #[error("its issuer is another one")]
    Issuer,
    /// There is no `jwks_uri` that is an absolute URL.
    #[error("no jwks_uri of use")]
    Location,
}

/// Reads the document of this issuer.
pub fn read(document: &[u8], issuer: &str) -> Result<Location, Unusable> {
    let members = json::object(document, json::MAX_DEPTH).ok_or(Unusable::NotAnObject)?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(Unusable::Issuer);
    }
    let uri = text("jwks_uri").filter(|uri| uri.bytes().all(|byte| byte.is_ascii_graphic()));
    let rest = uri.and_then(|uri| uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")));
    let rest = rest.ok_or(Unusable::Location)?;
    let (authority, path) =
        rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).ok_or(Unusable::Location)?;
    if authority.is_empty() || authority.contains(['@', '?', '#']) || path.contains('#') {
        return Err(Unusable::Location);
    }
    let path = if path.is_empty() { "/" } else { path };
    Ok(Location { authority: authority.to_owned(), path: path.to_owned() })
}

/// The `max-age` of a Cache-Control header (RFC 9111 section 5.2.2.1); zero for `no-store` and `no-cache`.
pub fn max_age(cache_control: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(cache_control).ok()?.to_ascii_lowercase();
    let directives = || text.split(',').map(str::trim);
    if directives().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(Duration::ZERO);
    }
    let age = directives().find_map(|directive| directive.strip_prefix("max-age="))?;
    age.trim_matches('"').parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn document(uri: &str) -> Vec<u8> {
        format!(r#"{{"issuer":"https://i.example","jwks_uri":"{uri}"}}"#).into_bytes()
    }

    #[rstest]
    #[case("https://i.example/keys?v=1", "i.example", "/keys?v=1")]
    #[case("http://k.example:8080/keys", "k.example:8080", "/keys")]
    #[case("https://i.example", "i.example", "/")]
    fn finds_the_keys(#[case] uri: &str, #[case] authority: &str, #[case] path: &str) {
        let expected = Location { authority: authority.to_owned(), path: path.to_owned() };
        assert_eq!(read(&document(uri), "https://i.example"), Ok(expected));
    }

    #[rstest]
    #[case("/keys")]
    #[case("file:///keys")]
    #[case("https://user@i.example/keys")]
    #[case("https:///keys")]
    #[case("https://i.example/keys#x")]
    #[case("https://i.example/a b")]
    fn refuses_other_places(#[case] uri: &str) {
        assert_eq!(read(&document(uri), "https://i.example"), Err(Unusable::Location));
    }

    #[test]
    fn refuses_the_document_of_another_issuer() {
        assert_eq!(read(&document("https://i.example/keys"), "https://i.example/"), Err(Unusable::Issuer));
        assert_eq!(read(b"[]", "https://i.example"), Err(Unusable::NotAnObject));
        assert_eq!(read(b"{}", "https://i.example"), Err(Unusable::Issuer));
    }

    #[rstest]
    #[case(b"public, max-age=60", Some(60))]
    #[case(b"Max-Age=\"5\"", Some(5))]
    #[case(b"no-store", Some(0))]
    #[case(b"max-age=60, no-cache", Some(0))]
    #[case(b"s-maxage=60", None)]
    #[case(b"max-age=-1", None)]
    #[case(b"\xff", None)]
    fn reads_ages(#[case] header: &[u8], #[case] expected: Option<u64>) {
        assert_eq!(max_age(header).map(|age| age.as_secs()), expected);
    }
}
