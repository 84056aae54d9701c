//! What the filter counts; `docs/metrics.md` lists it.

use std::cell::Cell;

use abi::metric::Kind;
use host::metric::{Counters, Durations, Metric, Share, microseconds};
use jwt_core::config::Config;
use jwt_core::judge::Decision;
use jwt_core::verdict::Reason;

const FAMILY: &str = "finpay_jwt";

pub(crate) struct Metrics {
    verdicts: Counters<(&'static str, Reason, Option<usize>)>,
    pub(crate) durations: Durations,
    cache_hits: Metric,
    /// What of the hits was told already.
    hits_told: Cell<u64>,
    cached_tokens: Share,
    memory_bytes: Share,
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
            durations: Durations::new(FAMILY),
            cache_hits: metric(Kind::Counter, "cache_hits_total"),
            hits_told: Cell::new(0),
            cached_tokens: Share::new(FAMILY, "cached_tokens"),
            memory_bytes: Share::new(FAMILY, "memory_bytes"),
            parked_requests: Share::new(FAMILY, "parked_requests"),
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

    pub(crate) fn parked(&self, requests: usize) {
        self.parked_requests.set(requests);
    }

    pub(crate) fn memory(&self, tokens: usize, hits: u64) {
        self.cached_tokens.set(tokens);
        self.memory_bytes.set(abi::memory_bytes());
        self.cache_hits.add(hits.saturating_sub(self.hits_told.replace(hits)));
    }
}
