//! How both filters read their `pluginConfig`: a fault is told with the place of the field, such as
//! `providers[0].issuer`.
//!
//! The usual crate for it doubles the code of every type that is read, which for a module that each Envoy compiles is
//! a tenth of its size. The parser knows where in the text it was; that place is looked up here.

// A panic here would end a worker's filter for good, so what can panic is refused beyond the workspace's lints.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod place;

use serde::de::DeserializeOwned;

/// A fault of a configuration: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    path: String,
    message: String,
}

impl ConfigError {
    /// A fault at this path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Reads a configuration of this type, and nothing behind it. Lists stand in fields of the first names alone: serde
/// takes one for an object too, its items for the fields in their order. No field may be null: to serde that is an
/// absent field, and `max:` with nothing behind it is no word for "no limit". Fields of the last names hold values of
/// any kind.
pub fn parse<T: DeserializeOwned>(
    text: &[u8],
    lists: &[&str],
    of_any_kind: &[&str],
) -> Result<T, ConfigError> {
    let parsed = serde_json::from_slice(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        // Where nothing of it is JSON it is mostly YAML, as the same configuration is in a manifest.
        let hint = if error.is_data() { "" } else { " (it must be JSON)" };
        ConfigError::new(place::of(text, error.line(), error.column()), [message, hint].concat())
    })?;
    match place::fault(text, lists, of_any_kind) {
        Some((place, message)) => Err(ConfigError::new(place, message)),
        None => Ok(parsed),
    }
}

/// What is wrong with an empty list or map: it might be meant as all or as nothing.
pub const NONE_NAMED: &str = "must name some, or be left out";

/// A list that may be left out, but not be empty where it is there. The path is where it stands.
pub fn named<T>(list: Option<Vec<T>>, path: impl Into<String>) -> Result<Vec<T>, ConfigError> {
    if list.as_ref().is_some_and(Vec::is_empty) {
        return Err(ConfigError::new(path, NONE_NAMED));
    }
    Ok(list.unwrap_or_default())
}
