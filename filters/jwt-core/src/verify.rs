//! From a request to its verdict.

use crate::bearer;
use crate::claims::Claims;
use crate::config::{Config, Provider};
use crate::jwks::KeySet;
use crate::rules::{Access, access, normal_path};
pub use crate::signature::{JwtSimple, SignatureCheck};
use crate::token::UnverifiedToken;
use crate::verdict::{Denial, Reason, Verdict};

/// The parts of a request that count.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path`, with its query.
    pub path: &'a [u8],
    /// All Authorization headers.
    pub authorization: &'a [&'a [u8]],
}

/// The key sets, one place for each of the configuration's providers, empty until the first load.
pub trait Keys {
    /// The set of the provider with this index.
    fn of(&self, provider: usize) -> Option<&KeySet>;
}

impl Keys for Vec<Option<KeySet>> {
    fn of(&self, provider: usize) -> Option<&KeySet> {
        self.get(provider)?.as_ref()
    }
}

/// Judges a request at a time.
pub fn judge(
    config: &Config,
    keys: &impl Keys,
    signatures: &impl SignatureCheck,
    request: Request<'_>,
    now_seconds: u64,
) -> Verdict {
    let Some(path) = normal_path(request.path) else { return deny(Reason::Path) };
    // A method that is not text matches no rule, so it needs a token.
    let method = std::str::from_utf8(request.method).unwrap_or_default();
    let scopes = match access(config.rules(), method, path) {
        Access::Public => return Verdict::Public,
        Access::Scopes(scopes) => scopes,
    };
    let claims = bearer::token(request.authorization.iter().copied())
        .and_then(|token| token.ok_or(Reason::MissingToken))
        .and_then(|token| verify(config, keys, signatures, token, now_seconds));
    match claims {
        Ok(claims) if claims.lacks(scopes).is_none() => Verdict::Allow(Box::new(claims)),
        Ok(_) => Verdict::Deny(Denial { reason: Reason::Scope, scopes: scopes.to_vec() }),
        Err(reason) => deny(reason),
    }
}

fn deny(reason: Reason) -> Verdict {
    Verdict::Deny(reason.into())
}

/// The claims of a token that holds in every respect. What costs little is checked before the signature, which costs
/// a millisecond; nothing of it is believed before.
pub fn verify(
    config: &Config,
    keys: &impl Keys,
    signatures: &impl SignatureCheck,
    compact: &str,
    now_seconds: u64,
) -> Result<Claims, Reason> {
    let token = UnverifiedToken::parse(compact)?;
    let (index, provider) = provider(config, &token)?;
    if !token.has_type(provider.types()) {
        return Err(Reason::Type);
    }
    if !provider.algorithms().contains(&token.algorithm()) {
        return Err(Reason::Algorithm);
    }
    let claims = Claims::check(token.claims(), provider, token.is_access_token(), now_seconds)?;
    let set = keys.of(index).ok_or(Reason::KeysUnavailable)?;
    let key = set.get(token.kid()).ok_or(Reason::UnknownKey)?;
    if !key.may_check(token.algorithm()) {
        return Err(Reason::Algorithm);
    }
    if signatures.is_signed_by(token.signed(), token.algorithm(), key) {
        Ok(claims)
    } else {
        Err(Reason::Signature)
    }
}

fn provider<'a>(config: &'a Config, token: &UnverifiedToken<'_>) -> Result<(usize, &'a Provider), Reason> {
    let issuer = token.issuer().ok_or(Reason::Issuer)?;
    config
        .providers()
        .iter()
        .enumerate()
        .find(|(_, provider)| provider.issuer() == issuer)
        .ok_or(Reason::Issuer)
}
