//! The closed list of what can become of a request, and what the client is told.

use std::rc::Rc;

use crate::identity::Identity;

/// Why a request was let through or refused: the `reason` label of the counter, so never free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A valid token with the scopes that the rule asks for.
    Ok,
    /// A public route.
    Public,
    /// No token on a route where one is optional.
    Anonymous,
    /// A CORS preflight, which carries no token.
    Preflight,
    /// No token where one is needed.
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
    /// `sub` is none of the allowed ones.
    Subject,
    /// The token lives longer than its provider may let it.
    Lifetime,
    /// The signature is not by the key that the token names.
    Signature,
    /// No key with this `kid`.
    UnknownKey,
    /// `alg` is not allowed, or not that of the key.
    Algorithm,
    /// `typ` is not in the list.
    Type,
    /// The token, or all of its subject's tokens of its age, were taken back.
    Revoked,
    /// A required claim is missing or not as required, or a claim is of the wrong kind.
    Claims,
    /// The token lacks a scope that the rule asks for.
    Scope,
    /// The token lacks a claim that the rule asks for.
    Privilege,
    /// The place for the token is broken or filled twice, or there are two of them.
    Request,
    /// The path, or a host where rules name hosts, is not in its one normal form.
    Path,
    /// No key set has been loaded yet, or none that is fresh enough.
    KeysUnavailable,
    /// No revocations have been loaded yet, none that are fresh enough, or more than can be held.
    RevocationsUnavailable,
    /// The host did not do its part.
    Internal,
}

impl Reason {
    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Public => "public",
            Self::Anonymous => "anonymous",
            Self::Preflight => "preflight",
            Self::MissingToken => "missing_token",
            Self::Malformed => "malformed",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::Lifetime => "lifetime",
            Self::Revoked => "revoked",
            Self::Signature => "signature",
            Self::UnknownKey => "unknown_key",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Claims => "claims",
            Self::Scope => "scope",
            Self::Privilege => "privilege",
            Self::Request => "request",
            Self::Path => "path",
            Self::KeysUnavailable => "keys_unavailable",
            Self::RevocationsUnavailable => "revocations_unavailable",
            Self::Internal => "internal",
        }
    }
}

/// What is to be done with a request.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Pass, as nobody in particular.
    Open(Reason),
    /// Pass, as the token's subject.
    Allow(Rc<Identity>),
    /// Answer in the service's place.
    Deny(Denial),
}

impl Verdict {
    /// The counter's labels, `verdict` and `reason`.
    pub fn labels(&self, is_dry_run: bool) -> (&'static str, Reason) {
        match self {
            Self::Open(reason) => ("allow", *reason),
            Self::Allow(_) => ("allow", Reason::Ok),
            Self::Deny(denial) if is_dry_run => ("would_deny", denial.reason),
            Self::Deny(denial) => ("deny", denial.reason),
        }
    }

    /// Whether it fell only because keys are missing that the issuer may have by now.
    pub fn wants_keys(&self) -> bool {
        matches!(self, Self::Deny(denial)
            if matches!(denial.reason, Reason::UnknownKey | Reason::KeysUnavailable | Reason::RevocationsUnavailable))
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// The scopes that the rule asks for, separated by spaces, when they are the reason.
    pub scope: String,
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self { reason, scope: String::new() }
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
                ..answer(400, "invalid-request", "Malformed credentials", "Send one token, in one place.")
            },
            Reason::Scope | Reason::Privilege => {
                let scope = &self.scope;
                let scope = if scope.is_empty() { String::new() } else { format!(", scope=\"{scope}\"") };
                Answer {
                    challenge: Some(format!("{basic}, error=\"insufficient_scope\"{scope}")),
                    ..answer(
                        403,
                        "insufficient-scope",
                        "The token does not reach this far",
                        "The access token lacks a scope or a claim that this route needs.",
                    )
                }
            }
            Reason::Path => answer(
                400,
                "invalid-path",
                "Ambiguous path",
                "Send host and path in their normal form, without encoded or empty segments.",
            ),
            Reason::Internal => Answer {
                retry_after: Some("1"),
                ..answer(
                    503,
                    "filter-unavailable",
                    "The request cannot be judged now",
                    "The proxy did not do what its filter needs. Try again shortly.",
                )
            },
            Reason::KeysUnavailable | Reason::RevocationsUnavailable => Answer {
                retry_after: Some("1"),
                ..answer(
                    503,
                    "keys-unavailable",
                    "Tokens cannot be checked now",
                    "What the issuer says of its keys and tokens cannot be had. Try again shortly.",
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
