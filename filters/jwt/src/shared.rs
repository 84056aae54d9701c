//! What all workers' VMs know of a source: its document, when it was fetched, and who may fetch next.
//!
//! Three entries of Envoy's shared data for each. They outlive a configuration, so their keys name the source in full,
//! and whatever else a document depends on: only the same source finds its document again.

use std::cell::Cell;

use abi::shared;
use jwt_core::config::Target;

/// When a document was fetched, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The time of the last good answer.
    pub(crate) fetched_at_ms: u64,
    /// Since when the next one is due.
    pub(crate) due_at_ms: u64,
    /// Counts the documents: the same number, the same document.
    pub(crate) version: u64,
    /// Until when the fetches for unknown keys have used up what they are granted.
    pub(crate) spent_until_ms: u64,
    /// Where the document was and its ETag, for the next request; may be empty.
    pub(crate) etag: Vec<u8>,
}

impl Stamp {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (fetched_at_ms, rest) = bytes.split_first_chunk()?;
        let (due_at_ms, rest) = rest.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (spent_until_ms, etag) = rest.split_first_chunk()?;
        Some(Self {
            fetched_at_ms: u64::from_le_bytes(*fetched_at_ms),
            due_at_ms: u64::from_le_bytes(*due_at_ms),
            version: u64::from_le_bytes(*version),
            spent_until_ms: u64::from_le_bytes(*spent_until_ms),
            etag: etag.to_vec(),
        })
    }

    /// Whether it was written after the clock went back.
    pub(crate) fn is_corrected(&self) -> bool {
        self.due_at_ms == 0
    }

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.fetched_at_ms.to_le_bytes(),
            &self.due_at_ms.to_le_bytes(),
            &self.version.to_le_bytes(),
            &self.spent_until_ms.to_le_bytes(),
            self.etag.as_slice(),
        ]
        .concat()
    }
}

/// Who may fetch. One lease for each source elects the fetcher, survives a VM that dies during a fetch, and spaces
/// attempts after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lease {
    /// Whoever asks first.
    Free,
    /// Somebody is fetching.
    Fetching,
    /// Nobody before this time: the last attempt failed.
    BackingOff { until_ms: u64 },
}

/// The longest timeout that can be configured, and the margin behind it.
const MAX_LEASE_MS: u64 = 31_000;
/// VMs read the clock at slightly different times.
const CLOCK_SLACK_MS: u64 = 1_000;

/// A source's entries.
#[derive(Debug)]
pub(crate) struct Shared {
    document_key: String,
    stamp_key: String,
    lease_key: String,
    /// The version of the document that this VM has read.
    seen: Cell<Option<u64>>,
}

impl Shared {
    pub(crate) fn new(kind: &str, scope: &str, target: &Target) -> Self {
        let Target { cluster, authority, path, .. } = target;
        let key = |entry: &str| format!("{kind} {entry} {scope} {cluster} {authority} {path}");
        let shared = Self {
            document_key: key("document"),
            // Numbered by its layout: while modules are exchanged, both of them read what is shared.
            stamp_key: key("stamp3"),
            lease_key: key("lease2"),
            seen: Cell::new(None),
        };
        // The host compares versions only of an entry that exists. Envoy configures a plugin on its main thread before
        // any worker has it, so that nobody can have taken the lease yet that is made here.
        if matches!(shared::get(&shared.lease_key), Ok(None)) {
            let _ = shared::set(&shared.lease_key, &LeaseEntry::FREE.to_bytes(), None);
        }
        shared
    }

    /// What is known of the last good answer. Where the clock went back since, the answer counts as one of now, and the
    /// next is due.
    pub(crate) fn stamp(&self, now_ms: u64) -> Option<Stamp> {
        let (bytes, version) = shared::get(&self.stamp_key).ok()??;
        let stamp = Stamp::read(&bytes)?;
        if stamp.fetched_at_ms <= now_ms.saturating_add(CLOCK_SLACK_MS) {
            return Some(stamp);
        }
        let corrected = Stamp { fetched_at_ms: now_ms, due_at_ms: 0, spent_until_ms: 0, ..stamp };
        // If another VM was first, its word is as good.
        let _ = shared::set(&self.stamp_key, &corrected.to_bytes(), Some(version));
        Some(corrected)
    }

    /// Whether this VM has not read the document yet.
    pub(crate) fn is_news(&self, stamp: &Stamp) -> bool {
        self.seen.get() != Some(stamp.version)
    }

