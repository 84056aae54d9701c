//! JSON without duplicate keys: two parsers must not read two documents in one text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Arrays and objects within each other: in what issuers serve. No honest document comes near it.
pub(crate) const MAX_DEPTH: usize = 16;

/// The members of a JSON object that nests no deeper than this, or nothing if the text is anything else.
pub(crate) fn object(text: &[u8], depth: usize) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { depth }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Whether no number in a value was rounded because 64 bits do not hold it: many such numbers are read as one.
pub(crate) fn is_exact(value: &Value) -> bool {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Number(number) => {
            !number.is_f64() || number.as_f64().is_some_and(|value| value.abs() < BEYOND)
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Reads a value that nests no deeper than this.
#[derive(Clone, Copy)]
pub(crate) struct Seed {
    pub(crate) depth: usize,
}

impl Seed {
    fn within<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let within = self.within()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(within)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let within = self.within()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(within)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::MAX_DEPTH;

    fn object(text: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
        super::object(text, MAX_DEPTH)
    }

    #[rstest]
    #[case::duplicate(br#"{"a":1,"a":1}"#)]
    #[case::duplicate_by_escape(br#"{"a":1,"\u0061":1}"#)]
    #[case::duplicate_within(br#"{"a":[{"b":1,"b":2}]}"#)]
    #[case::trailing_data(b"{}{}")]
    #[case::byte_order_mark(b"\xef\xbb\xbf{}")]
    #[case::not_utf8(b"{\"a\":\"\xff\"}")]
    #[case::lone_surrogate(br#"{"a":"\ud800"}"#)]
    #[case::out_of_range(br#"{"a":1e400}"#)]
    #[case::array(b"[]")]
    #[case::empty(b"")]
    fn refuses(#[case] text: &[u8]) {
        assert!(object(text).is_none());
    }

    #[test]
    fn nests_so_deep_and_no_deeper() {
        let nested = |arrays: usize| format!("{{\"a\":{}{}}}", "[".repeat(arrays), "]".repeat(arrays));
        assert!(object(nested(15).as_bytes()).is_some());
        assert!(object(nested(16).as_bytes()).is_none());
    }

    #[test]
    fn keeps_every_kind_of_value() {
        let members = object(br#"{"a":[null,true,1,-1,1.5,"x",{}]}"#).unwrap();
        assert_eq!(serde_json::to_string(&members).unwrap(), r#"{"a":[null,true,1,-1,1.5,"x",{}]}"#);
    }
}
