//! Where keys and revocations come from: one fetch per Envoy, whatever the number of its workers.

mod feed;
mod jwks;

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use abi::headers::{Headers, Map};
use abi::{Buffer, http};
use host::metric::Counters;
use jwt_core::config::Target;
use log::warn;

pub(crate) use self::feed::FeedSource;
pub(crate) use self::jwks::{Change, JwksSource};
use crate::shared::{Lease, Shared, Stamp};

/// Time for a late answer to arrive before another VM takes over.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
const MIN_BACKOFF_MS: u64 = 200;
const MAX_BACKOFF_MS: u64 = 5_000;

/// What the two kinds of sources have in common.
struct Fetcher {
    target: Target,
    shared: Shared,
    failures: Cell<u32>,
    call: Cell<Option<u32>>,
    outcomes: Counters<(&'static str, &'static str)>,
    provider: String,
}

/// A good answer.
struct Answer {
    headers: Headers,
    /// Nothing for 304: what is known already still holds.
    body: Option<Vec<u8>>,
}

impl Fetcher {
    fn new(kind: &str, family: &'static str, target: Target, provider: &str) -> Self {
        Self {
            shared: Shared::new(kind, &target),
            target,
            failures: Cell::new(0),
            call: Cell::new(None),
            outcomes: Counters::new(family),
            provider: provider.to_owned(),
        }
    }

    /// Asks for a path of the target, if this VM is the one to do it now.
    fn ask(&self, now_ms: u64, authority: &str, path: &str, etag: Option<&str>) {
        if self.shared.take_lease(now_ms, self.lease_end_ms(now_ms)) {
            self.send(now_ms, authority, path, etag);
        }
    }

    /// Asks for more, with the lease that this VM has already.
    fn ask_on(&self, now_ms: u64, authority: &str, path: &str) {
        self.shared.extend_lease(self.lease_end_ms(now_ms));
        self.send(now_ms, authority, path, None);
    }

    fn lease_end_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(millis(self.target.timeout.saturating_add(LEASE_MARGIN)))
    }

    fn send(&self, now_ms: u64, authority: &str, path: &str, etag: Option<&str>) {
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", path),
            ("accept", "application/json"),
        ];
        headers.extend(etag.map(|etag| ("if-none-match", etag)));
        match http::call(&self.target.cluster, &headers, self.target.timeout) {
            Ok(call) => self.call.set(Some(call)),
            Err(refused) => {
                warn!("cannot ask {}: {refused:?}", self.target.cluster);
                self.fail(now_ms, "dispatch");
            }
        }
    }

    /// Whether this VM is asking.
    fn is_asking(&self) -> bool {
        self.call.get().is_some()
    }

    fn is_waiting_for(&self, call: u32) -> bool {
        self.call.get() == Some(call)
    }

    /// Reads the answer to the call.
    fn answer(&self, headers: u32, body_bytes: usize, max_bytes: usize) -> Result<Answer, &'static str> {
        self.call.set(None);
        if headers == 0 {
            return Err("unreachable");
        }
        let headers = Headers::read(Map::CallResponse).map_err(|_| "headers")?;
        match headers.first(":status") {
            Some(b"200") if body_bytes > max_bytes => Err("size"),
            Some(b"200") => {
                let body = abi::buffer(Buffer::CallResponseBody, 0, body_bytes).map_err(|_| "body")?;
                Ok(Answer { headers, body: Some(body) })
            }
            Some(b"304") => Ok(Answer { headers, body: None }),
            _ => Err("status"),
        }
    }

    /// Shares an answer with all workers; without a document the last one was confirmed.
    fn share(&self, document: Option<&[u8]>, stamp: Stamp) -> Result<(), &'static str> {
        self.shared.publish(document, stamp).map_err(|_| "shared_data")
    }

    fn succeed(&self) {
        self.failures.set(0);
        self.count("ok", "ok");
        self.shared.free_lease();
    }

    fn fail(&self, now_ms: u64, reason: &'static str) {
        let failures = self.failures.get().saturating_add(1);
        self.failures.set(failures);
        let factor = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        let backoff_ms = jittered(MIN_BACKOFF_MS.saturating_mul(factor).min(MAX_BACKOFF_MS));
        self.count("failed", reason);
        warn!(
            "no answer of use from {}{} ({reason}), attempt {failures}",
            self.target.cluster, self.target.path
        );
        self.shared.back_off(now_ms.saturating_add(backoff_ms));
    }

    fn count(&self, verdict: &'static str, reason: &'static str) {
        let labels = || vec![("verdict", verdict), ("reason", reason), ("provider", self.provider.as_str())];
        self.outcomes.increment((verdict, reason), labels);
    }

    /// Whether somebody is asking, or may ask at once: it is worth waiting for.
    fn is_worth_waiting(&self, now_ms: u64) -> bool {
        self.shared.lease(now_ms) != Lease::BackingOff
    }
}

/// Between three quarters of a time and all of it, so that not all Envoys ask at once.
fn jittered(ms: u64) -> u64 {
    // The standard library's hasher has a random key.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let quarter = ms.checked_div(4).unwrap_or(0);
    ms.saturating_sub(random.checked_rem(quarter.saturating_add(1)).unwrap_or(0))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
