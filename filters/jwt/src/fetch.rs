//! One provider's key set: fetched by one of the workers' VMs, shared with all through Envoy's shared data.
//!
//! Two entries per provider. The document, with the time of its fetch before it. The lease, a time until which nobody
//! else fetches: it elects the fetcher, survives a VM that dies during a fetch, and spaces attempts after a failure.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use jwt_core::config::RemoteJwks;
use jwt_core::jwks::{KeySet, MAX_DOCUMENT_BYTES};
use log::{info, warn};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

const FAMILY: &str = "finpay_jwt_jwks";
/// Time for a late answer to arrive before another VM takes over.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// Unknown `kid`s cost an attacker nothing: they may trigger no more than one fetch in this time.
const MIN_REFETCH_MS: u64 = 10_000;
const MIN_BACKOFF_MS: u64 = 200;
const MAX_BACKOFF_MS: u64 = 5_000;
const STAMP_BYTES: usize = 8;

/// The document that all workers share, as this VM read it last.
pub(crate) struct Document {
    key: String,
    /// Its version.
    seen: Cell<Option<u32>>,
    fetched_at_ms: Cell<Option<u64>>,
}

impl Document {
    pub(crate) fn new(remote: &RemoteJwks) -> Self {
        // Shared data outlives a configuration: only the same source may find the document again.
        let key = format!("finpay.jwt.jwks {} {} {}", remote.cluster, remote.authority, remote.path);
        Self { key, seen: Cell::new(None), fetched_at_ms: Cell::new(None) }
    }

    /// The shared set, if it is another one than last time.
    pub(crate) fn poll(&self) -> Option<KeySet> {
        let Ok((Some(entry), cas)) = hostcalls::get_shared_data(&self.key) else { return None };
        if cas == self.seen.get() {
            return None;
        }
        self.seen.set(cas);
        let (stamp, document) = entry.split_first_chunk::<STAMP_BYTES>()?;
        self.fetched_at_ms.set(Some(u64::from_le_bytes(*stamp)));
        KeySet::parse(document).ok()
    }
}

pub(crate) struct Fetcher {
    remote: RemoteJwks,
    document: Rc<Document>,
    lease_key: String,
    failures: u32,
    call: Option<u32>,
}

impl Fetcher {
    pub(crate) fn new(remote: RemoteJwks, document: Rc<Document>) -> Self {
        let lease_key = format!("{} lease", document.key);
        Self { remote, document, lease_key, failures: 0, call: None }
    }

    /// Starts a fetch if one is due and this VM gets the lease.
    pub(crate) fn fetch_if_due(&mut self, now_ms: u64, wanted: bool) {
        let due = match self.document.fetched_at_ms.get() {
            None => true,
            Some(at) => {
                let age = now_ms.saturating_sub(at);
                u128::from(age) >= self.remote.refresh.as_millis() || (wanted && age >= MIN_REFETCH_MS)
            }
        };
        if due && self.lease(now_ms) {
            self.dispatch(now_ms);
        }
    }

    fn lease(&self, now_ms: u64) -> bool {
        let Ok((entry, cas)) = hostcalls::get_shared_data(&self.lease_key) else { return false };
        let Some(until) = entry.as_deref().and_then(|entry| entry.first_chunk()).copied() else {
            // The host compares versions only of an entry that exists: create it now, elect at the next tick.
            let _ = hostcalls::set_shared_data(&self.lease_key, Some(&0_u64.to_le_bytes()), None);
            return false;
        };
        let span = self.remote.timeout.saturating_add(LEASE_MARGIN).as_millis();
        let until_ms = now_ms.saturating_add(u64::try_from(span).unwrap_or(u64::MAX));
        now_ms >= u64::from_le_bytes(until)
            && hostcalls::set_shared_data(&self.lease_key, Some(&until_ms.to_le_bytes()), cas).is_ok()
    }

    fn dispatch(&mut self, now_ms: u64) {
        let RemoteJwks { cluster, authority, path, timeout, .. } = &self.remote;
        let headers = vec![
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", path),
            ("accept", "application/json"),
        ];
        match hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), *timeout) {
            Ok(call) => self.call = Some(call),
            Err(status) => {
                warn!("cannot ask {cluster} for keys: {status:?}");
                self.fail(now_ms, "dispatch");
            }
        }
    }

    pub(crate) fn is_waiting_for(&self, call: u32) -> bool {
        self.call == Some(call)
    }

    /// Takes the answer to the call. A bad one leaves the set that there is.
    pub(crate) fn answer(&mut self, now_ms: u64, headers: usize, body_bytes: usize) {
        self.call = None;
        if headers == 0 {
            return self.fail(now_ms, "unreachable");
        }
        let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
        if host::headers::first(&headers, ":status") != Some(b"200") {
            return self.fail(now_ms, "status");
        }
        if body_bytes > MAX_DOCUMENT_BYTES {
            return self.fail(now_ms, "size");
        }
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_bytes);
        let Ok(Some(document)) = body else { return self.fail(now_ms, "body") };
        match KeySet::parse(&document) {
            Ok(set) => self.publish(now_ms, &document, &set),
            Err(error) => {
                warn!("the answer of {} is of no use: {error}", self.remote.cluster);
                self.fail(now_ms, "document");
            }
        }
    }

    fn publish(&mut self, now_ms: u64, document: &[u8], set: &KeySet) {
        let mut entry = now_ms.to_le_bytes().to_vec();
        entry.extend_from_slice(document);
        if hostcalls::set_shared_data(&self.document.key, Some(&entry), None).is_err() {
            return self.fail(now_ms, "shared_data");
        }
        self.failures = 0;
        for reason in set.dropped() {
            host::counter::increment("finpay_jwt_keys", "dropped", reason.as_str());
        }
        host::counter::increment(FAMILY, "ok", "ok");
        info!("{} keys from {}, {} dropped", set.count(), self.remote.cluster, set.dropped().len());
        self.release(now_ms);
    }

    fn fail(&mut self, now_ms: u64, reason: &'static str) {
        self.failures = self.failures.saturating_add(1);
        let factor = 1_u64.checked_shl(self.failures.saturating_sub(1)).unwrap_or(u64::MAX);
        let backoff_ms = MIN_BACKOFF_MS.saturating_mul(factor).min(MAX_BACKOFF_MS);
        host::counter::increment(FAMILY, "failed", reason);
        warn!("no keys from {} ({reason}), attempt {}", self.remote.cluster, self.failures);
        self.release(now_ms.saturating_add(backoff_ms));
    }

    /// Lets others fetch from this time on.
    fn release(&self, at_ms: u64) {
        let _ = hostcalls::set_shared_data(&self.lease_key, Some(&at_ms.to_le_bytes()), None);
    }
}
