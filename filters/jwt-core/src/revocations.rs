//! What an issuer took back before its time: single tokens by `jti`, and all tokens of a subject issued before a
//! moment. Never by the token's text: an ECDSA signature has a second form that is as valid.
//!
//! Kept as fixed-size records in one sorted run of bytes: that is how Envoy's workers share them, 24 bytes each, and
//! how they are searched, without another copy.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::config::MAX_LEEWAY_SECONDS;
use crate::json;

const HEAD_BYTES: usize = 8;
const FINGERPRINT_BYTES: usize = 16;
const RECORD_BYTES: usize = 24;
/// A larger page is not one of a feed for us.
pub const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// A single token is refused whenever it was issued.
const ALWAYS: u32 = u32::MAX;

/// Stands for a `jti` or a `sub` in 16 bytes: SHA-256, cut off, over its kind and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; FINGERPRINT_BYTES]);

impl Fingerprint {
    /// A token's, by its `jti`.
    pub fn of_token(jti: &str) -> Self {
        Self::of(b'j', jti)
    }

    /// A subject's.
    pub fn of_subject(sub: &str) -> Self {
        Self::of(b's', sub)
    }

    fn of(kind: u8, text: &str) -> Self {
        let digest = Sha256::new().chain_update([kind]).chain_update(text).finalize();
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    fingerprint: Fingerprint,
    /// Tokens issued before this second are refused.
    not_before: u32,
    /// When no such token can be valid any more.
    forget_at: u32,
}

impl Record {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (fingerprint, rest) = bytes.split_first_chunk()?;
        let (not_before, rest) = rest.split_first_chunk()?;
        let forget_at = rest.first_chunk()?;
        Some(Self {
            fingerprint: Fingerprint(*fingerprint),
            not_before: u32::from_le_bytes(*not_before),
            forget_at: u32::from_le_bytes(*forget_at),
        })
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.fingerprint.0);
        bytes.extend_from_slice(&self.not_before.to_le_bytes());
        bytes.extend_from_slice(&self.forget_at.to_le_bytes());
    }
}

/// All revocations of a feed up to a cursor.
#[derive(Clone, PartialEq, Eq)]
pub struct Revocations {
    /// The cursor, then the records by fingerprint.
    bytes: Vec<u8>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD_BYTES] }
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} revocations up to {}", self.count(), self.cursor())
    }
}

/// A page of the feed.
#[derive(Debug)]
pub struct Page {
    cursor: u64,
    /// Whether the next page can be had at once.
    pub more: bool,
    /// Whether what was known before is void.
    pub reset: bool,
    records: Vec<Record>,
}

/// Why a page is of no use. What is known already then stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is too large, or not a page.
    #[error("not a page of revocations")]
    NotAPage,
    /// More revocations than the configured limit: to drop one would let its token in.
    #[error("more revocations than the limit")]
    TooMany,
}

impl Page {
    /// Reads an answer of the feed.
    pub fn parse(body: &[u8]) -> Result<Self, Unusable> {
        if body.len() > MAX_PAGE_BYTES {
            return Err(Unusable::NotAPage);
        }
        json::object(body, json::MAX_DEPTH).and_then(|members| Self::read(&members)).ok_or(Unusable::NotAPage)
    }

    /// Nothing if a member is unknown, missing or of another kind.
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let is_known = |name: &String| ["cursor", "more", "reset", "entries"].contains(&name.as_str());
        let entries = members.get("entries")?.as_array()?;
        members.keys().all(is_known).then_some(Self {
            cursor: members.get("cursor")?.as_u64()?,
            more: members.get("more")?.as_bool()?,
            reset: members.get("reset").map_or(Some(false), Value::as_bool)?,
            records: entries.iter().map(|entry| record(entry.as_object()?)).collect::<Option<_>>()?,
        })
    }
}

