//! Envoy's metrics.

use crate::ffi::{Refused, check, proxy_define_metric, proxy_increment_metric, proxy_record_metric};

/// Kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Kind {
    /// It only grows.
    Counter = 0,
    /// It has a value.
    Gauge = 1,
    /// It has many values.
    Histogram = 2,
}

/// The number of a metric, which lives as long as the process.
pub fn define(kind: Kind, name: &str) -> Result<u32, Refused> {
    let mut id = 0;
    // SAFETY: the host reads the name and writes to the place before it returns.
    check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Adds to a counter, or moves a gauge.
pub fn increment(id: u32, by: i64) -> Result<(), Refused> {
    check(proxy_increment_metric(id, by))
}

/// Sets a gauge, or adds a value to a histogram.
pub fn record(id: u32, value: u64) -> Result<(), Refused> {
    check(proxy_record_metric(id, value))
}
