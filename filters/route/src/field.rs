//! Names of header fields: how they are written, and which of them a filter may fill.

use config::ConfigError;

/// Fields that make up a message, or say where it comes from.
const RESERVED: [&str; 21] = [
    "access-control-request-method",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "location",
    "origin",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

/// And all that begin so: proxies' own.
const RESERVED_PREFIXES: [&str; 2] = ["x-envoy-", "x-forwarded-"];

/// Fields in which some servers find a method in place of the request's own.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// RFC 9110 section 5.6.2: what names of fields, schemes and parameters consist of.
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        )
        || matches!(byte, b'|' | b'~')
}

/// A configured name in lower case. The error is told with its path.
pub fn name(text: &str, path: &str) -> Result<String, ConfigError> {
    if text.is_empty() || !text.bytes().all(is_tchar) {
        return Err(ConfigError::new(path, "must be an RFC 9110 header name"));
    }
    Ok(text.to_ascii_lowercase())
}

/// The same for a field that is to be a filter's own: none that HTTP or a proxy has a meaning for.
pub fn own_name(text: &str, path: &str) -> Result<String, ConfigError> {
    let name = name(text, path)?;
    if RESERVED.iter().any(|known| is_spelt(name.as_bytes(), known.as_bytes()))
        || RESERVED_PREFIXES.iter().any(|start| begins_spelt(name.as_bytes(), start.as_bytes()))
    {
        return Err(ConfigError::new(path, "has a meaning for HTTP or for proxies"));
    }
    Ok(name)
}

/// Whether a server could read one header's name as the other: what programs take from their environment has the same
/// mark in place of all that is neither letter nor digit (RFC 3875 section 4.1.18).
pub fn is_spelt(name: &[u8], other: &[u8]) -> bool {
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    let is_same = |(one, other)| one == other || plain(one) == plain(other);
    // From the end: many names begin alike.
    name.len() == other.len() && name.iter().rev().zip(other.iter().rev()).all(is_same)
}

/// Whether a server could read a header's name as one that begins so.
pub fn begins_spelt(name: &[u8], start: &[u8]) -> bool {
    name.get(..start.len()).is_some_and(|begin| is_spelt(begin, start))
}

/// Whether some servers take the method of a request from a field of this name.
pub fn overrides_method(name: &[u8]) -> bool {
    METHOD_OVERRIDES.iter().any(|known| is_spelt(name, known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("x-user", "x_user", true)]
    #[case("x_user", "x_user", true)]
    #[case("x_user", "X-User", true)]
    #[case("x.user", "x_user", true)]
    #[case("x+us~r", "x-us'r", true)]
    #[case("x-user1", "x-user2", false)]
    #[case("x-user", "x-use", false)]
    #[case("xuser", "x-user", false)]
    fn marks_are_one(#[case] name: &str, #[case] other: &str, #[case] expected: bool) {
        assert_eq!(is_spelt(name.as_bytes(), other.as_bytes()), expected);
        assert_eq!(is_spelt(other.as_bytes(), name.as_bytes()), expected);
    }

    #[test]
    fn a_start_is_spelt_too() {
        assert!(begins_spelt(b"X_Jwt.Sub", b"x-jwt-") && begins_spelt(b"x-jwt-", b"x-jwt-"));
        assert!(!begins_spelt(b"xjwt-sub", b"x-jwt-") && !begins_spelt(b"x-jwt", b"x-jwt-"));
    }

    #[rstest]
    #[case("X-User", Some("x-user"))]
    #[case("x_user", Some("x_user"))]
    #[case("Upgrade", None)]
    #[case("set_cookie", None)]
    #[case("X-Forwarded-For", None)]
    #[case("x_envoy_internal", None)]
    #[case("x user", None)]
    #[case(":path", None)]
    #[case("", None)]
    fn a_filter_s_own(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(own_name(text, "header").ok().as_deref(), expected);
    }
}
