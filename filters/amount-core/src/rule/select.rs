//! Pointers with `*` for every item of an array.

use crate::json::{Value, escape};

/// An RFC 6901 pointer in which a token `*` stands for every index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    /// Reads it; `None` when it does not start with `/`.
    pub(super) fn new(text: &str) -> Option<Self> {
        Some(Self(text.strip_prefix('/')?.split('/').map(str::to_owned).collect()))
    }

    /// Whether this place is the pattern's own or on the way to it.
    pub(super) fn covers(&self, place: &[String]) -> bool {
        place.len() <= self.0.len() && place.iter().zip(&self.0).all(|(token, known)| token == known)
    }

    /// Every place that the pattern names, with what is there.
    pub(super) fn select<'v, 'a>(&self, body: &'v Value<'a>) -> Vec<(String, Option<&'v Value<'a>>)> {
        let mut places = vec![(String::new(), Some(body))];
        for token in &self.0 {
            places = places.into_iter().flat_map(|(pointer, value)| step(&pointer, value, token)).collect();
        }
        places
    }
}

fn step<'v, 'a>(
    pointer: &str,
    value: Option<&'v Value<'a>>,
    token: &str,
) -> Vec<(String, Option<&'v Value<'a>>)> {
    if token != "*" {
        let found = value.and_then(|value| value.pointer(&format!("/{token}")));
        return vec![(format!("{pointer}/{token}"), found)];
    }
    match value {
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| (format!("{pointer}/{index}"), Some(item))).collect()
        }
        // The array itself is missing or is none: its own rule says so.
        _ => Vec::new(),
    }
}

/// Every place in the body that no pattern covers.
pub(super) fn unknown(body: &Value<'_>, known: &[Pattern], limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    walk(body, known, &mut Vec::new(), &mut String::new(), &mut found, limit);
    found
}

fn walk(
    value: &Value<'_>,
    known: &[Pattern],
    place: &mut Vec<String>,
    pointer: &mut String,
    found: &mut Vec<String>,
    limit: usize,
) {
    let mut visit = |token: String, shown: &str, child: &Value<'_>| {
        if found.len() >= limit {
            return;
        }
        let before = pointer.len();
        place.push(token);
        pointer.push('/');
        pointer.push_str(shown);
        if known.iter().any(|pattern| pattern.covers(place)) {
            walk(child, known, place, pointer, found, limit);
        } else {
            // A key is the client's own text and might hold anything: only one that looks like a name is told.
            let told = if is_name(shown) { pointer.len() } else { before };
            found.push(pointer.get(..told).unwrap_or_default().to_owned());
        }
        pointer.truncate(before);
        place.pop();
    };
    match value {
        Value::Object(members) => {
            for (key, child) in members {
                let key = escape(key);
                visit(key.clone().into_owned(), &key, child);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                visit("*".to_owned(), &index.to_string(), child);
            }
        }
        _ => {}
    }
}

const NAME_LIMIT: usize = 64;

fn is_name(key: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    (1..=NAME_LIMIT).contains(&key.len()) && key.bytes().all(known)
}
