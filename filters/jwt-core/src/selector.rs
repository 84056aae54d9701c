//! Which claim is meant, and what it must be.

use serde_json::{Map, Value};

/// A claim: a member of the payload by its exact name, or a value further down by JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<String>);

impl Selector {
    /// The member of this very name; dots and slashes in it mean nothing.
    pub fn name(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// RFC 6901, of at least one segment.
    pub fn pointer(pointer: &str) -> Option<Self> {
        let segments = pointer.strip_prefix('/')?.split('/');
        let escapes_are_sound = |segment: &str| {
            segment.split('~').skip(1).all(|rest| rest.starts_with('0') || rest.starts_with('1'))
        };
        segments
            .map(|segment| escapes_are_sound(segment).then(|| segment.replace("~1", "/").replace("~0", "~")))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The value in these claims.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, segment| match value {
            Value::Object(members) => members.get(segment),
            Value::Array(items) => items.get(index(segment)?),
            _ => None,
        })
    }
}

/// RFC 6901 section 4: digits without a leading zero.
fn index(segment: &str) -> Option<usize> {
    let canonical = segment == "0" || !segment.starts_with(['0', '+']);
    canonical.then(|| segment.parse().ok()).flatten()
}

/// What a claim must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Which one.
    pub claim: Selector,
    /// What.
    pub test: Test,
}

/// How a claim is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is there, and not null.
    Present,
    /// It equals this value.
    Equals(Value),
    /// It is an array with this member, or a text with this word between spaces.
    Contains(Value),
}

impl Condition {
    /// Whether these claims meet it.
    pub fn holds(&self, claims: &Map<String, Value>) -> bool {
        let Some(value) = self.claim.find(claims) else { return false };
        match (&self.test, value) {
            (Test::Present, value) => !value.is_null(),
            (Test::Equals(wanted), value) => value == wanted,
            (Test::Contains(wanted), Value::Array(items)) => items.contains(wanted),
            (Test::Contains(Value::String(wanted)), Value::String(words)) => {
                words.split(' ').any(|word| word == wanted)
            }
            (Test::Contains(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Map, Value, json};

    use super::*;

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "a.b": {"c": ["x", "y"], "d/e~f": true},
            "a": {"b": 1},
            "words": "one two",
            "nothing": null,
        });
        claims.as_object().cloned().unwrap()
    }

    #[rstest]
    #[case::dotted(Selector::name("a.b"), Some(json!({"c": ["x", "y"], "d/e~f": true})))]
    #[case::slash_in_a_name(Selector::name("/a"), None)]
    #[case::nested(Selector::pointer("/a/b").unwrap(), Some(json!(1)))]
    #[case::item(Selector::pointer("/a.b/c/1").unwrap(), Some(json!("y")))]
    #[case::leading_zero(Selector::pointer("/a.b/c/01").unwrap(), None)]
    #[case::sign(Selector::pointer("/a.b/c/+1").unwrap(), None)]
    #[case::escapes(Selector::pointer("/a.b/d~1e~0f").unwrap(), Some(json!(true)))]
    #[case::below_a_number(Selector::pointer("/a/b/c").unwrap(), None)]
    fn finds(#[case] selector: Selector, #[case] expected: Option<Value>) {
        assert_eq!(selector.find(&claims()).cloned(), expected);
    }

    #[rstest]
    #[case("")]
    #[case("a")]
    #[case("/a~2")]
    #[case("/a~")]
    fn refuses_what_is_no_pointer(#[case] pointer: &str) {
        assert_eq!(Selector::pointer(pointer), None);
    }

    #[rstest]
    #[case::there(Selector::name("words"), Test::Present, true)]
    #[case::null(Selector::name("nothing"), Test::Present, false)]
    #[case::absent(Selector::name("other"), Test::Present, false)]
    #[case::equal(Selector::pointer("/a/b").unwrap(), Test::Equals(json!(1)), true)]
    #[case::other_kind(Selector::pointer("/a/b").unwrap(), Test::Equals(json!("1")), false)]
    #[case::member(Selector::pointer("/a.b/c").unwrap(), Test::Contains(json!("x")), true)]
    #[case::no_member(Selector::pointer("/a.b/c").unwrap(), Test::Contains(json!("z")), false)]
    #[case::word(Selector::name("words"), Test::Contains(json!("two")), true)]
    #[case::part_of_a_word(Selector::name("words"), Test::Contains(json!("tw")), false)]
    #[case::in_an_object(Selector::name("a"), Test::Contains(json!("b")), false)]
    fn compares(#[case] claim: Selector, #[case] test: Test, #[case] expected: bool) {
        assert_eq!(Condition { claim, test }.holds(&claims()), expected);
    }
}
