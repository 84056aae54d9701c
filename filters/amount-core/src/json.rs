//! A strict JSON reader (RFC 8259) for bodies that move money. It keeps numbers as the text that they are, and
//! refuses whatever two readers could read in two ways: doubled keys, lone surrogates, a byte order mark, numbers that
//! a double cannot hold.
//!
//! There is one reader. It tells a visitor what it meets: the judge, which keeps only what rules
//! ask for, and the builder of a tree for those who go on to use the body.

mod keys;
mod number;
pub(crate) mod reader;
mod text;
mod tree;
mod visitor;

use std::borrow::Cow;

pub(crate) use keys::{Keys, Name, first_word};
pub(crate) use text::{Text, unescape};
pub(crate) use visitor::{Scalar, Visitor};

use crate::fault::{Code, Fault};
use crate::money;

/// How deep arrays and objects may nest at most, whatever a rule says.
pub const DEPTH_LIMIT: usize = 64;

/// A JSON value that borrows from the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it stands in the body, for example `1e2`.
    Number(&'a str),
    /// A string without its escapes.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object in the body's order; no key comes twice.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Reads a whole body.
pub fn parse(body: &[u8]) -> Result<Value<'_>, Fault> {
    let text = utf8(body)?;
    let mut tree = tree::Builder::default();
    reader::read(text, DEPTH_LIMIT, &mut Keys::default(), &mut tree)?;
    Ok(tree.into_value())
}

/// The body as text.
pub(crate) fn utf8(body: &[u8]) -> Result<&str, Fault> {
    // Places in it are kept in 32 bits.
    if u32::try_from(body.len()).is_err() {
        return Err(Fault::whole(Code::TooLargeBody, "The body must be shorter than 4 GiB."));
    }
    str::from_utf8(body).map_err(|_| Fault::whole(Code::NotUtf8, "The body must be UTF-8."))
}

impl<'a> Value<'a> {
    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at an RFC 6901 pointer.
    pub fn pointer(&self, pointer: &str) -> Option<&Value<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, token| match value {
            Self::Array(items) if is_index(token) => items.get(token.parse::<usize>().ok()?),
            _ => value.get(&unescape_token(token)),
        })
    }

    /// A string's text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// An array's items.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// An integer of minor units: a JSON number without fraction, exponent or minus zero, within 2^53-1 either way
    /// (RFC 8259 section 6). The error is a code and a sentence.
    pub fn as_minor_units(&self) -> Result<i64, (Code, &'static str)> {
        match self {
            Self::Number(text) => money::minor_units(text),
            _ => Err((Code::NotANumber, "must be a JSON number")),
        }
    }
}

/// RFC 6901 section 4: no leading zero, no sign.
fn is_index(token: &str) -> bool {
    token == "0"
        || (!token.starts_with('0') && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unescape_token(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// A key as one token of an RFC 6901 pointer.
pub fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}
