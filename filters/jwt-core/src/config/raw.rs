//! The configuration as it is written: the source of its JSON Schema and of `docs/jwt-filter.md`.

#![allow(missing_docs, reason = "each field's text is its description in the schema")]

use route::raw::Match;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::json;

/// Fields whose value may be of any kind.
pub(super) const OF_ANY_KIND: [&str; 2] = ["equals", "contains"];

/// Fields that hold lists, somewhere.
pub const LISTS: [&str; 15] = [
    "algorithms",
    "anyScopes",
    "audiences",
    "claimHeaders",
    "claims",
    "exact",
    "hosts",
    "methods",
    "prefixes",
    "providers",
    "requiredClaims",
    "rules",
    "scopes",
    "tokenPlaces",
    "types",
];

/// The jwt filter's `pluginConfig` (on plain Envoy: the `StringValue` in `configuration`).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The realm of `WWW-Authenticate` challenges (RFC 6750 section 3).
    pub realm: String,
    /// The issuers whose tokens are taken, 1 to 32.
    pub providers: Vec<Provider>,
    /// What requests need. The first rule that matches counts; where none does, any valid token will do.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Where a token may stand, 1 to 32 places; default: `Authorization: Bearer` alone. A request that carries a
    /// token in two of them is refused.
    pub token_places: Option<Vec<Place>>,
    /// What becomes of a token that holds; default `keep`.
    #[serde(default)]
    pub forward: Forward,
    /// Whether CORS preflights (OPTIONS with `Origin` and `Access-Control-Request-Method`) pass; default true.
    pub cors_preflight: Option<bool>,
    /// A response header in which rules with `dryRun` say what they would have refused, such as `x-jwt-dry-run`.
    pub dry_run_header: Option<String>,
    /// Whether access logs are told of each request, as `%FILTER_STATE(wasm.finpay_jwt:PLAIN)%`: verdict, reason,
    /// provider and subject, separated by spaces; default false. Reasons of refusals are in
    /// `%RESPONSE_CODE_DETAILS%` in any case.
    #[serde(default)]
    pub log_state: bool,
    /// Who checks signatures; default `host`.
    #[serde(default)]
    pub signatures: Signatures,
    /// Upper limits.
    #[serde(default)]
    pub limits: Limits,
}

/// What becomes of a token that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Forward {
    /// It stays where it is, for the services behind; a query parameter is taken out all the same.
    #[default]
    Keep,
    /// It is taken out.
    Strip,
    /// It is moved to `Authorization: Bearer`.
    Authorization,
}

/// Who checks signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Signatures {
    /// Envoy's BoringSSL for ECDSA and RSA PKCS#1 where Envoy offers it, the filter itself for all else.
    #[default]
    Host,
    /// The filter itself, always.
    Module,
}

/// A place for tokens: exactly one of the three.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Place {
    /// A request header of this name.
    pub header: Option<String>,
    /// What stands before the token in that header, such as `Bearer`; default: nothing.
    pub scheme: Option<String>,
    /// A cookie of this name.
    pub cookie: Option<String>,
    /// A query parameter of this name; taken out before the upstream sees the path.
    pub query: Option<String>,
}

/// Upper limits, per worker of an Envoy.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of a token; default 16384, 256 to 65536.
    pub token_bytes: Option<u64>,
    /// Objects and arrays within each other in a token's header and claims, themselves included; default 16, 1 to 64.
    pub token_depth: Option<u64>,
    /// Bytes of a key set's document, and of a discovery document; default 65536, 1024 to 1048576.
    pub jwks_bytes: Option<u64>,
    /// Keys in a key set, those that cannot be used too; default 100, 1 to 1000.
    pub jwks_keys: Option<u64>,
    /// Remembered tokens; default 10000, 0 (none) to 1000000.
    pub cached_tokens: Option<u64>,
    /// Bytes that remembered tokens may take; default 16777216, 0 to 268435456.
    pub cached_bytes: Option<u64>,
    /// Revocations of one provider; default 100000, 1 to 1000000. With more, its tokens are refused.
    pub revocations: Option<u64>,
    /// Requests that wait for a key set at a time; default 1000, 0 to 100000. Those beyond are refused at once.
    pub parked_requests: Option<u64>,
}

/// An issuer.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Provider {
    /// Its label in metrics, and how rules name it: lower-case letters, digits and hyphens. May be left out where
    /// there is one provider, which is then `default`.
    pub name: Option<String>,
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// One of these must be in `aud`. Either this or `anyAudience`.
    pub audiences: Option<Vec<String>>,
    /// True: `aud` is not compared. A token for another service is then taken as one for this.
    #[serde(default)]
    pub any_audience: bool,
    /// Which `sub`s it may speak for; default all.
    pub subjects: Option<Subjects>,
    /// Allowed algorithms: ES256, ES384, RS256, RS384, RS512, PS256, EdDSA.
    pub algorithms: Vec<String>,
    /// Allowed values of `typ`; default `at+jwt` and `JWT`.
    pub types: Option<Vec<String>>,
    /// False: a token without `typ` is taken too. Default true.
    pub needs_type: Option<bool>,
    /// By how much clocks may differ; default 60, 0 to 300.
    pub leeway_seconds: Option<u64>,
    /// The longest time from `iat` to `exp`; default: no limit. With it `iat` is required.
    pub max_lifetime_seconds: Option<u64>,
    /// What every token must say.
    #[serde(default)]
    pub required_claims: Vec<Condition>,
    /// The claim with the scopes, a text or an array of texts; default `scope`.
    pub scope_claim: Option<String>,
    /// The request headers that tell the service who calls; default `x-jwt-sub`, `x-jwt-scope`, `x-jwt-iss`,
    /// `x-jwt-exp` and `x-jwt-jti`. A client's own copies are removed. At most 32.
    pub claim_headers: Option<Vec<ClaimHeader>>,
    /// Its keys.
    pub jwks: Jwks,
    /// Its revocations; default: none are asked for.
    pub revocations: Option<RevocationFeed>,
}

