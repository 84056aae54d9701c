//! From a request to its verdict.

use std::rc::Rc;

use route::{normal_host, normal_path};

use crate::config::Config;
use crate::identity::Identity;
use crate::request::Request;
use crate::rules::{Access, Asked, Needs};
use crate::signature::SignatureCheck;
use crate::verdict::{Denial, Reason, Verdict};
use crate::verify::Verifier;

/// What is to be done with a request, and by which rule.
#[derive(Debug, PartialEq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Whether the rule only counts.
    pub is_dry_run: bool,
    /// The index of the provider whose token it was, if it was one's.
    pub provider: Option<usize>,
    /// Whose token it was, where it holds and the rule asks for more.
    pub refused: Option<Rc<Identity>>,
}

impl Decision {
    /// The subject of the token, if it holds.
    pub fn subject(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Allow(identity) => Some(identity.subject()),
            _ => self.refused.as_deref().map(Identity::subject),
        }
    }
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, is_dry_run: false, provider: None, refused: None }
    }
}

impl From<Reason> for Decision {
    fn from(reason: Reason) -> Self {
        Verdict::Deny(reason.into()).into()
    }
}

/// Judges a request at a time.
pub fn judge<Check: SignatureCheck>(
    config: &Config,
    verifier: &mut Verifier<Check>,
    request: &Request<'_>,
    now_seconds: u64,
) -> Decision {
    let Some(path) = normal_path(request.target) else { return Reason::Path.into() };
    let host = config.matches_hosts.then(|| normal_host(request.authority)).flatten();
    // Methods are in capitals (RFC 9110 section 9.1), and to a server that takes others too they are those that rules name.
    if (config.matches_hosts && host.is_none()) || request.method.iter().any(u8::is_ascii_lowercase) {
        return Reason::Path.into();
    }
    if config.passes_preflight && request.is_preflight() {
        return Verdict::Open(Reason::Preflight).into();
    }
    // A method that is not text matches no rule that names methods.
    let method = std::str::from_utf8(request.method).unwrap_or_default();
    let asked = Asked::of(&config.rules, host.as_deref(), method, path);
    let mut refused = None;
    let (verdict, provider) = match (asked.access(), request.token()) {
        (Access::Public, _) => (Verdict::Open(Reason::Public), None),
        (_, Err(reason)) => (Verdict::Deny(reason.into()), None),
        (Access::Optional, Ok(None)) => (Verdict::Open(Reason::Anonymous), None),
        (Access::Required, Ok(None)) => (Verdict::Deny(Reason::MissingToken.into()), None),
        (_, Ok(Some(found))) => match verifier.verify(config, found.token, now_seconds) {
            Ok(identity) => {
                let provider = Some(identity.provider);
                match asked.needs().try_for_each(|needs| reach(needs, &identity)) {
                    Ok(()) => (Verdict::Allow(identity), provider),
                    Err(denial) => {
                        refused = Some(identity);
                        (Verdict::Deny(denial), provider)
                    }
                }
            }
            Err(fault) => (Verdict::Deny(fault.reason.into()), fault.provider),
        },
    };
    Decision { verdict, is_dry_run: asked.is_dry_run(), provider, refused }
}

/// Whether the bearer may do what the rule is for.
fn reach(needs: &Needs, identity: &Identity) -> Result<(), Denial> {
    let from = u32::try_from(identity.provider).ok().and_then(|index| 1_u32.checked_shl(index)).unwrap_or(0);
    if needs.providers != 0 && needs.providers & from == 0 {
        return Err(Reason::Issuer.into());
    }
    if !identity.grants.has_all(needs.all_scopes) || !identity.grants.has_any(needs.any_scope) {
        return Err(Denial { reason: Reason::Scope, scope: needs.challenge.clone() });
    }
    if !identity.grants.has_all(needs.claims) {
        return Err(Reason::Privilege.into());
    }
    Ok(())
}