    /// The document, if it is another one than last time.
    pub(crate) fn changed(&self, stamp: &Stamp) -> Option<Vec<u8>> {
        if !self.is_news(stamp) {
            return None;
        }
        let (document, _) = shared::get(&self.document_key).ok()??;
        self.seen.set(Some(stamp.version));
        Some(document)
    }

    /// Makes the document count as another one.
    pub(crate) fn forget(&self) {
        self.seen.set(None);
    }

    /// Shares an answer; without a document the last one was confirmed.
    pub(crate) fn publish(&self, document: Option<&[u8]>, mut stamp: Stamp) -> Result<(), abi::Refused> {
        let last = self.stamp(stamp.fetched_at_ms);
        stamp.version = last.as_ref().map_or(0, |last| last.version);
        if let Some(document) = document {
            // An issuer without ETag sends the same again and again; nobody need read it again.
            if shared::get(&self.document_key)?.is_none_or(|(known, _)| known != document) {
                shared::set(&self.document_key, document, None)?;
                stamp.version = stamp.version.wrapping_add(1);
            }
        } else if let Some(last) = last.filter(|_| stamp.etag.is_empty()) {
            stamp.etag = last.etag;
        }
        shared::set(&self.stamp_key, &stamp.to_bytes(), None)
    }

    pub(crate) fn lease(&self, now_ms: u64) -> Lease {
        match self.read_lease() {
            Some((lease, _)) if is_ahead(lease.until_ms, now_ms) => {
                if lease.is_back_off {
                    Lease::BackingOff { until_ms: lease.until_ms }
                } else {
                    Lease::Fetching
                }
            }
            _ => Lease::Free,
        }
    }

    /// Whether this VM is the one to fetch now; until this time nobody else will.
    pub(crate) fn take_lease(&self, now_ms: u64, until_ms: u64) -> bool {
        let Some((lease, version)) = self.read_lease() else { return false };
        let taken = LeaseEntry { is_back_off: false, until_ms, ..lease };
        !is_ahead(lease.until_ms, now_ms)
            && shared::set(&self.lease_key, &taken.to_bytes(), Some(version)).is_ok()
    }

    /// For the VM that has it.
    pub(crate) fn extend_lease(&self, until_ms: u64) {
        self.put_lease(LeaseEntry { is_back_off: false, until_ms, failures: self.failures() });
    }

    /// After a success.
    pub(crate) fn free_lease(&self) {
        self.put_lease(LeaseEntry::FREE);
    }

    /// How many attempts have failed since the last success, whichever VM made them.
    pub(crate) fn failures(&self) -> u32 {
        self.read_lease().map_or(0, |(lease, _)| lease.failures)
    }

    /// After one failure more: nobody fetches until this time.
    pub(crate) fn back_off(&self, until_ms: u64) {
        let failures = self.failures().saturating_add(1);
        self.put_lease(LeaseEntry { is_back_off: true, until_ms, failures });
    }

    fn put_lease(&self, lease: LeaseEntry) {
        let _ = shared::set(&self.lease_key, &lease.to_bytes(), None);
    }

    fn read_lease(&self) -> Option<(LeaseEntry, u32)> {
        let (bytes, version) = shared::get(&self.lease_key).ok()??;
        Some((LeaseEntry::read(&bytes)?, version))
    }
}

/// A lease as it is shared.
#[derive(Debug, Clone, Copy)]
struct LeaseEntry {
    is_back_off: bool,
    until_ms: u64,
    failures: u32,
}

impl LeaseEntry {
    const FREE: Self = Self { is_back_off: false, until_ms: 0, failures: 0 };

    fn read(bytes: &[u8]) -> Option<Self> {
        let ([is_back_off], rest) = bytes.split_first_chunk()?;
        let (until_ms, rest) = rest.split_first_chunk()?;
        Some(Self {
            is_back_off: *is_back_off != 0,
            until_ms: u64::from_le_bytes(*until_ms),
            failures: u32::from_le_bytes(*rest.first_chunk()?),
        })
    }

    fn to_bytes(self) -> Vec<u8> {
        let Self { is_back_off, until_ms, failures } = self;
        [&[u8::from(is_back_off)], &until_ms.to_le_bytes()[..], &failures.to_le_bytes()].concat()
    }
}

/// Whether a lease still holds. None is as long as this one where the clock went back.
fn is_ahead(until_ms: u64, now_ms: u64) -> bool {
    until_ms > now_ms && until_ms <= now_ms.saturating_add(MAX_LEASE_MS)
}
