//! The claims that a token must make, each of one kind. A claim of the wrong kind is never "absent".

use serde_json::{Map, Value};

use crate::config::Provider;
use crate::verdict::Reason;

const MAX_TEXT_BYTES: usize = 1024;
/// The last second that 32 bits hold, 2106-02-07: the memory of tokens ends there.
const MAX_NUMERIC_DATE: u64 = 0xffff_ffff;

/// What a token says, checked for its provider, in a form that is safe as header values.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// Subject.
    pub sub: String,
    /// Granted scopes, separated by single spaces.
    pub scope: String,
    /// The token's own identity, if it has one.
    pub jti: Option<String>,
    /// When the token ends, in seconds since 1970.
    pub exp: u64,
    /// Since when it is valid, if it says so.
    pub nbf: Option<u64>,
    /// When it was issued, if it says so.
    pub iat: Option<u64>,
    /// All claims.
    pub all: Map<String, Value>,
}

impl Claims {
    /// Checks all claims for this provider at this time. `access_token` adds what RFC 9068 requires.
    pub fn check(
        all: Map<String, Value>,
        provider: &Provider,
        access_token: bool,
        now_seconds: u64,
    ) -> Result<Self, Reason> {
        let known = Registered::among(&all);
        let exp = numeric_date(known.exp)?.ok_or(Reason::Claims)?;
        let nbf = numeric_date(known.nbf)?;
        let iat = numeric_date(known.iat)?;
        if text(known.iss)? != Some(provider.issuer.as_str()) {
            return Err(Reason::Issuer);
        }
        if !audience(known.aud, provider.audiences.as_deref())? {
            return Err(Reason::Audience);
        }
        let sub = header_safe(known.sub)?.ok_or(Reason::Claims)?;
        if !provider.subjects.allow(&sub) {
            return Err(Reason::Subject);
        }
        let jti = header_safe(known.jti)?;
        let client = text(known.client_id)?;
        let scope = scope(all.get(&provider.scope_claim))?;
        let lacks = iat.is_none() || jti.is_none() || client.is_none() || known.aud.is_none();
        if access_token && lacks {
            return Err(Reason::Claims);
        }
        if !provider.required_claims.iter().all(|condition| condition.holds(&all)) {
            return Err(Reason::Claims);
        }
        if let Some(limit) = provider.max_lifetime_seconds {
            let issued = iat.ok_or(Reason::Claims)?;
            if exp.saturating_sub(issued) > limit {
                return Err(Reason::Lifetime);
            }
        }
        let checked = Self { sub, scope, jti, exp, nbf, iat, all };
        checked.period().check(now_seconds, provider.leeway_seconds)?;
        Ok(checked)
    }

    /// When the token holds.
    pub fn period(&self) -> Period {
        Period { since: self.nbf.unwrap_or(0).max(self.iat.unwrap_or(0)), until: self.exp }
    }
}

/// The time in which a token holds, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The later one of `nbf` and `iat`.
    pub since: u64,
    /// `exp`, the first second in which it no longer holds.
    pub until: u64,
}

impl Period {
    /// Whether it holds now, if our clock and the issuer's differ by no more than the leeway.
    pub fn check(self, now_seconds: u64, leeway_seconds: u64) -> Result<(), Reason> {
        if now_seconds >= self.until.saturating_add(leeway_seconds) {
            return Err(Reason::Expired);
        }
        if self.since > now_seconds.saturating_add(leeway_seconds) {
            return Err(Reason::NotYetValid);
        }
        Ok(())
    }
}

/// The claims that have a meaning of their own (RFC 7519 section 4.1, RFC 9068 section 2.2), found in one pass.
#[derive(Default)]
struct Registered<'a> {
    iss: Option<&'a Value>,
    sub: Option<&'a Value>,
    aud: Option<&'a Value>,
    exp: Option<&'a Value>,
    nbf: Option<&'a Value>,
    iat: Option<&'a Value>,
    jti: Option<&'a Value>,
    client_id: Option<&'a Value>,
}

impl<'a> Registered<'a> {
    fn among(all: &'a Map<String, Value>) -> Self {
        let mut known = Self::default();
        for (name, value) in all {
            let place = match name.as_str() {
                "iss" => &mut known.iss,
                "sub" => &mut known.sub,
                "aud" => &mut known.aud,
                "exp" => &mut known.exp,
                "nbf" => &mut known.nbf,
                "iat" => &mut known.iat,
                "jti" => &mut known.jti,
                "client_id" => &mut known.client_id,
                _ => continue,
            };
            *place = Some(value);
        }
        known
    }
}

fn numeric_date(claim: Option<&Value>) -> Result<Option<u64>, Reason> {
    match claim {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_u64() {
            Some(seconds) if seconds <= MAX_NUMERIC_DATE => Ok(Some(seconds)),
            _ => Err(Reason::Claims),
        },
        Some(_) => Err(Reason::Claims),
    }
}

fn text(claim: Option<&Value>) -> Result<Option<&str>, Reason> {
    match claim {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Reason::Claims),
    }
}

/// Visible ASCII only: the value goes into a header, where a line break or a space at the end would change it.
fn header_safe(claim: Option<&Value>) -> Result<Option<String>, Reason> {
    match text(claim)? {
        None => Ok(None),
        Some(value) if value.is_empty() || value.len() > MAX_TEXT_BYTES => Err(Reason::Claims),
        Some(value) if value.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Some(value.to_owned())),
        Some(_) => Err(Reason::Claims),
    }
}

/// Without configured audiences any will do, but it must be one.
fn audience(claim: Option<&Value>, ours: Option<&[String]>) -> Result<bool, Reason> {
    let known = |audience: &str| ours.is_none_or(|ours| ours.iter().any(|our| our == audience));
    match claim {
        None => Ok(ours.is_none()),
        Some(Value::String(audience)) => Ok(known(audience)),
        Some(Value::Array(audiences)) => audiences.iter().try_fold(ours.is_none(), |found, audience| {
            audience.as_str().map(|audience| found || known(audience)).ok_or(Reason::Claims)
        }),
        Some(_) => Err(Reason::Claims),
    }
}

/// RFC 6749's scope: tokens of visible ASCII without quote and backslash, with one space between them. Some issuers
/// send them as an array.
fn scope(claim: Option<&Value>) -> Result<String, Reason> {
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let sound = |token: &str| !token.is_empty() && token.bytes().all(visible);
    let scope = match claim {
        None => String::new(),
        Some(Value::String(text)) if text.is_empty() || text.split(' ').all(sound) => text.clone(),
        Some(Value::Array(tokens)) => {
            let tokens: Option<Vec<&str>> =
                tokens.iter().map(|token| token.as_str().filter(|token| sound(token))).collect();
            tokens.ok_or(Reason::Claims)?.join(" ")
        }
        Some(_) => return Err(Reason::Claims),
    };
    if scope.len() <= MAX_TEXT_BYTES { Ok(scope) } else { Err(Reason::Claims) }
}
