//! What a lenient server could read in a target that has no one reading: so that a rule which guards a route is not
//! passed by a spelling that its filter takes for another route and the server behind does not.
//!
//! Servers differ in what they decode, and how often, in what they take for a separator, and in whether they know
//! parameters. So a target has several readings, and whoever asks wants to know whether any of them is meant.
//!
//! Not among them: a path whose server drops a suffix such as `.json`, and a host by another of its names.

mod decode;
mod spellings;

use std::iter;

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
        Self(match normal_path(target) {
            Some(path) => Form::One(path),
            None => spellings::readings(target).map_or(Form::Any, Form::Many),
        })
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
            Form::One(path) => normal_readings(path).any(is_such),
            Form::Many(paths) => paths.iter().any(|path| is_such(path)),
            Form::Any => true,
        }
    }
}

/// Of a path in normal form. Some servers do not see dots at the end, and a normal segment does not consist of them.
pub(crate) fn normal_readings(path: &str) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let trimmed = path.trim_end_matches('.');
    let other = (trimmed.len() < path.len()).then_some(trimmed);
    iter::once(path).chain(other).map(str::as_bytes)
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
