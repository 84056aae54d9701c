//! The issuer's keys, each bound to one algorithm when it is read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::Limits;
use crate::json;
pub use crate::key::Key;

/// Members that only a private or symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a key of the document is not used: a label, so a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It has no `kid`, or not a text.
    Kid,
    /// Another key of the document has its `kid`.
    Duplicate,
    /// It shows private members: whoever reads the document can sign.
    Private,
    /// `kty`, `crv` or `alg` is unknown to us, or they contradict each other.
    Algorithm,
    /// `use` or `key_ops` say that it is not for signatures.
    Use,
    /// Its numbers are no key.
    Malformed,
    /// An RSA key that others may find the private part of, or sign for: less than 2048 bits, an exponent other than
    /// 65537, a modulus with small factors or from a broken generator.
    Weak,
    /// An RSA key of more than 4096 bits, which costs more time than a request may.
    TooLarge,
}

impl Dropped {
    /// The label's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kid => "kid",
            Self::Duplicate => "duplicate",
            Self::Private => "private",
            Self::Algorithm => "algorithm",
            Self::Use => "use",
            Self::Malformed => "malformed",
            Self::Weak => "weak",
            Self::TooLarge => "too_large",
        }
    }
}

/// A key set with at least one usable key.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: BTreeMap<String, Key>,
    dropped: Vec<Dropped>,
}

/// Why a document gives no key set; the last good set then stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not a JSON object with an array `keys`, it is too large, or it has too many keys.
    #[error("not a JSON Web Key Set")]
    NotASet,
    /// Every key was dropped.
    #[error("no usable key among {0:?}")]
    Empty(Vec<Dropped>),
}

impl KeySet {
    /// Reads a JWKS document. One bad key does not spoil the others.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Unusable> {
        if document.len() > limits.jwks_bytes {
            return Err(Unusable::NotASet);
        }
        let members = json::object(document, json::MAX_DEPTH).ok_or(Unusable::NotASet)?;
        let entries = members.get("keys").and_then(Value::as_array).ok_or(Unusable::NotASet)?;
        if entries.len() > limits.jwks_keys {
            return Err(Unusable::NotASet);
        }
        let mut keys = BTreeMap::new();
        let mut dropped = Vec::new();
        let mut repeated = Vec::new();
        for entry in entries {
            match key(entry) {
                Ok((kid, key)) => {
                    if keys.insert(kid.clone(), key).is_some() {
                        repeated.push(kid);
                    }
                }
                Err(reason) => dropped.push(reason),
            }
        }
        for kid in repeated {
            // Which of the two is meant nobody can tell, so neither is.
            keys.remove(&kid);
            dropped.push(Dropped::Duplicate);
        }
        if keys.is_empty() { Err(Unusable::Empty(dropped)) } else { Ok(Self { keys, dropped }) }
    }

    /// The key with exactly this `kid`.
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Why keys of the document are not in the set.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// How many keys the set has.
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}

fn key(entry: &Value) -> Result<(String, Key), Dropped> {
    let members = entry.as_object().ok_or(Dropped::Malformed)?;
    let kid = member(members, "kid")?.filter(|kid| !kid.is_empty()).ok_or(Dropped::Kid)?;
    if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
        return Err(Dropped::Private);
    }
    if member(members, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(Dropped::Use);
    }
    if let Some(operations) = members.get("key_ops") {
        let operations = operations.as_array().ok_or(Dropped::Malformed)?;
        if !operations.iter().any(|operation| operation == "verify") {
            return Err(Dropped::Use);
        }
    }
    Ok((kid.to_owned(), Key::from_jwk(members)?))
}

/// A member that is a text wherever it is there at all.
pub(crate) fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Dropped> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Dropped::Malformed),
    }
}
