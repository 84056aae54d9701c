//! The tree of a body, for those who go on to use it.

use std::borrow::Cow;

use super::keys::Name;
use super::text::{Text, unescape};
use super::{Scalar, Value, Visitor};

/// Puts a tree together.
#[derive(Debug, Default)]
pub(super) struct Builder<'a> {
    open: Vec<Open<'a>>,
    whole: Option<Value<'a>>,
}

#[derive(Debug)]
enum Open<'a> {
    Array(Vec<Value<'a>>),
    /// The members, and the key of the one that comes next.
    Object(Vec<(Cow<'a, str>, Value<'a>)>, Cow<'a, str>),
}

impl<'a> Builder<'a> {
    pub(super) fn into_value(self) -> Value<'a> {
        self.whole.unwrap_or(Value::Null)
    }

    fn add(&mut self, value: Value<'a>) {
        match self.open.last_mut() {
            None => self.whole = Some(value),
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Object(members, key)) => members.push((std::mem::take(key), value)),
        }
    }
}

fn said(text: Text<'_>) -> Cow<'_, str> {
    if text.is_escaped {
        let mut said = String::with_capacity(text.raw.len());
        unescape(text.raw, &mut said);
        Cow::Owned(said)
    } else {
        Cow::Borrowed(text.raw)
    }
}

impl<'a> Visitor<'a> for Builder<'a> {
    fn begin(&mut self, is_array: bool, _at: usize) {
        self.open.push(if is_array {
            Open::Array(Vec::new())
        } else {
            Open::Object(Vec::new(), Cow::Borrowed(""))
        });
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Array(items)) => self.add(Value::Array(items)),
            Some(Open::Object(members, _)) => self.add(Value::Object(members)),
            None => {}
        }
    }

    fn key(&mut self, _name: Name<'_>, key: Text<'a>) {
        if let Some(Open::Object(_, next)) = self.open.last_mut() {
            *next = said(key);
        }
    }

    fn scalar(&mut self, scalar: Scalar<'a>, _at: usize) {
        self.add(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(bool) => Value::Bool(bool),
            Scalar::Number(number) => Value::Number(number),
            Scalar::String(text) => Value::String(said(text)),
        });
    }
}
