//! The plugin's configuration: refused as a whole, with the field's path, or right for good.

use std::time::Duration;

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::rules::{self, Rule};

const DEFAULT_LEEWAY_SECONDS: u64 = 60;
/// A clock that is further off than this is to be repaired, not tolerated.
const MAX_LEEWAY_SECONDS: u64 = 300;
const DEFAULT_TIMEOUT_MS: u64 = 2_000;
const MAX_TIMEOUT_MS: u64 = 30_000;
const DEFAULT_REFRESH_SECONDS: u64 = 300;
const MAX_REFRESH_SECONDS: u64 = 86_400;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    realm: String,
    providers: Vec<Provider>,
    rules: Vec<Rule>,
}

/// A configuration error: where, and what.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    path: String,
    message: String,
}

impl ConfigError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// An issuer whose tokens are taken.
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    types: Vec<String>,
    leeway_seconds: u64,
    jwks: RemoteJwks,
}

/// Where a provider's keys are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// The request's `:authority`.
    pub authority: String,
    /// The request's `:path`.
    pub path: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How old a set may get before it is fetched again.
    pub refresh: Duration,
}

impl Config {
    /// Parses and checks a plugin configuration.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let raw: RawConfig = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| ConfigError::new(error.path().to_string(), error.inner().to_string()))?;
        deserializer.end().map_err(|error| ConfigError::new(".", error.to_string()))?;
        raw.check()
    }

    /// The realm of challenges.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// All issuers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The rules in their order; the first that matches counts.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

impl Provider {
    /// The exact `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// One of these must be in `aud`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The allowed algorithms.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The allowed values of `typ`.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// By how much our clock and the issuer's may differ.
    pub fn leeway_seconds(&self) -> u64 {
        self.leeway_seconds
    }

    /// Where the keys are.
    pub fn jwks(&self) -> &RemoteJwks {
        &self.jwks
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawConfig {
    realm: String,
    providers: Vec<RawProvider>,
    #[serde(default)]
    rules: Vec<rules::RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawProvider {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<String>,
    types: Vec<String>,
    leeway_seconds: Option<u64>,
    jwks: RawJwks,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawJwks {
    remote: RawRemote,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawRemote {
    cluster: String,
    authority: String,
    path: String,
    timeout_ms: Option<u64>,
    refresh_seconds: Option<u64>,
}

impl RawConfig {
    fn check(self) -> Result<Config, ConfigError> {
        // The realm stands between quotes in a header.
        let sound =
            self.realm.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\');
        if self.realm.is_empty() || !sound {
            return Err(ConfigError::new("realm", "must be printable ASCII without quote and backslash"));
        }
        if self.providers.is_empty() {
            return Err(ConfigError::new("providers", "must not be empty"));
        }
        let mut providers: Vec<Provider> = Vec::with_capacity(self.providers.len());
        for (index, raw) in self.providers.into_iter().enumerate() {
            let path = format!("providers[{index}]");
            let provider = raw.check(&path)?;
            if providers.iter().any(|known| known.issuer == provider.issuer) {
                return Err(ConfigError::new(format!("{path}.issuer"), "is that of another provider"));
            }
            providers.push(provider);
        }
        let rules = self.rules.into_iter().enumerate();
        let rules =
            rules.map(|(index, raw)| raw.check(&format!("rules[{index}]"))).collect::<Result<_, _>>()?;
        Ok(Config { realm: self.realm, providers, rules })
    }
}

impl RawProvider {
    fn check(self, path: &str) -> Result<Provider, ConfigError> {
        // The issuer goes into a request header.
        if self.issuer.is_empty() || !self.issuer.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new(format!("{path}.issuer"), "must be visible ASCII"));
        }
        for (name, list) in
            [("audiences", &self.audiences), ("algorithms", &self.algorithms), ("types", &self.types)]
        {
            if list.is_empty() || list.iter().any(String::is_empty) {
                return Err(ConfigError::new(
                    format!("{path}.{name}"),
                    "must not be empty or hold empty text",
                ));
            }
        }
        let algorithms = self.algorithms.iter().enumerate().map(|(index, name)| {
            let field = format!("{path}.algorithms[{index}]");
            Algorithm::from_name(name).ok_or_else(|| ConfigError::new(field, "must be ES256 or EdDSA"))
        });
        let algorithms = algorithms.collect::<Result<_, _>>()?;
        let leeway_seconds = within(self.leeway_seconds, DEFAULT_LEEWAY_SECONDS, 0, MAX_LEEWAY_SECONDS)
            .map_err(|message| ConfigError::new(format!("{path}.leewaySeconds"), message))?;
        let jwks = self.jwks.remote.check(&format!("{path}.jwks.remote"))?;
        let Self { issuer, audiences, types, .. } = self;
        Ok(Provider { issuer, audiences, algorithms, types, leeway_seconds, jwks })
    }
}

impl RawRemote {
    fn check(self, path: &str) -> Result<RemoteJwks, ConfigError> {
        // An empty pseudo-header would make every fetch fail, and only at run time.
        for (name, value) in
            [("cluster", &self.cluster), ("authority", &self.authority), ("path", &self.path)]
        {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(ConfigError::new(format!("{path}.{name}"), "must be visible ASCII"));
            }
        }
        if !self.path.starts_with('/') {
            return Err(ConfigError::new(format!("{path}.path"), "must begin with /"));
        }
        let timeout = within(self.timeout_ms, DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS)
            .map_err(|message| ConfigError::new(format!("{path}.timeoutMs"), message))?;
        let refresh = within(self.refresh_seconds, DEFAULT_REFRESH_SECONDS, 1, MAX_REFRESH_SECONDS)
            .map_err(|message| ConfigError::new(format!("{path}.refreshSeconds"), message))?;
        Ok(RemoteJwks {
            cluster: self.cluster,
            authority: self.authority,
            path: self.path,
            timeout: Duration::from_millis(timeout),
            refresh: Duration::from_secs(refresh),
        })
    }
}

fn within(value: Option<u64>, default: u64, min: u64, max: u64) -> Result<u64, String> {
    let value = value.unwrap_or(default);
    if (min..=max).contains(&value) { Ok(value) } else { Err(format!("must be {min} to {max}")) }
}