/// `jti` and `exp`, or `sub`, `notBefore` and `exp`; nothing for anything else.
fn record(entry: &Map<String, Value>) -> Option<Record> {
    let seconds = |name| entry.get(name)?.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let text = |name| entry.get(name)?.as_str();
    let forget_at = seconds("exp")?;
    let (fingerprint, not_before, members) = match (text("jti"), text("sub")) {
        (Some(jti), None) => (Fingerprint::of_token(jti), ALWAYS, 2),
        (None, Some(sub)) => (Fingerprint::of_subject(sub), seconds("notBefore")?, 3),
        _ => return None,
    };
    (entry.len() == members).then_some(Record { fingerprint, not_before, forget_at })
}

impl Revocations {
    /// What another worker shared.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let records = bytes.len().checked_sub(HEAD_BYTES)?;
        records.is_multiple_of(RECORD_BYTES).then_some(Self { bytes })
    }

    /// As it is shared.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the feed is to go on.
    pub fn cursor(&self) -> u64 {
        self.bytes.first_chunk().map_or(0, |cursor| u64::from_le_bytes(*cursor))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.records().count()
    }

    /// Whether tokens with this fingerprint, issued at this time, are refused.
    pub fn refuses(&self, fingerprint: Fingerprint, issued_at: u64) -> bool {
        let (records, _) = self.chunks();
        let found = records.binary_search_by(|record| {
            record
                .split_first_chunk()
                .map_or(std::cmp::Ordering::Less, |(bytes, _)| Fingerprint(*bytes).cmp(&fingerprint))
        });
        let record = found.ok().and_then(|at| records.get(at)).and_then(|record| Record::read(record));
        record.is_some_and(|record| record.not_before == ALWAYS || issued_at < u64::from(record.not_before))
    }

    /// With what a page adds, and without what no longer matters. Nothing if the page changes nothing.
    pub fn merged(&self, page: &Page, now_seconds: u64, limit: usize) -> Result<Option<Self>, Unusable> {
        let mut new = page.records.clone();
        if new.is_empty() && page.cursor == self.cursor() && !page.reset {
            return Ok(None);
        }
        new.sort_unstable_by_key(|record| record.fingerprint);
        let known: Vec<Record> = if page.reset { Vec::new() } else { self.records().collect() };
        let mut bytes = page.cursor.to_le_bytes().to_vec();
        bytes.reserve(known.len().saturating_add(new.len()).saturating_mul(RECORD_BYTES));
        let mut last: Option<Record> = None;
        let mut both = known.into_iter().peekable();
        let mut added = new.into_iter().peekable();
        loop {
            let from_known = match (both.peek(), added.peek()) {
                (None, None) => break,
                (Some(ours), Some(theirs)) => ours.fingerprint <= theirs.fingerprint,
                (ours, _) => ours.is_some(),
            };
            let Some(next) = (if from_known { both.next() } else { added.next() }) else { break };
            match &mut last {
                Some(last) if last.fingerprint == next.fingerprint => {
                    last.not_before = last.not_before.max(next.not_before);
                    last.forget_at = last.forget_at.max(next.forget_at);
                }
                _ => keep(last.replace(next), now_seconds, &mut bytes),
            }
        }
        keep(last, now_seconds, &mut bytes);
        let merged = Self { bytes };
        if merged.count() > limit { Err(Unusable::TooMany) } else { Ok(Some(merged)) }
    }

    fn chunks(&self) -> (&[[u8; RECORD_BYTES]], &[u8]) {
        self.bytes.get(HEAD_BYTES..).unwrap_or_default().as_chunks()
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        self.chunks().0.iter().filter_map(|record| Record::read(record))
    }
}

fn keep(record: Option<Record>, now_seconds: u64, bytes: &mut Vec<u8>) {
    // A feed may well say the token's own `exp`, after which leeway lets it live on.
    let matters =
        |record: &Record| u64::from(record.forget_at).saturating_add(MAX_LEEWAY_SECONDS) > now_seconds;
    if let Some(record) = record.filter(matters) {
        record.write(bytes);
    }
}
