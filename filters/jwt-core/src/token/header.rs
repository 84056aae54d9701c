//! A token's header: three members that count, some that nobody may send, and others that are read over.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Map;

use crate::json;

/// Header members that would make the token choose its own key, or change how it is to be read.
const REFUSED_MEMBERS: [&str; 9] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "enc", "zip"];

/// What counts of a JOSE header (RFC 7515 section 4.1).
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) alg: Option<String>,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl Header {
    /// Reads a JSON object as strictly as [`json::object`] does. Nothing if it is none, if it has a refused member, or
    /// one that counts and is no text.
    pub(super) fn parse(text: &[u8], depth: usize) -> Option<Self> {
        let members = Members { within: json::Seed { depth: depth.checked_sub(1)? } };
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let header = deserializer.deserialize_map(members).ok()?;
        deserializer.end().ok()?;
        Some(header)
    }
}

struct Members {
    within: json::Seed,
}

impl<'de> Visitor<'de> for Members {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut others = Map::new();
        while let Some(name) = members.next_key()? {
            let member = match name {
                Name::Alg => &mut header.alg,
                Name::Kid => &mut header.kid,
                Name::Typ => &mut header.typ,
                Name::Other(name) => {
                    if REFUSED_MEMBERS.contains(&name.as_str()) {
                        return Err(A::Error::custom("refused"));
                    }
                    let value = members.next_value_seed(self.within)?;
                    if others.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate key"));
                    }
                    continue;
                }
            };
            if member.replace(members.next_value()?).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(header)
    }
}

/// A member's name, which is only kept where it may come again unnoticed.
enum Name {
    Alg,
    Kid,
    Typ,
    Other(String),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "alg" => Name::Alg,
                    "kid" => Name::Kid,
                    "typ" => Name::Typ,
                    name => Name::Other(name.to_owned()),
                })
            }
        }

        deserializer.deserialize_identifier(Text)
    }
}
