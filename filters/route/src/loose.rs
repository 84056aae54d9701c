//! What a lenient server could read in a target that has no one reading: so that a rule which guards a route is not
//! passed by a spelling that its filter takes for another route and the server behind does not.
//!
//! Servers differ in what they decode, and how often, in what they take for a separator, and in whether they know
//! parameters. So a target has several readings, and whoever asks wants to know whether any of them is meant.
//!
//! Not among them: a path whose server drops a suffix such as `.json`, and a host by another of its names.

mod decode;
mod spellings;

use crate::path::{HostPattern, PathPattern, normal_host, normal_path, without_port};

/// All readings of a `:path`: without query, doubled slashes, dot segments and trailing slash. The root is empty.
#[derive(Debug, Clone)]
pub struct Readings<'a>(Form<'a>);

#[derive(Debug, Clone)]
enum Form<'a> {
    /// In normal form: nothing was allocated.
    One(&'a str),
    Many(Vec<Vec<u8>>),
    /// More than are worth telling apart: nobody means well who writes so, and it could be anything.
    Any,
}

impl<'a> Readings<'a> {
    /// Of a target as it came: in origin form, absolute form or anything else.
    pub fn new(target: &'a [u8]) -> Self {
        Self::of_normal(target)
            .unwrap_or_else(|| Self(spellings::readings(target).map_or(Form::Any, Form::Many)))
    }

    /// Of a target whose path is in normal form, or nothing.
    pub fn of_normal(target: &'a [u8]) -> Option<Self> {
        normal_path(target).map(|path| Self(Form::One(path)))
    }

    /// The path, if it is in normal form.
    pub fn normal(&self) -> Option<&'a str> {
        match self.0 {
            Form::One(path) => Some(path),
            Form::Many(_) | Form::Any => None,
        }
    }

    /// Whether one of them is such.
    pub fn any(&self, mut is_such: impl FnMut(&[u8]) -> bool) -> bool {
        match &self.0 {
            Form::One(path) => {
                let path = path.strip_suffix('/').unwrap_or(path);
                let trimmed = path.trim_end_matches('.');
                // Some servers do not see dots at the end, and a normal segment does not consist of them.
                is_such(path.as_bytes()) || (trimmed.len() < path.len() && is_such(trimmed.as_bytes()))
            }
            Form::Many(paths) => paths.iter().any(|path| is_such(path)),
            Form::Any => true,
        }
    }
}

/// Whether a reading is meant, whatever its letters' case.
pub(crate) fn path_matches(pattern: &PathPattern, reading: &[u8]) -> bool {
    let trimmed = |text: &str| text.strip_suffix('/').unwrap_or(text).len();
    match pattern {
        PathPattern::Exact(exact) => {
            exact.as_bytes().get(..trimmed(exact)).is_some_and(|exact| reading.eq_ignore_ascii_case(exact))
        }
        PathPattern::Prefix(prefix) => {
            let Some((start, rest)) = reading.split_at_checked(trimmed(prefix)) else { return false };
            let is_start = prefix.as_bytes().get(..start.len());
            is_start.is_some_and(|prefix| start.eq_ignore_ascii_case(prefix))
                && (rest.is_empty() || rest.starts_with(b"/"))
        }
        PathPattern::Template(pattern) => {
            let mut segments = reading.strip_prefix(b"/").unwrap_or(reading).split(|byte| *byte == b'/');
            pattern.iter().all(|wanted| {
                segments.next().is_some_and(|segment| match wanted {
                    Some(literal) => segment.eq_ignore_ascii_case(literal.as_bytes()),
                    None => !segment.is_empty(),
                })
            }) && segments.next().is_none()
        }
    }
}

/// Whether a host is meant; one that has no form could be any.
pub(crate) fn host_matches(patterns: &[HostPattern], authority: Option<&[u8]>) -> bool {
    let host = authority.and_then(|authority| str::from_utf8(authority).ok()).and_then(without_port);
    match host.and_then(|host| normal_host(host.trim_end_matches('.').as_bytes())) {
        Some(host) => patterns.iter().any(|pattern| pattern.matches(&host)),
        None => true,
    }
}