/// Subjects.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Subjects {
    /// These.
    #[serde(default)]
    pub exact: Vec<String>,
    /// And all that begin so.
    #[serde(default)]
    pub prefixes: Vec<String>,
}

/// What a claim must be: there, unless `equals` or `contains` says more.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Condition {
    /// A claim by its exact name, dots and all. Either this or `pointer`.
    pub claim: Option<String>,
    /// A claim by JSON pointer (RFC 6901), such as `/realm_access/roles`.
    pub pointer: Option<String>,
    /// It must equal this value.
    #[serde(default, deserialize_with = "given")]
    pub equals: Option<Value>,
    /// It must be an array with this member, or a text with this word between spaces.
    #[serde(default, deserialize_with = "given")]
    pub contains: Option<Value>,
}

/// A value that is given, be it null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    json::Seed { depth: json::MAX_DEPTH }.deserialize(deserializer).map(Some)
}

/// A header that tells of a claim.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimHeader {
    /// Its name.
    pub header: String,
    /// A claim by its exact name. One of `claim`, `pointer` and `payload`.
    pub claim: Option<String>,
    /// A claim by JSON pointer. Arrays of texts are joined by commas, objects are compact JSON.
    pub pointer: Option<String>,
    /// True: the whole payload in base64url.
    #[serde(default)]
    pub payload: bool,
    /// A longer value is left out; default 1024 (payload: 8192), 1 to 16384.
    pub max_bytes: Option<u64>,
}

/// Keys: exactly one of the three.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Jwks {
    /// A JWKS document (RFC 7517) as text.
    pub inline: Option<String>,
    /// Where to fetch the JWKS.
    pub remote: Option<RemoteJwks>,
    /// Where to fetch the document of OpenID Connect Discovery that names the JWKS, from the same cluster.
    pub discovery: Option<RemoteJwks>,
}

/// Where to fetch keys.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RemoteJwks {
    /// Envoy's name of the cluster, such as `outbound|443||idp.example.com`.
    pub cluster: String,
    /// The request's `:authority`.
    pub authority: String,
    /// The request's path; for `discovery` by default `/.well-known/openid-configuration`.
    pub path: Option<String>,
    /// How long an answer may take; default 2000, 1 to 30000.
    pub timeout_ms: Option<u64>,
    /// How old a set may get before it is fetched again, where its `Cache-Control` does not say less; default 300,
    /// 1 to 86400.
    pub refresh_seconds: Option<u64>,
    /// How old a set may get before its keys no longer count; default 86400, 60 to 2592000.
    pub stale_seconds: Option<u64>,
    /// One fetch because of unknown `kid`s in this time, two at once at most; default 10, 1 to 3600.
    pub min_refetch_seconds: Option<u64>,
}

/// Where to fetch revocations.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RevocationFeed {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// The request's `:authority`.
    pub authority: String,
    /// The request's path; `?after=CURSOR` is put behind it.
    pub path: String,
    /// How long an answer may take; default 2000, 1 to 30000.
    pub timeout_ms: Option<u64>,
    /// How often it is asked; default 1000, 1000 to 60000.
    pub interval_ms: Option<u64>,
    /// How long the last answer counts; default 900, 5 to 86400.
    pub stale_seconds: Option<u64>,
    /// What happens to tokens after that; default `refuse`.
    #[serde(default)]
    pub when_stale: WhenStale,
}

/// What happens to tokens whose revocation cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum WhenStale {
    /// 503: nothing passes.
    #[default]
    Refuse,
    /// They pass, by what was known last.
    Pass,
}

/// What some requests need.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// Which requests.
    pub r#match: Match,
    /// True: they need nothing, and credentials are not looked at.
    #[serde(default)]
    pub public: bool,
    /// True: they need nothing, but a token that is sent must hold.
    #[serde(default)]
    pub optional: bool,
    /// The names of the providers whose tokens are taken; default all.
    pub providers: Option<Vec<String>>,
    /// The token needs all of these scopes.
    pub scopes: Option<Vec<String>>,
    /// The token needs one of these scopes.
    pub any_scopes: Option<Vec<String>>,
    /// The token needs all of these claims.
    pub claims: Option<Vec<Condition>>,
    /// True: the rule counts what it would refuse (`verdict="would_deny"`), and lets it pass without identity.
    #[serde(default)]
    pub dry_run: bool,
}
