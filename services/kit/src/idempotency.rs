//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header).

use std::fmt::Write as _;

use axum::http::HeaderMap;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem};

/// The longest key, in characters.
pub const KEY_LIMIT: usize = 255;

/// A key with its scope: subject, method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key that the client sent in `Idempotency-Key`, bare or as a quoted string.
    pub fn from_headers(headers: &HeaderMap, scope: Scope<'_>) -> Result<Option<Self>, Problem> {
        let mut fields = headers.get_all("idempotency-key").iter();
        let Some(field) = fields.next() else { return Ok(None) };
        let invalid = || {
            let detail =
                format!("One Idempotency-Key of 1 to {KEY_LIMIT} visible ASCII characters, bare or quoted.");
            Problem::new(Code::IdempotencyKeyInvalid, detail)
        };
        let text = field.to_str().map_err(|_| invalid())?.trim();
        let key = match text.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"').ok_or_else(invalid)?,
            None => text,
        };
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if fields.next().is_some() || key.is_empty() || key.len() > KEY_LIMIT || !visible {
            return Err(invalid());
        }
        Ok(Some(scope.key("key", key)))
    }

    /// A key that the request id stands in for, where the client sent none.
    pub fn from_request_id(request_id: &str, scope: Scope<'_>) -> Self {
        scope.key("request", request_id)
    }

    /// As the store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a key is valid within.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The token's subject.
    pub subject: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
}

impl Scope<'_> {
    /// Hashed, so that no part can run into the next, and its length is bounded.
    fn key(self, kind: &str, key: &str) -> Key {
        let mut hash = Sha256::new();
        for part in [self.subject, self.method, self.path, kind, key] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Key(hex(&hash.finalize()))
    }
}

/// A request's key, and what its payload was.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The key in its scope.
    pub key: Key,
    /// Equal for equal payloads, however they were spelled.
    pub fingerprint: String,
}

impl Attempt {
    /// Of this key, with the payload as it was read.
    pub fn new(key: Key, payload: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self { key, fingerprint: hex(&Sha256::digest(serde_json::to_vec(payload)?)) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'static> = Scope { subject: "user123", method: "POST", path: "/payment" };

    fn read(values: &[&str]) -> Result<Option<Key>, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", value.parse().expect("a header value"));
        }
        Key::from_headers(&headers, SCOPE).map_err(|problem| problem.code())
    }

    #[test]
    fn bare_and_quoted_are_the_same_key() {
        assert_eq!(read(&["abc"]), read(&["\"abc\""]));
        assert_eq!(read(&[]), Ok(None));
        assert!(read(&[&"a".repeat(KEY_LIMIT)]).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in [&[""][..], &["a", "b"], &["\"abc"], &["a b"], &["\"\""], &[&"a".repeat(KEY_LIMIT + 1)]]
        {
            assert_eq!(read(wrong), Err(Code::IdempotencyKeyInvalid), "{wrong:?}");
        }
    }

    #[test]
    fn a_scope_s_parts_do_not_run_together() {
        let one = Scope { subject: "a", method: "b", path: "/p" }.key("key", "k");
        let other = Scope { subject: "ab", method: "", path: "/p" }.key("key", "k");
        assert_ne!(one, other);
        assert_ne!(SCOPE.key("key", "k"), SCOPE.key("request", "k"));
    }
}
