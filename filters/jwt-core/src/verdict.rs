//! The closed list of what can become of a request, and what the client is told.

use crate::claims::Claims;

/// Why a request was let through or refused: the `reason` label of the counter, so never free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A valid token with the scopes that the rule asks for.
    Ok,
    /// A public route.
    Public,
    /// No bearer token where one is needed.
    MissingToken,
    /// Not a compact JWS, or a header or claims that cannot be read one way only.
    Malformed,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `iss` is none of ours.
    Issuer,
    /// `aud` names others only.
    Audience,
    /// The signature is not by the key that the token names.
    Signature,
    /// No key with this `kid`.
    UnknownKey,
    /// `alg` is not allowed, or not that of the key.
    Algorithm,
    /// `typ` is not in the list.
    Type,
    /// A required claim is missing, or a claim is of the wrong kind.
    Claims,
    /// The token lacks a scope that the rule asks for.
    Scope,
    /// The Authorization header itself is broken or repeated.
    Request,
    /// The path is not in its one normal form.
    Path,
    /// No key set has been loaded yet.
    KeysUnavailable,
}

impl Reason {
    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Public => "public",
            Self::MissingToken => "missing_token",
            Self::Malformed => "malformed",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Signature => "signature",
            Self::UnknownKey => "unknown_key",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Claims => "claims",
            Self::Scope => "scope",
            Self::Request => "request",
            Self::Path => "path",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

/// What is to be done with a request.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Pass, as nobody in particular.
    Public,
    /// Pass, as the token's subject.
    Allow(Box<Claims>),
    /// Answer in the service's place.
    Deny(Denial),
}

impl Verdict {
    /// Whether it fell only because no keys were ever loaded.
    pub fn wants_first_keys(&self) -> bool {
        matches!(self, Self::Deny(denial) if denial.reason == Reason::KeysUnavailable)
    }

    /// The counter's labels.
    pub fn labels(&self) -> (&'static str, &'static str) {
        match self {
            Self::Public => ("allow", Reason::Public.as_str()),
            Self::Allow(_) => ("allow", Reason::Ok.as_str()),
            Self::Deny(denial) => ("deny", denial.reason.as_str()),
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The scopes that the rule asks for, when they are the reason.
    pub scopes: Vec<String>,
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self { reason, scopes: Vec::new() }
    }
}

/// A refusal in HTTP's words.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Problem code.
    pub code: &'static str,
    /// Problem title.
    pub title: &'static str,
    /// Problem detail.
    pub detail: &'static str,
    /// The RFC 6750 challenge.
    pub challenge: Option<String>,
    /// Seconds for Retry-After.
    pub retry_after: Option<&'static str>,
}

impl Denial {
    /// The answer to the client. All faults of a token share a code: which check failed is for our metrics,
    /// `detail` helps an honest client without telling a forger how far it got.
    pub fn answer(&self, realm: &str) -> Answer {
        let basic = format!("Bearer realm=\"{realm}\"");
        let answer = |status, code, title, detail| Answer {
            status,
            code,
            title,
            detail,
            challenge: None,
            retry_after: None,
        };
        match self.reason {
            Reason::MissingToken => Answer {
                challenge: Some(basic),
                ..answer(401, "missing-token", "A token is needed", "This route needs an access token.")
            },
            Reason::Request => Answer {
                challenge: Some(format!("{basic}, error=\"invalid_request\"")),
                ..answer(
                    400,
                    "invalid-request",
                    "Malformed credentials",
                    "Send one Authorization header: Bearer and one token.",
                )
            },
            Reason::Scope => Answer {
                challenge: Some(format!(
                    "{basic}, error=\"insufficient_scope\", scope=\"{}\"",
                    self.scopes.join(" ")
                )),
                ..answer(
                    403,
                    "insufficient-scope",
                    "The token does not reach this far",
                    "The access token lacks a scope that this route needs.",
                )
            },
            Reason::Path => answer(
                400,
                "invalid-path",
                "Ambiguous path",
                "Send the path in its normal form, without encoded or empty segments.",
            ),
            Reason::KeysUnavailable => Answer {
                retry_after: Some("1"),
                ..answer(
                    503,
                    "keys-unavailable",
                    "Tokens cannot be checked yet",
                    "The issuer's keys have not been loaded. Try again shortly.",
                )
            },
            reason => Answer {
                challenge: Some(format!("{basic}, error=\"invalid_token\"")),
                ..answer(
                    401,
                    "invalid-token",
                    "The token is not valid",
                    match reason {
                        Reason::Expired => "The access token has expired.",
                        _ => "The access token is not valid here.",
                    },
                )
            },
        }
    }
}
