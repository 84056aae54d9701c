//! What the filter counts; `docs/metrics.md` lists it.

use std::cell::Cell;

use abi::metric::Kind;
use host::metric::{Counters, Metric};
use jwt_core::config::Config;
use jwt_core::judge::Decision;
use jwt_core::verdict::Reason;

const FAMILY: &str = "finpay_jwt";
/// One request of so many is timed: asking the time and adding to a histogram are two calls of the host.
const TIMED_OF: u32 = 16;

pub(crate) struct Metrics {
    verdicts: Counters<(&'static str, Reason, Option<usize>)>,
    duration_microseconds: Metric,
    /// Requests since the last one that was timed.
    untimed: Cell<u32>,
    cache_hits: Metric,
    /// What of the hits was told already.
    hits_told: Cell<u64>,
    cached_tokens: Share,
    parked_requests: Share,
    /// Whether the host checks signatures.
    pub(crate) host_signatures: Metric,
    configure_microseconds: Metric,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metric = |kind, what| Metric::new(kind, FAMILY, &[], what);
        Self {
            verdicts: Counters::new(FAMILY),
            duration_microseconds: metric(Kind::Histogram, "duration_microseconds"),
            untimed: Cell::new(0),
            cache_hits: metric(Kind::Counter, "cache_hits_total"),
            hits_told: Cell::new(0),
            cached_tokens: Share::new("cached_tokens"),
            parked_requests: Share::new("parked_requests"),
            host_signatures: metric(Kind::Gauge, "host_signatures"),
            configure_microseconds: metric(Kind::Gauge, "configure_microseconds"),
        }
    }

    pub(crate) fn configured(&self, nanoseconds: u64) {
        self.configure_microseconds.set(microseconds(nanoseconds));
    }

    pub(crate) fn count(&self, config: &Config, decision: &Decision) {
        let (verdict, reason) = decision.verdict.labels(decision.is_dry_run);
        self.verdicts.increment((verdict, reason, decision.provider), || {
            let provider = decision.provider.and_then(|index| config.providers.get(index));
            let provider = provider.map_or("none", |provider| provider.name.as_str());
            vec![("verdict", verdict), ("reason", reason.as_str()), ("provider", provider)]
        });
    }

    /// Whether this request is one of those that are timed; the first one is.
    pub(crate) fn is_timed(&self) -> bool {
        let untimed = self.untimed.get();
        self.untimed.set(untimed.wrapping_add(1) % TIMED_OF);
        untimed == 0
    }

    pub(crate) fn took(&self, nanoseconds: u64) {
        self.duration_microseconds.observe(microseconds(nanoseconds));
    }

    pub(crate) fn parked(&self, requests: usize) {
        self.parked_requests.set(requests);
    }

    pub(crate) fn cache(&self, tokens: usize, hits: u64) {
        self.cached_tokens.set(tokens);
        self.cache_hits.add(hits.saturating_sub(self.hits_told.replace(hits)));
    }
}

fn microseconds(nanoseconds: u64) -> u64 {
    nanoseconds.checked_div(1_000).unwrap_or(0)
}

/// This VM's part of a gauge that all workers add to.
struct Share {
    gauge: Metric,
    part: Cell<usize>,
}

impl Share {
    fn new(what: &str) -> Self {
        Self { gauge: Metric::new(Kind::Gauge, FAMILY, &[], what), part: Cell::new(0) }
    }

    fn set(&self, part: usize) {
        let before = self.part.replace(part);
        let signed = |part: usize| i64::try_from(part).unwrap_or(i64::MAX);
        self.gauge.shift(signed(part).saturating_sub(signed(before)));
    }
}

impl Drop for Share {
    /// The other workers' parts stay.
    fn drop(&mut self) {
        self.set(0);
    }
}
