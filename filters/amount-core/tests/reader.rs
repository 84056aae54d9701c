//! The reader: what it takes, what it refuses, and that no body is dear to it.

mod common;

use std::fmt;

use amount_core::Scratch;
use amount_core::json::{self, Value};
use common::{config, faults, outcome, rule};
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::json;

/// A value that keeps doubled keys, as serde_json reads it.
#[derive(Debug)]
enum Naive {
    Scalar,
    Array(Vec<Naive>),
    Object(Vec<(String, Naive)>),
}

impl Naive {
    fn has_double(&self) -> bool {
        match self {
            Self::Scalar => false,
            Self::Array(items) => items.iter().any(Self::has_double),
            Self::Object(members) => {
                let mut names: Vec<_> = members.iter().map(|(name, _)| name).collect();
                names.sort();
                names.dedup();
                names.len() < members.len() || members.iter().any(|(_, value)| value.has_double())
            }
        }
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Naive;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Naive, E> {
        Ok(Naive::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Naive, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Naive::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Naive, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = members.next_entry()? {
            all.push(member);
        }
        Ok(Naive::Object(all))
    }
}

impl<'de> Deserialize<'de> for Naive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

/// Pieces of JSON in any order: nearly right more often than letters would be.
fn pieces() -> impl Strategy<Value = String> {
    let piece = select(
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"\\u0061\"",
            "\"b\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "1",
            "-0",
            "1.5e3",
            "01",
            "1e400",
            "true",
            "null",
            " ",
            "\n",
            "\"",
            "\\",
            "{\"a\":1}",
            "[1]",
            "\"ü\"",
            "\u{1}",
            "\"k\":",
            "\"a\":[{",
            "}]",
        ][..],
    );
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Objects in objects, whose keys come twice now and then.
fn nested() -> impl Strategy<Value = String> {
    let key = select(
        &[
            "a",
            "\\u0061",
            "b",
            "abcdefgh",
            "abcdefghi",
            "abcdefgh\\u0069",
            "abcdefghj",
            "\\u0061bcdefgh",
            "",
            "\\n",
        ][..],
    );
    let leaf = select(&["1", "\"x\"", "null", "1.5"][..]).prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The judge's reader and the tree's take what serde_json takes, where no key is doubled.
    #[test]
    fn it_takes_what_another_reader_takes(text in prop_oneof![pieces(), nested()]) {
        let naive = serde_json::from_str::<Naive>(&text);
        let expected = naive.as_ref().is_ok_and(|value| !value.has_double());
        let read = json::parse(text.as_bytes());
        prop_assert_eq!(read.is_ok(), expected, "{} {:?}", text, read.err());
        let judged = config(&[rule(json!({"unknownFields": "allow"}))]);
        let is_malformed = faults(&outcome(&judged, &text)).starts_with("400");
        prop_assert_eq!(is_malformed, !expected, "{}", text);
    }

    /// One key twice among many, wherever it is and however it is spelled.
    #[test]
    fn one_double_among_many(count in 2..60_usize, from in any::<usize>(), to in any::<usize>(), is_escaped: bool, is_doubled: bool) {
        let (from, to) = (from % count, to % count);
        prop_assume!(from != to);
        let mut keys: Vec<_> = (0..count).map(|index| format!("a rather long key {index}")).collect();
        if is_doubled {
            keys[to] = keys[from].clone();
        }
        if is_escaped {
            keys[to] = format!("\\u0061{}", &keys[to][1..]);
        }
        let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\":0")).collect();
        let body = format!("{{{}}}", members.join(","));
        prop_assert_eq!(json::parse(body.as_bytes()).map(|_| ()).map_err(|fault| fault.code.as_str()),
            if is_doubled { Err("duplicate_key") } else { Ok(()) });
    }

