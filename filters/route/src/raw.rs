//! A match as configurations have it: the source of their JSON Schemas.

use config::ConfigError;
use serde::Deserialize;

use crate::matches::Match as Checked;
use crate::path::{HostPattern, PathPattern, normal_path};

/// Which requests a rule is for: all that meet every condition.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Match {
    /// Hosts in lower case without port, `*.example.com` for all below it; default all.
    pub hosts: Option<Vec<String>>,
    /// Methods in capitals, without HEAD, which follows GET; default all.
    pub methods: Option<Vec<String>>,
    /// The path.
    pub path: Path,
}

/// A path: exactly one of the three.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Path {
    /// This path.
    pub exact: Option<String>,
    /// This path and all below it: `/payment` covers `/payment/1` and not `/payments`.
    pub prefix: Option<String>,
    /// `/order/{id}`: a segment in braces is any one segment.
    pub template: Option<String>,
}

impl Match {
    /// The checked match. The error's place begins with `path`, where this one stands.
    pub fn check(self, path: &str) -> Result<Checked, ConfigError> {
        let hosts = config::named(self.hosts, format!("{path}.hosts"))?.into_iter().enumerate().map(
            |(index, host)| {
                HostPattern::parse(&host).ok_or_else(|| {
                    let message = "must be a host in lower case without port, or *. and one";
                    ConfigError::new(format!("{path}.hosts[{index}]"), message)
                })
            },
        );
        let hosts = hosts.collect::<Result<_, _>>()?;
        if let Some(methods) = &self.methods {
            let sound =
                |method: &String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
            // HEAD is judged as GET, so a rule for it would never apply.
            if methods.is_empty()
                || !methods.iter().all(sound)
                || methods.iter().any(|method| method == "HEAD")
            {
                let message = "must hold methods in capitals, without HEAD, which follows GET";
                return Err(ConfigError::new(format!("{path}.methods"), message));
            }
        }
        Ok(Checked {
            hosts,
            methods: self.methods.unwrap_or_default(),
            path: self.path.check(&format!("{path}.path"))?,
        })
    }
}

/// What to write instead of other systems' wildcards.
const FOREIGN_WILDCARD: &str = "must hold no *, no segment that begins with a colon and no {name...}, which would be \
    taken by the letter: write {name} in a template for any one segment, or a prefix (without *) for all below a path";

/// `/pay/*`, `/pay/:id` or `/pay/{rest...}`: as a literal it would guard nothing that its author means.
fn has_foreign_wildcard(text: &str) -> bool {
    text.contains('*') || text.split('/').any(|segment| segment.starts_with(':') || segment.ends_with("...}"))
}

impl Path {
    /// The checked pattern. A rule for a path that no request can have would be a hole or dead.
    pub fn check(self, path: &str) -> Result<PathPattern, ConfigError> {
        for (field, text) in [("exact", &self.exact), ("prefix", &self.prefix), ("template", &self.template)]
        {
            if text.as_deref().is_some_and(has_foreign_wildcard) {
                return Err(ConfigError::new(format!("{path}.{field}"), FOREIGN_WILDCARD));
            }
        }
        let normal = |text: String, field: &str| {
            if normal_path(text.as_bytes()) == Some(text.as_str()) {
                Ok(text)
            } else {
                Err(ConfigError::new(format!("{path}.{field}"), "must be a path in normal form"))
            }
        };
        match (self.exact, self.prefix, self.template) {
            (Some(exact), None, None) => normal(exact, "exact").map(PathPattern::Exact),
            (None, Some(prefix), None) => normal(prefix, "prefix").map(PathPattern::Prefix),
            (None, None, Some(template)) => PathPattern::template(&template).ok_or_else(|| {
                let message = "must be a path in normal form with {names}";
                ConfigError::new(format!("{path}.template"), message)
            }),
            _ => Err(ConfigError::new(path, "must have exact, prefix or template, one of them")),
        }
    }
}
