//! A token's header: three members that count, some that nobody may send, and others that are read over.

use std::fmt;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Map;

use crate::algorithm::Algorithm;
use crate::json;
use crate::token::decode;
use crate::verdict::Reason;

const MAX_KID_BYTES: usize = 256;

/// Header members that would make the token choose its own key, or change how it is to be read.
const REFUSED_MEMBERS: [&str; 9] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "enc", "zip"];

/// What counts of a JOSE header (RFC 7515 section 4.1).
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl Header {
    /// Reads a token's first segment.
    fn read(text: &str, depth: usize) -> Result<Self, Reason> {
        let members = decode(text).and_then(|text| Texts::parse(&text, depth)).ok_or(Reason::Malformed)?;
        let name = members.alg.ok_or(Reason::Malformed)?;
        let algorithm = Algorithm::from_name(&name).ok_or(Reason::Algorithm)?;
        if members.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(Reason::Malformed);
        }
        Ok(Self { algorithm, kid: members.kid, typ: members.typ })
    }
}

/// The header that was read last: until its key changes an issuer begins all tokens with the same characters. For one
/// depth limit, and so one configuration, only.
#[derive(Debug, Default)]
pub struct LastHeader(Option<(Box<str>, Rc<Header>)>);

impl LastHeader {
    /// What a first segment says, read again only if it differs.
    pub(super) fn read(&mut self, text: &str, depth: usize) -> Result<Rc<Header>, Reason> {
        if let Some((known, header)) = &self.0
            && **known == *text
        {
            return Ok(Rc::clone(header));
        }
        let header = Rc::new(Header::read(text, depth)?);
        self.0 = Some((text.into(), Rc::clone(&header)));
        Ok(header)
    }
}

/// The members that count, not looked at yet.
#[derive(Default)]
struct Texts {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
}

impl Texts {
    /// Reads a JSON object as strictly as [`json::object`] does. Nothing if it is none, if it has a refused member, or
    /// one that counts and is no text.
    fn parse(text: &[u8], depth: usize) -> Option<Self> {
        let members = Members { within: json::Seed { depth: depth.checked_sub(1)? } };
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let texts = deserializer.deserialize_map(members).ok()?;
        deserializer.end().ok()?;
        Some(texts)
    }
}

struct Members {
    within: json::Seed,
}

impl<'de> Visitor<'de> for Members {
    type Value = Texts;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Texts, A::Error> {
        let mut texts = Texts::default();
        let mut others = Map::new();
        while let Some(name) = members.next_key()? {
            let member = match name {
                Name::Alg => &mut texts.alg,
                Name::Kid => &mut texts.kid,
                Name::Typ => &mut texts.typ,
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
        Ok(texts)
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
