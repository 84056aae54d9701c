//! What the filter counts; `docs/metrics.md` lists it.

use abi::metric::Kind;
use amount_core::{Code, Config, Ruling};
use host::metric::{Counters, Durations, Metric, Share, microseconds};

const FAMILY: &str = "finpay_amount";

pub(crate) struct Metrics {
    verdicts: Counters<Ruling>,
    body_bytes: Metric,
    pub(crate) durations: Durations,
    buffered_requests: Share,
    configure_microseconds: Metric,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            verdicts: Counters::new(FAMILY),
            body_bytes: Metric::new(Kind::Counter, FAMILY, &[], "body_bytes_total"),
            durations: Durations::new(FAMILY),
            buffered_requests: Share::new(FAMILY, "buffered_requests"),
            configure_microseconds: Metric::new(Kind::Gauge, FAMILY, &[], "configure_microseconds"),
        }
    }

    pub(crate) fn configured(&self, nanoseconds: u64) {
        self.configure_microseconds.set(microseconds(nanoseconds));
    }

    /// What each rule has said of a request.
    pub(crate) fn count(&self, config: &Config, rulings: &[Ruling]) {
        for ruling in rulings {
            self.verdicts.increment(*ruling, || {
                let rule = config.rules().get(ruling.rule).map_or("none", |rule| rule.name.as_str());
                let reason = ruling.code.map_or("ok", Code::as_str);
                vec![("verdict", ruling.verdict.as_str()), ("reason", reason), ("rule", rule)]
            });
        }
    }

    pub(crate) fn judged(&self, body_bytes: usize) {
        self.body_bytes.add(u64::try_from(body_bytes).unwrap_or(u64::MAX));
    }

    pub(crate) fn buffered(&self, requests: usize) {
        self.buffered_requests.set(requests);
    }
}
