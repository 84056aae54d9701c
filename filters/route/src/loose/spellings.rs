//! All that servers could make of a target's text, step by step and in any order: they decode it, cut it, resolve its
//! dots, and some do so again with what they got.

use super::decode;
use crate::path::is_plain_byte;

/// How many texts a target may stand for. An ordinary one stands for few.
const MAX_TEXTS: usize = 64;

/// How many bytes they may have, for each one of the target's, and for one that is short.
const MAX_BYTES_PER_BYTE: usize = 32;
const MAX_BYTES_ANYWAY: usize = 2048;

/// All readings of a target, as [`super::Readings`] has them; nothing if they are too many.
pub(super) fn readings(target: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut spellings = Spellings::new(target);
    let is_whole = spellings.close();
    spellings.texts.retain(|text| is_resolved(text));
    is_whole.map(|()| spellings.texts)
}

/// The texts so far, each once.
struct Spellings {
    texts: Vec<Vec<u8>>,
    bytes_left: usize,
    starts: Vec<Vec<u8>>,
}

impl Spellings {
    fn new(target: &[u8]) -> Self {
        let bytes_left = target.len().saturating_mul(MAX_BYTES_PER_BYTE).saturating_add(MAX_BYTES_ANYWAY);
        Self { texts: Vec::new(), bytes_left, starts: starts(target) }
    }

    /// Adds what each text could be made, until nothing is new; nothing if the limits are in the way.
    fn close(&mut self) -> Option<()> {
        for text in std::mem::take(&mut self.starts) {
            self.add(text)?;
        }
        let mut done: usize = 0;
        while let Some(text) = self.texts.get(done) {
            for other in others(text) {
                self.add(other)?;
            }
            done = done.saturating_add(1);
        }
        Some(())
    }

    /// A known one costs its bytes too, since it was made and is looked for.
    fn add(&mut self, text: Vec<u8>) -> Option<()> {
        self.bytes_left = self.bytes_left.checked_sub(text.len())?;
        if !self.texts.contains(&text) {
            if self.texts.len() >= MAX_TEXTS {
                return None;
            }
            self.texts.push(text);
        }
        Some(())
    }
}

/// What a server takes for the path: what comes before the query, or of that what stands behind `http://host`.
fn starts(target: &[u8]) -> Vec<Vec<u8>> {
    let target = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let scheme = target.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    match target.get(scheme.len().saturating_add(1)..) {
        Some(rest) if is_scheme => {
            let strict = behind_authority(rest).unwrap_or_else(|| rest.to_vec());
            vec![strict, behind_late_authority(rest)]
        }
        _ => vec![target.to_vec()],
    }
}

/// What one step more makes of a text.
fn others(text: &[u8]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let is_network_path = text.starts_with(b"//");
    let is_resolved = is_resolved(text);
    // Without any, to resolve a path is to merge it.
    let has_dots = !is_resolved && (!text.starts_with(b"/") || text.split(|byte| *byte == b'/').any(is_dots));
    let by_separators = [
        without_end(text, |byte| is_blank(byte) || byte == b'.').filter(|_| !ends_in_dot_segment(text)),
        without_dots_within(text),
        is_network_path.then(|| behind_late_authority(text)),
        (!is_resolved).then(|| merged(text)),
        has_dots.then(|| without_dots(text)),
        has_dots.then(|| without_dots(&merged(text))),
    ];
    by_marks(text).into_iter().flatten().chain(by_separators).flatten()
}

/// What is made of characters that are more than themselves. Without any, each of these would make nothing.
fn by_marks(text: &[u8]) -> Option<[Option<Vec<u8>>; 11]> {
    let has = |wanted: u8| text.contains(&wanted);
    let has_marks = !text.iter().all(|byte| *byte == b'/' || is_plain_byte(*byte));
    has_marks.then(|| {
        [
            decode::percent(text),
            decode::unreserved(text),
            decode::unicode(text),
            decode::overlong(text),
            before(text, b'?'),
            before(text, b'#'),
            before(text, 0),
            has(b';').then(|| without_parameters(text)),
            has(b'\\').then(|| text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()),
            without_line_breaks(text),
            without_end(text, is_blank),
        ]
    })
}

/// A query, a fragment or a string of C ends it, also if the mark was an escape.
fn before(text: &[u8], mark: u8) -> Option<Vec<u8>> {
    let end = text.iter().position(|byte| *byte == mark)?;
    text.get(..end).map(<[u8]>::to_vec)
}

/// Without the dots that end a segment before the last one and are not all of it.
fn without_dots_within(text: &[u8]) -> Option<Vec<u8>> {
    text.windows(2).any(|pair| pair == b"./").then(|| {
        let mut segments = text.split(|byte| *byte == b'/').peekable();
        let mut kept = Vec::with_capacity(text.len());
        while let Some(segment) = segments.next() {
            let end = segment
                .iter()
                .rposition(|byte| *byte != b'.')
                .map_or(segment.len(), |last| last.saturating_add(1));
            let is_last = segments.peek().is_none();
            kept.extend_from_slice(if is_last { segment } else { segment.get(..end).unwrap_or(segment) });
            kept.extend_from_slice(if is_last { b"" } else { b"/" });
        }
        kept
    })
}

