//! From a token to its bearer: what is known of the issuers, and the tokens that were found to hold.

use std::rc::Rc;

use crate::cache::Cache;
use crate::claims::Claims;
use crate::config::{Config, Jwks, Limits, Provider};
use crate::identity::Identity;
use crate::jwks::KeySet;
use crate::place::token68;
use crate::revocations::Revocations;
use crate::signature::SignatureCheck;
use crate::token::{LastHeader, UnverifiedToken};
use crate::verdict::Reason;

/// What is known of a provider at the moment.
#[derive(Debug, Default)]
struct Issuer {
    keys: Option<KeySet>,
    feed: Feed,
    /// Counts the changes of the feed, from 1.
    feed_version: u64,
}

/// What is known of a provider's revocations.
#[derive(Debug, Default)]
pub enum Feed {
    /// It has none, or its failure is configured to be borne.
    #[default]
    Off,
    /// None were ever loaded, the last ones are staler than allowed, or there are more than the limit.
    Unavailable,
    /// These.
    Known(Rc<Revocations>),
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Verifier<Check> {
    issuers: Vec<Issuer>,
    cache: Cache,
    signatures: Check,
    last_header: LastHeader,
    hits: u64,
}

/// Why a token does not hold, and whose it claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub reason: Reason,
    /// The index of its provider, if it names one.
    pub provider: Option<usize>,
}

impl<Check: SignatureCheck> Verifier<Check> {
    /// One that knows the keys of the configuration alone, and no revocations.
    pub fn new(config: &Config, signatures: Check) -> Self {
        let issuers = config.providers.iter().map(|provider| Issuer {
            keys: match &provider.jwks {
                Jwks::Inline(set) => Some((**set).clone()),
                Jwks::Remote(_) => None,
            },
            feed: if provider.revocations.is_some() { Feed::Unavailable } else { Feed::Off },
            feed_version: 0,
        });
        Self {
            issuers: issuers.collect(),
            cache: Cache::new(config.limits.cached_tokens, config.limits.cached_bytes),
            signatures,
            last_header: LastHeader::default(),
            hits: 0,
        }
    }

    /// Installs a provider's keys, or takes them away. What was found to hold by the old ones is forgotten.
    pub fn set_keys(&mut self, provider: usize, keys: Option<KeySet>) {
        if let Some(issuer) = self.issuers.get_mut(provider) {
            issuer.keys = keys;
            self.cache.forget(provider);
        }
    }

    /// A provider's keys: none before the first load, and none once they are staler than allowed.
    pub fn keys(&self, provider: usize) -> Option<&KeySet> {
        self.issuers.get(provider)?.keys.as_ref()
    }

    /// Installs what is known of a provider's revocations. Every remembered token is compared with it at its next use.
    pub fn set_feed(&mut self, provider: usize, feed: Feed) {
        if let Some(issuer) = self.issuers.get_mut(provider) {
            issuer.feed = feed;
            issuer.feed_version = issuer.feed_version.saturating_add(1);
        }
    }

    /// What is known of a provider's revocations.
    pub fn feed(&self, provider: usize) -> Option<&Feed> {
        Some(&self.issuers.get(provider)?.feed)
    }

    /// How many tokens are remembered.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// How often a token was found remembered.
    pub fn cache_hits(&self) -> u64 {
        self.hits
    }

    /// The bearer of a token that holds in every respect at this time.
    pub fn verify(&mut self, config: &Config, token: &[u8], now_seconds: u64) -> Result<Rc<Identity>, Fault> {
        // Before any work on the text.
        if token.len() > config.limits.token_bytes {
            return Err(Fault { reason: Reason::Malformed, provider: None });
        }
        let known = self.cache.get(token);
        let is_known = known.is_some();
        self.hits = self.hits.saturating_add(u64::from(is_known));
        let identity = if let Some(identity) = known {
            identity
        } else {
            Rc::new(self.check(config, token, now_seconds)?)
        };
        match self.check_again(config, &identity, now_seconds) {
            Ok(()) => {
                if !is_known {
                    self.cache.put(token, &identity);
                }
                Ok(identity)
            }
            Err(reason) => {
                self.cache.remove(token);
                Err(Fault { reason, provider: Some(identity.provider) })
            }
        }
    }

    /// What can change between two requests with one token: the time, and revocations.
    fn check_again(&self, config: &Config, identity: &Identity, now_seconds: u64) -> Result<(), Reason> {
        let leeway = config.providers.get(identity.provider).map_or(0, |provider| provider.leeway_seconds);
        identity.period.check(now_seconds, leeway)?;
        let issuer = self.issuers.get(identity.provider).ok_or(Reason::Issuer)?;
        match &issuer.feed {
            Feed::Unavailable => Err(Reason::RevocationsUnavailable),
            Feed::Known(revocations) if identity.is_revoked(revocations, issuer.feed_version) => {
                Err(Reason::Revoked)
            }
            Feed::Off | Feed::Known(_) => Ok(()),
        }
    }

    /// What never changes for a token and a key set. What costs little is checked before the signature, which costs
    /// most; nothing of it is believed before.
    fn check(&mut self, config: &Config, token: &[u8], now_seconds: u64) -> Result<Identity, Fault> {
        let token = parse(token, &config.limits, &mut self.last_header)
            .map_err(|reason| Fault { reason, provider: None })?;
        let (index, provider) =
            provider(config, &token).ok_or(Fault { reason: Reason::Issuer, provider: None })?;
        let payload = token.signed().payload();
        let claims = self
            .check_for(provider, index, token, now_seconds)
            .map_err(|reason| Fault { reason, provider: Some(index) })?;
        Ok(Identity::new(index, provider, &claims, payload, &config.demands))
    }

    fn check_for(
        &self,
        provider: &Provider,
        index: usize,
        token: UnverifiedToken<'_>,
        now_seconds: u64,
    ) -> Result<Claims, Reason> {
        if !token.has_type(&provider.types) && (provider.needs_type || token.is_typed()) {
            return Err(Reason::Type);
        }
        if !provider.algorithms.contains(&token.algorithm()) {
            return Err(Reason::Algorithm);
        }
        let set = self.keys(index).ok_or(Reason::KeysUnavailable);
        let (algorithm, is_access_token) = (token.algorithm(), token.is_access_token());
        let (signed, claims) = token.into_parts();
        let claims = Claims::check(claims, provider, is_access_token, now_seconds)?;
        let set = set?;
        let key = signed.kid().and_then(|kid| set.get(kid)).ok_or(Reason::UnknownKey)?;
        if !key.may_check(algorithm) {
            return Err(Reason::Algorithm);
        }
        if self.signatures.is_signed_by(&signed, algorithm, key) {
            Ok(claims)
        } else {
            Err(Reason::Signature)
        }
    }
}

/// What is no credential at all is told from what is no token. All that a token is made of may stand in a credential
/// (base64url and dots), so only what does not parse is looked at for that.
fn parse<'a>(token: &'a [u8], limits: &Limits, last: &mut LastHeader) -> Result<UnverifiedToken<'a>, Reason> {
    let text = std::str::from_utf8(token).map_err(|_| Reason::Request);
    let parsed = text.and_then(|text| UnverifiedToken::parse(text, limits, last));
    parsed.map_err(|reason| token68(token).err().unwrap_or(reason))
}

fn provider<'a>(config: &'a Config, token: &UnverifiedToken<'_>) -> Option<(usize, &'a Provider)> {
    let issuer = token.issuer()?;
    config.providers.iter().enumerate().find(|(_, provider)| provider.issuer == issuer)
}
