//! What is kept of a token that holds: enough for every later judgement and for the service's headers, and no more.

use std::borrow::Cow;
use std::cell::Cell;

use serde_json::Value;

use crate::claims::{Claims, Period};
use crate::config::{ClaimHeader, HeaderValue, Provider};
use crate::json::is_exact;
use crate::revocations::{Fingerprint, Revocations};
use crate::rules::{Demands, Grants};

/// The bearer of a token that holds.
#[derive(Debug, PartialEq)]
pub struct Identity {
    /// The index of its provider.
    pub provider: usize,
    /// When the token holds.
    pub period: Period,
    /// Which of the rules' demands it meets.
    pub grants: Grants,
    subject: Box<str>,
    headers: Headers,
    /// What revocations would name: the subject and the token itself. Nothing where there are no revocations.
    fingerprints: [Option<Fingerprint>; 2],
    issued_at: u64,
    /// The version of the revocations that it was last compared with.
    checked_version: Cell<u64>,
}

impl Identity {
    /// What is kept of these claims, and of the payload that they were read from.
    pub fn new(index: usize, provider: &Provider, claims: &Claims, payload: &str, demands: &Demands) -> Self {
        let fingerprints = match provider.revocations {
            Some(_) => {
                [Some(Fingerprint::of_subject(&claims.sub)), claims.jti.as_deref().map(Fingerprint::of_token)]
            }
            None => [None, None],
        };
        Self {
            provider: index,
            period: claims.period(),
            grants: demands.grants(claims),
            subject: claims.sub.as_str().into(),
            headers: Headers::new(provider, claims, payload),
            fingerprints,
            // A token that does not say when it was issued may be older than any cut-off.
            issued_at: claims.iat.unwrap_or(0),
            checked_version: Cell::new(0),
        }
    }

    /// The headers to set: the provider's, and the values that this bearer has for them.
    pub fn headers<'a>(&'a self, provider: &'a Provider) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.iter(&provider.claim_headers)
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the token, or all of its subject's tokens of its age, were revoked. Compared once per version.
    pub fn is_revoked(&self, revocations: &Revocations, version: u64) -> bool {
        if self.checked_version.get() == version {
            return false;
        }
        if self.fingerprints.iter().flatten().any(|one| revocations.refuses(*one, self.issued_at)) {
            return true;
        }
        self.checked_version.set(version);
        false
    }

    /// About how much memory it takes besides its own struct.
    pub fn heap_bytes(&self) -> usize {
        let lengths = self.headers.lengths.len().saturating_mul(2);
        self.headers.values.len().saturating_add(self.subject.len()).saturating_add(lengths)
    }
}

/// Header values in one piece, in the order of the provider's `claim_headers`.
#[derive(Debug, PartialEq)]
struct Headers {
    values: Box<[u8]>,
    lengths: Box<[u16]>,
}

/// A header that this bearer has no value for.
const ABSENT: u16 = u16::MAX;

impl Headers {
    fn new(provider: &Provider, claims: &Claims, payload: &str) -> Self {
        let mut values = Vec::new();
        let lengths = provider.claim_headers.iter().map(|header| {
            let value =
                render(header, provider, claims, payload).filter(|value| value.len() <= header.max_bytes);
            let length = value.as_ref().map_or(ABSENT, |value| u16::try_from(value.len()).unwrap_or(ABSENT));
            if length != ABSENT {
                values.extend_from_slice(value.unwrap_or_default().as_bytes());
            }
            length
        });
        let lengths = lengths.collect();
        Self { values: values.into(), lengths }
    }

    fn iter<'a>(&'a self, names: &'a [ClaimHeader]) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let mut rest = &*self.values;
        names.iter().zip(&self.lengths).filter_map(move |(header, length)| {
            if *length == ABSENT {
                return None;
            }
            let (value, next) = rest.split_at_checked(usize::from(*length))?;
            rest = next;
            Some((header.name.as_str(), value))
        })
    }
}

fn render<'a>(
    header: &ClaimHeader,
    provider: &'a Provider,
    claims: &'a Claims,
    payload: &'a str,
) -> Option<Cow<'a, str>> {
    Some(match &header.value {
        HeaderValue::Subject => claims.sub.as_str().into(),
        HeaderValue::Issuer => provider.issuer.as_str().into(),
        HeaderValue::Scope => claims.scope.as_str().into(),
        HeaderValue::TokenId => claims.jti.as_deref()?.into(),
        HeaderValue::Expiry => claims.exp.to_string().into(),
        HeaderValue::Claim(selector) => text(selector.find(&claims.all)?)?.into(),
        HeaderValue::Payload => payload.into(),
    })
}

/// A claim as a header value: a text as it is, texts without commas joined by commas, all else as compact JSON.
/// Nothing for what cannot stand in a header one way only.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        value if !is_exact(value) => return None,
        Value::String(text) => text.clone(),
        Value::Array(items) => joined(items).map_or_else(|| serde_json::to_string(value).ok(), Some)?,
        value => serde_json::to_string(value).ok()?,
    };
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (printable && !text.is_empty() && text.trim() == text).then_some(text)
}

fn joined(items: &[Value]) -> Option<String> {
    let plain = |item: &Value| match item {
        Value::String(text) if !text.is_empty() && !text.contains(',') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    items.iter().map(plain).collect::<Option<Vec<_>>>().map(|items| items.join(","))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::text;

    #[rstest]
    #[case::text(json!("gold customer"), Some("gold customer"))]
    #[case::number(json!(12.5), Some("12.5"))]
    #[case::flag(json!(true), Some("true"))]
    #[case::texts(json!(["a", "b"]), Some("a,b"))]
    #[case::numbers(json!([1, 2]), Some("1,2"))]
    #[case::comma_within(json!(["a,b", "c"]), Some(r#"["a,b","c"]"#))]
    #[case::objects(json!([{"a": 1}]), Some(r#"[{"a":1}]"#))]
    #[case::object(json!({"a": [1]}), Some(r#"{"a":[1]}"#))]
    #[case::null(json!(null), None)]
    #[case::empty(json!(""), None)]
    #[case::line_break(json!("a\r\nx-admin: 1"), None)]
    #[case::space_at_the_end(json!("a "), None)]
    #[case::not_ascii(json!("Łucja"), None)]
    #[case::empty_array(json!([]), None)]
    fn a_claim_becomes_a_header_one_way_only(#[case] value: Value, #[case] expected: Option<&str>) {
        assert_eq!(text(&value).as_deref(), expected);
    }
}