/// From `;` on, in each segment.
fn without_parameters(text: &[u8]) -> Vec<u8> {
    let mut is_parameter = false;
    let mut kept = Vec::with_capacity(text.len());
    for byte in text {
        is_parameter = *byte == b';' || (is_parameter && *byte != b'/');
        if !is_parameter {
            kept.push(*byte);
        }
    }
    kept
}

/// As URL parsers of browsers, and of Node, drop them anywhere.
fn without_line_breaks(text: &[u8]) -> Option<Vec<u8>> {
    let is_break = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    text.iter().any(is_break).then(|| text.iter().filter(|byte| !is_break(byte)).copied().collect())
}

fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

fn without_end(text: &[u8], is_dropped: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let length = text.iter().rposition(|byte| !is_dropped(*byte)).map_or(0, |last| last.saturating_add(1));
    text.get(..length).filter(|kept| kept.len() < text.len()).map(<[u8]>::to_vec)
}

/// Whether its dots at the end name a directory.
fn ends_in_dot_segment(text: &[u8]) -> bool {
    let last = text.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(
        last.iter().rposition(|byte| !is_blank(*byte)).and_then(|end| last.get(..=end)),
        Some(b"." | b"..")
    )
}

/// `//host/path` (RFC 3986, 4.2), as Python reads it.
fn behind_authority(text: &[u8]) -> Option<Vec<u8>> {
    Some(from_path(text.strip_prefix(b"//")?))
}

/// As browsers and Node do: any number of slashes before the host. Where Python sees an empty host, merging reads it.
fn behind_late_authority(text: &[u8]) -> Vec<u8> {
    let host = text.iter().position(|byte| !matches!(byte, b'/' | b'\\'));
    from_path(host.and_then(|host| text.get(host..)).unwrap_or_default())
}

fn from_path(authority: &[u8]) -> Vec<u8> {
    let path = authority.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    path.and_then(|path| authority.get(path..)).unwrap_or_default().to_vec()
}

/// Whether there is nothing to resolve: the root is empty.
fn is_resolved(text: &[u8]) -> bool {
    let mut segments = text.split(|byte| *byte == b'/');
    segments.next().is_none_or(<[u8]>::is_empty)
        && segments.all(|segment| !segment.is_empty() && !is_dots(segment))
}

/// Whether a segment stands for a place and not for a name (RFC 3986, 5.2.4).
fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// The path without empty segments, so also without a slash at its end.
fn merged(text: &[u8]) -> Vec<u8> {
    let segments = text.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty());
    joined(segments, text.len())
}

/// Without dot segments (RFC 3986, 5.2.4): an empty one has a parent and can be left.
fn without_dots(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for segment in text.strip_prefix(b"/").unwrap_or(text).split(|byte| *byte == b'/') {
        match segment {
            b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    joined(kept.into_iter(), text.len())
}

fn joined<'a>(segments: impl Iterator<Item = &'a [u8]>, length: usize) -> Vec<u8> {
    let mut path = Vec::with_capacity(length.saturating_add(1));
    for segment in segments {
        path.push(b'/');
        path.extend_from_slice(segment);
    }
    path
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// What an ordinary client writes has few readings.
    #[rstest]
    #[case("/a%20b", 2)]
    #[case("/caf%C3%A9/b.txt", 2)]
    #[case("/a;v=1/b%20c/?x=%2Fy", 16)]
    #[case("/a/b/", 2)]
    #[case("/a//b/../c?x=1&y=2", 4)]
    fn ordinary(#[case] target: &str, #[case] at_most: usize) {
        let mut spellings = Spellings::new(target.as_bytes());
        assert_eq!(spellings.close(), Some(()));
        assert!(spellings.texts.len() <= at_most, "{:?}", spellings.texts.len());
    }

    /// However long and mixed: a bounded number of texts, and of bytes for each of the target's.
    #[rstest]
    #[case("%25", false)]
    #[case("%2525", false)]
    #[case("25", true)]
    #[case("/../", false)]
    #[case(";", false)]
    #[case("%3b%2f..%5c%25%u0025%c0%af", false)]
    #[case("/..;%252f?#\\%00. ", false)]
    #[case("/%2e%2e;%252f//%5c#%2500. ", true)]
    #[case("//", false)]
    #[case("%0a", false)]
    #[case(". ", false)]
    fn work_is_linear(#[case] unit: &str, #[case] is_too_much: bool) {
        for length in [16, 1024, 8192, 65_536] {
            let target: Vec<u8> =
                b"/x%".iter().chain(unit.as_bytes().iter().cycle()).take(length).copied().collect();
            let mut spellings = Spellings::new(&target);
            let is_whole = spellings.close().is_some();
            assert!(spellings.texts.len() <= MAX_TEXTS);
            let bytes: usize = spellings.texts.iter().map(Vec::len).sum();
            assert!(bytes <= length * MAX_BYTES_PER_BYTE + MAX_BYTES_ANYWAY);
            assert!(length < 8192 || is_whole != is_too_much, "{unit} {length} {}", spellings.texts.len());
        }
    }
}
