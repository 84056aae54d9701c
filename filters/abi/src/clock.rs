//! Time and ticks.

use std::time::Duration;

use crate::ffi::{Refused, check, proxy_get_current_time_nanoseconds, proxy_set_tick_period_milliseconds};

/// Nanoseconds since 1970 by the host's clock.
pub fn now_ns() -> Result<u64, Refused> {
    let mut time = 0;
    // SAFETY: the host writes to the place before it returns.
    check(unsafe { proxy_get_current_time_nanoseconds(&raw mut time) })?;
    Ok(time)
}

/// Milliseconds since 1970 by the host's clock.
pub fn now_ms() -> Result<u64, Refused> {
    Ok(now_ns()?.checked_div(1_000_000).unwrap_or(0))
}

/// How often the current root context's `on_tick` is called from now on.
pub fn set_tick_period(period: Duration) -> Result<(), Refused> {
    check(proxy_set_tick_period_milliseconds(u32::try_from(period.as_millis()).unwrap_or(u32::MAX)))
}
