//! Metrics with labels, which proxy-wasm does not know: they go into the name, and the bootstrap's `stats_tags` takes
//! them out again. The form is the one that Istio's `extraStatTags` makes regexes for.
//!
//! Metrics live as long as the process, so labels come from sets that the code or the configuration bounds.

use std::cell::{Cell, RefCell};
use std::fmt::Write;

use abi::metric::{Kind, define};
use log::error;

/// Counters of one family, told apart by labels that a key stands for.
#[derive(Debug)]
pub struct Counters<Key> {
    family: &'static str,
    ids: RefCell<Vec<(Key, u32)>>,
}

impl<Key: PartialEq> Counters<Key> {
    /// A family; its metrics are called `<family>_requests_total`.
    pub fn new(family: &'static str) -> Self {
        Self { family, ids: RefCell::default() }
    }

    /// Adds one to the counter of this key, which always has these labels.
    pub fn increment<'a>(&self, key: Key, labels: impl FnOnce() -> Vec<(&'static str, &'a str)>) {
        let known = self.ids.borrow().iter().find(|(known, _)| *known == key).map(|(_, id)| *id);
        let id = known.or_else(|| {
            let id = defined(Kind::Counter, &name(self.family, &labels(), "requests_total"))?;
            self.ids.borrow_mut().push((key, id));
            Some(id)
        });
        if let Some(Err(refused)) = id.map(|id| abi::metric::increment(id, 1)) {
            error!("cannot count {}: {refused:?}", self.family);
        }
    }
}

/// A counter, gauge or histogram. Where Envoy refuses it, it does nothing, after one message in the log.
#[derive(Debug)]
pub struct Metric {
    id: Option<u32>,
    last: Cell<Option<u64>>,
}

impl Metric {
    /// `<family>_<what>` with these labels.
    pub fn new(kind: Kind, family: &str, labels: &[(&'static str, &str)], what: &str) -> Self {
        Self { id: defined(kind, &name(family, labels, what)), last: Cell::new(None) }
    }

    /// Adds to a counter.
    pub fn add(&self, by: u64) {
        self.shift(i64::try_from(by).unwrap_or(i64::MAX));
    }

    /// Moves a gauge.
    pub fn shift(&self, by: i64) {
        if let Some(id) = self.id.filter(|_| by != 0) {
            let _ = abi::metric::increment(id, by);
        }
    }

    /// Adds a value to a histogram.
    pub fn observe(&self, value: u64) {
        if let Some(id) = self.id {
            let _ = abi::metric::record(id, value);
        }
    }

    /// Sets a gauge, if it has another value.
    pub fn set(&self, value: u64) {
        if self.last.replace(Some(value)) != Some(value) {
            self.observe(value);
        }
    }
}

/// This VM's part of a gauge that all workers add to.
#[derive(Debug)]
pub struct Share {
    gauge: Metric,
    part: Cell<usize>,
}

impl Share {
    /// `<family>_<what>`, of which this VM's part is 0.
    pub fn new(family: &str, what: &str) -> Self {
        Self { gauge: Metric::new(Kind::Gauge, family, &[], what), part: Cell::new(0) }
    }

    /// Sets this VM's part.
    pub fn set(&self, part: usize) {
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

/// One request of so many is timed: asking the time and adding to a histogram are calls of the host.
const TIMED_OF: u32 = 16;

/// A histogram of durations, `<family>_duration_microseconds`.
#[derive(Debug)]
pub struct Durations {
    histogram: Metric,
    /// Requests since the last one that was timed.
    untimed: Cell<u32>,
}

impl Durations {
    /// Without any yet.
    pub fn new(family: &str) -> Self {
        Self {
            histogram: Metric::new(Kind::Histogram, family, &[], "duration_microseconds"),
            untimed: Cell::new(0),
        }
    }

    /// Whether this request is one of those that are timed; the first one is.
    pub fn is_timed(&self) -> bool {
        let untimed = self.untimed.get();
        self.untimed.set(untimed.wrapping_add(1) % TIMED_OF);
        untimed == 0
    }

    /// Adds what lies between a time and now, if the time can be asked.
    pub fn since(&self, started_ns: u64) {
        if let Ok(now_ns) = abi::clock::now_ns() {
            self.histogram.observe(microseconds(now_ns.saturating_sub(started_ns)));
        }
    }
}

/// Whole ones.
pub fn microseconds(nanoseconds: u64) -> u64 {
    nanoseconds.checked_div(1_000).unwrap_or(0)
}

fn defined(kind: Kind, name: &str) -> Option<u32> {
    define(kind, name).map_err(|refused| error!("cannot define the metric {name}: {refused:?}")).ok()
}

fn name(family: &str, labels: &[(&'static str, &str)], what: &str) -> String {
    let mut name = format!("{family}.");
    for (label, value) in labels {
        // Writing to a text cannot fail.
        let _ = write!(name, "{label}=.={value};.;");
    }
    name + what
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn labels_stand_in_the_name_as_the_stats_tags_expect_them() {
        assert_eq!(
            name("finpay_jwt", &[("verdict", "allow"), ("reason", "ok")], "requests_total"),
            "finpay_jwt.verdict=.=allow;.;reason=.=ok;.;requests_total"
        );
    }
}
