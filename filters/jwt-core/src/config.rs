//! The plugin's configuration: refused as a whole, with the field's path, or right for good.

mod check;
pub mod raw;

use std::time::Duration;

pub use ::config::ConfigError;

pub use self::raw::{Forward, Signatures};

use crate::algorithm::Algorithm;
use crate::place::Place;
use crate::rules::{Demands, Rule};
use crate::selector::{Condition, Selector};

/// A clock that is further off than this is to be repaired, not tolerated.
pub const MAX_LEEWAY_SECONDS: u64 = 300;

/// A checked configuration.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The realm of challenges.
    pub realm: String,
    /// All issuers.
    pub providers: Vec<Provider>,
    /// The rules in their order; the first that matches counts.
    pub rules: Vec<Rule>,
    /// All that the rules ask of tokens.
    pub demands: Demands,
    /// Whether some rule names hosts.
    pub matches_hosts: bool,
    /// Where tokens may stand.
    pub places: Vec<Place>,
    /// What becomes of a token that holds.
    pub forward: Forward,
    /// Whether CORS preflights pass.
    pub passes_preflight: bool,
    /// The response header in which a dry run tells what it would have refused.
    pub dry_run_header: Option<String>,
    /// Whether access logs are told of each request.
    pub logs_state: bool,
    /// Who checks signatures.
    pub signatures: Signatures,
    /// Names of all headers that this filter writes, besides those of the reserved prefix.
    pub owned_headers: Vec<String>,
    /// How much of everything.
    pub limits: Limits,
}

/// Upper limits, all of them per worker.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Of one token.
    pub token_bytes: usize,
    /// Of objects and arrays within each other, in a token's header and in its claims.
    pub token_depth: usize,
    /// Of one key set's document.
    pub jwks_bytes: usize,
    /// Of keys in one key set, those that cannot be used too.
    pub jwks_keys: usize,
    /// Remembered tokens.
    pub cached_tokens: usize,
    /// What they may take.
    pub cached_bytes: usize,
    /// Of one provider's revocations.
    pub revocations: usize,
    /// Requests that wait for keys.
    pub parked_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: 16 << 10,
            token_depth: 16,
            jwks_bytes: 64 << 10,
            jwks_keys: 100,
            cached_tokens: 10_000,
            cached_bytes: 16 << 20,
            revocations: 100_000,
            parked_requests: 1_000,
        }
    }
}

/// An issuer whose tokens are taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct Provider {
    /// Its label in metrics.
    pub name: String,
    /// The exact `iss`.
    pub issuer: String,
    /// One of these must be in `aud`; `None`: any.
    pub audiences: Option<Vec<String>>,
    /// Which `sub`s are taken.
    pub subjects: Subjects,
    /// The allowed algorithms.
    pub algorithms: Vec<Algorithm>,
    /// The allowed values of `typ`.
    pub types: Vec<String>,
    /// Whether `typ` must be there.
    pub needs_type: bool,
    /// By how much our clock and the issuer's may differ.
    pub leeway_seconds: u64,
    /// How long a token may live, from `iat` to `exp`.
    pub max_lifetime_seconds: Option<u64>,
    /// What every token must say.
    pub required_claims: Vec<Condition>,
    /// The claim that holds the scopes.
    pub scope_claim: String,
    /// The headers that tell the service who calls.
    pub claim_headers: Vec<ClaimHeader>,
    /// Where its keys come from.
    pub jwks: Jwks,
    /// Where its revocations come from.
    pub revocations: Option<RevocationFeed>,
}

/// Which subjects a provider may speak for; all, if nothing is listed.
#[derive(Debug, Default)]
pub struct Subjects {
    pub(crate) exact: Vec<String>,
    pub(crate) prefixes: Vec<String>,
}

impl Subjects {
    /// Whether this one is among them.
    pub fn allow(&self, sub: &str) -> bool {
        (self.exact.is_empty() && self.prefixes.is_empty())
            || self.exact.iter().any(|exact| exact == sub)
            || self.prefixes.iter().any(|prefix| sub.starts_with(prefix.as_str()))
    }
}

/// A request header that the filter writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimHeader {
    /// Its name, in lower case.
    pub name: String,
    /// What stands in it.
    pub value: HeaderValue,
    /// A longer value is left out.
    pub max_bytes: usize,
}

/// What a header tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// `sub`.
    Subject,
    /// `iss`.
    Issuer,
    /// All scopes, separated by spaces.
    Scope,
    /// `jti`.
    TokenId,
    /// `exp`, in seconds since 1970.
    Expiry,
    /// A claim.
    Claim(Selector),
    /// The whole payload in base64url.
    Payload,
}

/// Where a provider's keys come from.
#[derive(Debug, Clone)]
pub enum Jwks {
    /// The configuration itself.
    Inline(Box<crate::jwks::KeySet>),
    /// The issuer.
    Remote(RemoteJwks),
}

/// An address that Envoy can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// The request's `:authority`.
    pub authority: String,
    /// The request's `:path`.
    pub path: String,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Where a provider's keys are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
    /// Where the key set is, or with `is_discovery` the document that names its place.
    pub target: Target,
    /// OpenID Connect Discovery 1.0: the document's `jwks_uri` gives authority and path, the cluster stays.
    pub is_discovery: bool,
    /// How old a set may get before it is fetched again, where its `Cache-Control` does not say less.
    pub refresh: Duration,
    /// How old a set may get before its keys no longer count.
    pub stale: Duration,
    /// Two fetches for keys that are not in the set are at least so far apart.
    pub min_refetch: Duration,
}

/// Where a provider's revocations are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationFeed {
    /// Where the feed is.
    pub target: Target,
    /// How often it is asked.
    pub interval: Duration,
    /// How long the last answer counts.
    pub stale: Duration,
    /// Whether tokens still pass after that.
    pub passes_when_stale: bool,
}

impl Config {
    /// Parses and checks a plugin configuration.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        check::config(::config::parse::<raw::Config>(text, &raw::LISTS, &raw::OF_ANY_KIND)?)
    }
}
