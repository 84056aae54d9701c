//! Servers of a simple model: whatever one of them reads, the readings hold.

use proptest::prelude::*;
use route::{Match, PathPattern, Readings};

const GUARDED: &str = "/checkout";

fn might_be_guarded(target: &str) -> bool {
    let path = PathPattern::Exact(GUARDED.to_owned());
    let rule = Match { hosts: Vec::new(), methods: Vec::new(), path };
    rule.might_match_any_method(None, &Readings::new(target.as_bytes()))
}

/// What one server, or one of a chain of them, does with the text. Written for ASCII and for clarity.
#[derive(Debug, Clone, Copy)]
enum Step {
    Decode,
    Merge,
    Dots,
    Query,
    Parameters,
    Trim,
    Host,
}

fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii) {
            Some(byte) => decoded = decoded + &char::from(byte).to_string() + &part[2..],
            None => decoded = decoded + "%" + part,
        }
    }
    decoded
}

fn dots(text: &str) -> String {
    let mut path: Vec<&str> = Vec::new();
    for segment in text.strip_prefix('/').unwrap_or(text).split('/') {
        match segment {
            "." => {}
            ".." => drop(path.pop()),
            _ => path.push(segment),
        }
    }
    path.iter().fold(String::new(), |path, segment| path + "/" + segment)
}

impl Step {
    fn of(self, text: &str) -> String {
        match self {
            Self::Decode => decode(text),
            Self::Merge => {
                let kept = text.split('/').filter(|segment| !segment.is_empty());
                kept.fold(String::new(), |path, segment| path + "/" + segment)
            }
            Self::Dots => dots(text),
            Self::Query => text.split('?').next().unwrap_or_default().to_owned(),
            Self::Parameters => {
                let names = text.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
                names.collect::<Vec<_>>().join("/")
            }
            Self::Trim => text.trim_end().to_owned(),
            Self::Host => match text.strip_prefix("//") {
                Some(rest) => rest.find(['/', '?']).map_or(String::new(), |path| rest[path..].to_owned()),
                None => text.to_owned(),
            },
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Decode),
        2 => Just(Step::Merge),
        2 => Just(Step::Dots),
        1 => Just(Step::Query),
        1 => Just(Step::Parameters),
        1 => Just(Step::Trim),
        1 => Just(Step::Host),
    ];
    prop::collection::vec(step, 1..7)
}

fn pieces() -> impl Strategy<Value = Vec<&'static str>> {
    let piece = prop::sample::select(vec![
        "/checkout",
        "/%63heckout",
        "/%2563heckout",
        "/check%6fut",
        "%2fcheckout",
        "/x/..",
        "/%2e%2e",
        "/..",
        "/.",
        "/",
        "//",
        "//x",
        "/x%2fy",
        "%2f",
        "%252f",
        "%5c..",
        ";a",
        ";",
        "?",
        "%3f",
        "%20",
        "%0a",
        "/a",
        "%",
    ]);
    prop::collection::vec(piece, 1..6)
}

/// A way to write the same so that one server more has something to undo.
fn disguise(target: &str, how: usize, at: usize) -> String {
    let at = 1 + at % target.len();
    let (start, end) = target.split_at(at);
    let last = start.chars().last().unwrap_or_default();
    match how {
        0 | 1 => format!("{}%{:02x}{end}", &start[..at - 1], u32::from(last)),
        2 => format!("/{target}"),
        3 => format!("/x/..{target}"),
        4 => format!("/.{target}"),
        5 => format!("//host{target}"),
        6 => format!("{target};a"),
        7 => format!("{target}%20"),
        8 => format!("{target}?a"),
        9 => format!("{target}%00a"),
        10 => format!("{}{end}", start.replace('/', "\\")),
        _ => format!("{}%u{:04x}{end}", &start[..at - 1], u32::from(last)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any target, any order of steps: at no time is it the guarded path unseen.
    #[test]
    fn no_server_of_the_model_is_fooled(pieces in pieces(), steps in steps()) {
        let target = pieces.concat();
        let target = if target.starts_with('/') { target } else { "/".to_owned() + &target };
        // No server takes what came as the query for the path.
        let mut text = Step::Query.of(&target);
        for step in steps {
            text = step.of(&text);
            if text == GUARDED {
                prop_assert!(might_be_guarded(&target), "{target}");
            }
        }
    }

    /// The guarded path, disguised: a server that undoes it all in reverse reads it.
    #[test]
    fn no_disguise_passes(layers in prop::collection::vec((0..12_usize, any::<usize>()), 0..6)) {
        let target = layers.iter().fold(GUARDED.to_owned(), |target, (how, at)| disguise(&target, *how, *at));
        prop_assert!(might_be_guarded(&target), "{target}");
    }

    /// What nobody could take for it is let through, whatever the bytes.
    #[test]
    fn others_pass(target in "(/[a-b]{1,3}){1,3}(%20|%2f|;a|\\\\|\\.|//)?(/[a-b]{1,3}){0,2}/?(\\?[a%2;]{0,8})?") {
        prop_assert!(!might_be_guarded(&target), "{target}");
    }

    /// Nothing ends the filter.
    #[test]
    fn any_bytes_are_read(target in prop::collection::vec(any::<u8>(), 0..200)) {
        Readings::new(&target).any(|_| false);
    }
}
