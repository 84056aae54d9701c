//! Where keys and revocations come from: one fetch per Envoy, whatever the number of its workers.

mod feed;
mod jwks;

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use abi::headers::{Headers, Map};
use abi::metric::Kind;
use abi::{Buffer, http};
use host::metric::{Counters, Metric};
use jwt_core::config::Target;
use jwt_core::verdict::Reason;
use log::warn;

pub(crate) use self::feed::FeedSource;
pub(crate) use self::jwks::{JwksSource, Keys};
use crate::shared::{Lease, Shared, Stamp};

/// Time for a late answer to arrive before another VM takes over.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
const MIN_BACKOFF_MS: u64 = 200;
/// Requests with an unknown `kid` wait for the attempt behind it, so it is short.
const MAX_BACKOFF_MS: u64 = 2_000;

/// What the two kinds of sources have in common.
struct Fetcher {
    target: Target,
    shared: Shared,
    /// How often it is asked.
    period: Duration,
    call: Cell<Option<u32>>,
    /// Whether that call asks for another document than a known one.
    is_conditional: Cell<bool>,
    /// Whether its document was given up for its age.
    is_stale: Cell<bool>,
    outcomes: Counters<(&'static str, &'static str)>,
    age_seconds: Metric,
    last_success_seconds: Metric,
    provider: String,
}

/// Where what is known of a provider comes from.
pub(crate) struct Sources {
    pub(crate) jwks: Option<JwksSource>,
    pub(crate) feed: Option<FeedSource>,
    pub(crate) timeout_ms: u64,
}

/// Beyond the time that an answer may take: until it is read and shared.
const WAITING_MARGIN_MS: u64 = 500;

impl Sources {
    /// Until when a request that came now may wait for an answer.
    pub(crate) fn deadline_ms(&self, reason: Reason, now_ms: u64) -> u64 {
        let asks_from_ms = match (&self.jwks, reason) {
            (Some(jwks), Reason::UnknownKey) => jwks.asks_from_ms(now_ms),
            _ => now_ms,
        };
        asks_from_ms.saturating_add(self.timeout_ms).saturating_add(WAITING_MARGIN_MS)
    }

    /// Of the requests that are refused for this reason, those that may soon fare better: all that came at this time or
    /// later.
    pub(crate) fn helps_from(&self, reason: Reason, now_ms: u64) -> Option<u64> {
        match reason {
            Reason::UnknownKey => self.jwks.as_ref()?.helps_from(now_ms, true),
            Reason::KeysUnavailable => self.jwks.as_ref()?.helps_from(now_ms, false),
            Reason::RevocationsUnavailable => self.feed.as_ref()?.may_help(now_ms).then_some(0),
            _ => None,
        }
    }
}

/// What has become of a source's document since this VM looked last.
enum News {
    /// It is another one.
    Document(Vec<u8>),
    /// It is older than it may be.
    Stale,
}

/// A good answer.
struct Answer {
    headers: Headers,
    /// Nothing for 304: what is known already still holds.
    body: Option<Vec<u8>>,
}

/// A call was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// Which call.
    pub(crate) call: u32,
    /// When.
    pub(crate) now_ms: u64,
    /// How many headers; without any it failed.
    pub(crate) headers: u32,
    /// How large the body is.
    pub(crate) body_bytes: usize,
}

impl Answer {
    fn read(headers: u32, body_bytes: usize, max_bytes: usize, is_conditional: bool) -> Result<Self, Fault> {
        if headers == 0 {
            return Err("unreachable".into());
        }
        let headers = Headers::read(Map::CallResponse).map_err(|_| "headers")?;
        match headers.first(":status") {
            Some(b"200") if body_bytes > max_bytes => Err("size".into()),
            Some(b"200") => {
                let body = abi::buffer(Buffer::CallResponseBody, 0, body_bytes).map_err(|_| "body")?;
                Ok(Self { headers, body: Some(body) })
            }
            Some(b"304") if is_conditional => Ok(Self { headers, body: None }),
            status => {
                let status = String::from_utf8_lossy(status.unwrap_or_default());
                Err(Fault { reason: "status", detail: format!("status {status}") })
            }
        }
    }
}

/// Why an answer is of no use: a metric's label, and in other words, if any, for the log.
struct Fault {
    reason: &'static str,
    detail: String,
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self { reason, detail: String::new() }
    }
}

impl Fetcher {
    /// `scope` is what its documents depend on besides the target.
    fn new(scope: &str, family: &'static str, target: Target, period: Duration, provider: &str) -> Self {
        let gauge = |what| Metric::new(Kind::Gauge, family, &[("provider", provider)], what);
        Self {
            shared: Shared::new(family, scope, &target),
            target,
            period,
            call: Cell::new(None),
            is_conditional: Cell::new(false),
            is_stale: Cell::new(false),
            outcomes: Counters::new(family),
            age_seconds: gauge("age_seconds"),
            last_success_seconds: gauge("last_success_seconds"),
            provider: provider.to_owned(),
        }
    }

