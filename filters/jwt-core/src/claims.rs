//! The claims that a token must make, each of one kind. A claim of the wrong kind is never "absent".

use serde_json::{Map, Value};

use crate::config::Provider;
use crate::verdict::Reason;

const MAX_HEADER_BYTES: usize = 1024;
/// The last second that jwt-simple's 32.32 clock can hold: 2106-02-07.
const MAX_NUMERIC_DATE: u64 = 0xffff_ffff;

/// What a valid token says of its bearer, in a form that is safe as header values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Subject.
    pub sub: String,
    /// Issuer, one of the configured ones.
    pub iss: String,
    /// Granted scopes, separated by single spaces.
    pub scope: String,
    /// The token's own identity, if it has one.
    pub jti: Option<String>,
    /// When the token ends, in seconds since 1970.
    pub exp: u64,
}

impl Claims {
    /// Checks all claims for this provider at this time. `access_token` adds what RFC 9068 requires.
    pub fn check(
        claims: &Map<String, Value>,
        provider: &Provider,
        access_token: bool,
        now_seconds: u64,
    ) -> Result<Self, Reason> {
        let leeway = provider.leeway_seconds();
        let exp = numeric_date(claims, "exp")?.ok_or(Reason::Claims)?;
        let nbf = numeric_date(claims, "nbf")?;
        let iat = numeric_date(claims, "iat")?;
        if text(claims, "iss")? != Some(provider.issuer()) {
            return Err(Reason::Issuer);
        }
        if !audience(claims, provider.audiences())? {
            return Err(Reason::Audience);
        }
        let sub = header_safe(claims, "sub")?.ok_or(Reason::Claims)?;
        let jti = header_safe(claims, "jti")?;
        let client = text(claims, "client_id")?;
        let scope = scope(claims)?;
        if access_token && (iat.is_none() || jti.is_none() || client.is_none()) {
            return Err(Reason::Claims);
        }
        if now_seconds >= exp.saturating_add(leeway) {
            return Err(Reason::Expired);
        }
        let latest = now_seconds.saturating_add(leeway);
        if nbf.is_some_and(|time| time > latest) || iat.is_some_and(|time| time > latest) {
            return Err(Reason::NotYetValid);
        }
        Ok(Self { sub, iss: provider.issuer().to_owned(), scope, jti, exp })
    }

    /// The first of these scopes that was not granted.
    pub fn lacks<'a>(&self, scopes: &'a [String]) -> Option<&'a str> {
        scopes
            .iter()
            .map(String::as_str)
            .find(|wanted| !self.scope.split(' ').any(|granted| granted == *wanted))
    }
}

fn numeric_date(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_u64() {
            Some(seconds) if seconds <= MAX_NUMERIC_DATE => Ok(Some(seconds)),
            _ => Err(Reason::Claims),
        },
        Some(_) => Err(Reason::Claims),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Reason> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::Claims),
    }
}

/// Visible ASCII only: the value goes into a header, where a line break or a space at the end would change it.
fn header_safe(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, Reason> {
    match text(claims, name)? {
        None => Ok(None),
        Some(value) if value.is_empty() || value.len() > MAX_HEADER_BYTES => Err(Reason::Claims),
        Some(value) if value.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(value.to_owned())),
        Some(_) => Err(Reason::Claims),
    }
}

fn audience(claims: &Map<String, Value>, ours: &[String]) -> Result<bool, Reason> {
    let known = |audience: &str| ours.iter().any(|our| our == audience);
    match claims.get("aud") {
        None => Ok(false),
        Some(Value::String(audience)) => Ok(known(audience)),
        Some(Value::Array(audiences)) => audiences.iter().try_fold(false, |found, audience| {
            audience.as_str().map(|audience| found || known(audience)).ok_or(Reason::Claims)
        }),
        Some(_) => Err(Reason::Claims),
    }
}

/// RFC 6749's scope: tokens of visible ASCII without quote and backslash, with one space between them.
fn scope(claims: &Map<String, Value>) -> Result<String, Reason> {
    let scope = text(claims, "scope")?.unwrap_or_default();
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let sound = |token: &str| !token.is_empty() && token.bytes().all(visible);
    if scope.is_empty() || (scope.len() <= MAX_HEADER_BYTES && scope.split(' ').all(sound)) {
        Ok(scope.to_owned())
    } else {
        Err(Reason::Claims)
    }
}