    /// What a string says is what serde_json reads.
    #[test]
    fn strings_say_the_same(text in "([a-z\u{e4}\u{1f600}]|\\\\u00[46][0-9a-f]|\\\\n|\\\\\"|\\\\ud83d\\\\ude0[0-9a-f]){0,20}") {
        let body = format!("\"{text}\"");
        let expected: String = serde_json::from_str(&body).expect("JSON");
        let tree = json::parse(body.as_bytes()).expect("JSON");
        prop_assert_eq!(tree.as_str(), Some(expected.as_str()));
    }
}

#[rstest]
#[case(r#"{"a":"#, "Not acceptable JSON at byte 5: a value was expected.")]
#[case(r#"{"a" 1}"#, "Not acceptable JSON at byte 5: ':' was expected.")]
#[case("{,}", "Not acceptable JSON at byte 1: a key was expected.")]
#[case("[1 2]", "Not acceptable JSON at byte 3: ',' or ']' was expected.")]
#[case(r#"{"a":1]"#, "Not acceptable JSON at byte 6: ',' or '}' was expected.")]
#[case("1.", "Not acceptable JSON at byte 2: a digit was expected.")]
#[case("\"a\nb\"", "Not acceptable JSON at byte 2: a control character must be escaped.")]
#[case("\"a", "Not acceptable JSON at byte 2: a closing quote was expected.")]
#[case(r#""\x""#, "Not acceptable JSON at byte 3: an escape of RFC 8259 was expected.")]
#[case(r#""\u00g0""#, "Not acceptable JSON at byte 3: four hexadecimal digits were expected.")]
#[case(r#""\udc00""#, "Not acceptable JSON at byte 7: a surrogate pair was expected.")]
#[case("1 1", "Not acceptable JSON at byte 2: the end was expected.")]
#[case(r#"{"a":1,"a":2}"#, "Not acceptable JSON at byte 10: a key must come once.")]
#[case("[1e400]", "Not acceptable JSON at byte 1: a number that a double can hold was expected.")]
#[case("\u{feff}1", "The body must begin without a byte order mark.")]
#[case(" ", "There must be a body.")]
fn a_sentence_says_where(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(json::parse(body.as_bytes()).expect_err("refused").detail, expected);
}

#[test]
fn depth_is_counted_and_not_recursed() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(json::parse(nested(64).as_bytes()).is_ok());
    assert_eq!(
        json::parse(nested(65).as_bytes()).expect_err("refused").detail,
        "Not acceptable JSON at byte 64: at most 64 levels may be nested."
    );
    assert_eq!(json::parse("[".repeat(1_000_000).as_bytes()).expect_err("refused").code.as_str(), "too_deep");
    let judged = |body: &str| {
        outcome(&config(&[rule(json!({"unknownFields": "allow", "maxDepth": 2}))]), body)
            .faults
            .remove(0)
            .detail
    };
    assert_eq!(judged(r#"{"x":[[]]}"#), "Not acceptable JSON at byte 6: at most 2 levels may be nested.");
}

#[test]
fn a_body_s_depth_is_not_that_of_the_one_before() {
    let rules = [("a", 2), ("b", 9)]
        .map(|(name, depth)| rule(json!({"name": name, "unknownFields": "allow", "maxDepth": depth})));
    let config = config(&rules);
    let guard = common::guard(&config, "/pay");
    let mut scratch = Scratch::default();
    for (body, is_refused) in [(r#"{"x":[[]],"amount":1}"#, true), (r#"{"x":[],"amount":1}"#, false)] {
        assert_eq!(config.judge(guard, body.as_bytes(), &mut scratch).is_refused(), is_refused);
    }
}

#[test]
fn values_are_found_by_pointer() {
    let body = br#"{"a/b":[{"~":1},2],"0":"x"}"#;
    let tree = json::parse(body).expect("JSON");
    assert_eq!(tree.pointer("/a~1b/0/~0"), Some(&Value::Number("1")));
    assert_eq!(tree.pointer("/a~1b/1"), Some(&Value::Number("2")));
    assert_eq!(tree.pointer("/0").and_then(Value::as_str), Some("x"));
    assert_eq!(tree.pointer("/a~1b/01"), None);
    assert_eq!(tree.pointer(""), Some(&tree));
}