    /// What the workers know by now, if it is something else than before.
    fn news(&self, now_ms: u64, stale: Duration) -> Option<News> {
        let stamp = self.shared.stamp(now_ms)?;
        let age_ms = now_ms.saturating_sub(stamp.fetched_at_ms);
        self.age_seconds.set(seconds(age_ms));
        self.last_success_seconds.set(seconds(stamp.fetched_at_ms));
        if age_ms <= millis(stale) {
            self.is_stale.set(false);
            return self.shared.changed(&stamp).map(News::Document);
        }
        if self.is_stale.replace(true) {
            return None;
        }
        warn!("what {}{} said last is too old to count", self.target.cluster, self.target.path);
        self.shared.forget();
        Some(News::Stale)
    }

    /// Whether it is time to ask. Another configuration's period may have been longer than this one's.
    fn is_due(&self, stamp: Option<&Stamp>, now_ms: u64) -> bool {
        stamp.is_none_or(|stamp| {
            now_ms >= stamp.due_at_ms.min(stamp.fetched_at_ms.saturating_add(millis(self.period)))
        })
    }

    /// Asks for a path of the target, if this VM is the one to do it now.
    fn ask(&self, now_ms: u64, authority: &str, path: &str, etag: Option<&str>) {
        if self.shared.take_lease(now_ms, self.lease_end_ms(now_ms)) {
            self.send(now_ms, authority, path, etag);
        }
    }

    /// Asks for more, with the lease that this VM has already.
    fn ask_on(&self, now_ms: u64, authority: &str, path: &str, etag: Option<&str>) {
        self.shared.extend_lease(self.lease_end_ms(now_ms));
        self.send(now_ms, authority, path, etag);
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
        self.is_conditional.set(etag.is_some());
        headers.extend(etag.map(|etag| ("if-none-match", etag)));
        match http::call(&self.target.cluster, &headers, self.target.timeout) {
            Ok(call) => self.call.set(Some(call)),
            Err(refused) => {
                warn!("cannot ask {}: {refused:?}", self.target.cluster);
                self.fail(now_ms, &"dispatch".into());
            }
        }
    }

    /// Whether this VM is asking.
    fn is_asking(&self) -> bool {
        self.call.get().is_some()
    }

    /// Takes the answer to a call, if it was this source's.
    fn answer(
        &self,
        Arrived { call, now_ms, headers, body_bytes }: Arrived,
        max_bytes: usize,
        take: impl FnOnce(Answer) -> Result<(), &'static str>,
    ) -> bool {
        if self.call.get() != Some(call) {
            return false;
        }
        self.call.set(None);
        let answer = Answer::read(headers, body_bytes, max_bytes, self.is_conditional.get());
        if let Err(fault) = answer.and_then(|answer| Ok(take(answer)?)) {
            self.fail(now_ms, &fault);
        }
        true
    }

    /// Shares an answer with all workers; without a document the last one was confirmed.
    fn share(&self, document: Option<&[u8]>, stamp: Stamp) -> Result<(), &'static str> {
        self.shared.publish(document, stamp).map_err(|_| "shared_data")
    }

    fn succeed(&self) {
        self.count("ok", "ok");
        self.shared.free_lease();
    }

    fn fail(&self, now_ms: u64, Fault { reason, detail }: &Fault) {
        let told = if detail.is_empty() { reason } else { detail.as_str() };
        let failures = self.shared.failures();
        let factor = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        let backoff_ms = jittered(MIN_BACKOFF_MS.saturating_mul(factor).min(MAX_BACKOFF_MS));
        self.count("failed", reason);
        warn!(
            "no answer of use from {}{} ({told}), attempt {}",
            self.target.cluster,
            self.target.path,
            failures.saturating_add(1)
        );
        self.shared.back_off(now_ms.saturating_add(backoff_ms));
    }

    fn count(&self, verdict: &'static str, reason: &'static str) {
        let labels = || vec![("verdict", verdict), ("reason", reason), ("provider", self.provider.as_str())];
        self.outcomes.increment((verdict, reason), labels);
    }

    /// Until when nobody asks, because the last attempt failed; now, if somebody does or may.
    fn asks_from_ms(&self, now_ms: u64) -> u64 {
        match self.shared.lease(now_ms) {
            Lease::BackingOff { until_ms } => until_ms,
            Lease::Free | Lease::Fetching => now_ms,
        }
    }
}

/// Whoever goes while it asks gets no answer any more: another may ask at once.
impl Drop for Fetcher {
    fn drop(&mut self) {
        if self.is_asking() {
            self.shared.free_lease();
        }
    }
}

/// Between three quarters of a time and all of it, so that not all Envoys ask at once.
fn jittered(ms: u64) -> u64 {
    // The standard library's hasher has a random key.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let quarter = ms.checked_div(4).unwrap_or(0);
    ms.saturating_sub(random.checked_rem(quarter.saturating_add(1)).unwrap_or(0))
}

fn seconds(ms: u64) -> u64 {
    ms.checked_div(1_000).unwrap_or(0)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
