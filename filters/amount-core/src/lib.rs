//! Payment amounts, judged: money, currencies, a strict JSON reader and the rules. Pure: no host calls, no clock.
//! The amount filter and the services use it alike, so edge and service cannot disagree.

// A panic here would end a worker's filter for good, so what can panic is refused beyond the workspace's lints.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod content_type;
pub mod fault;
pub mod json;
pub mod money;
pub mod rule;

pub use fault::{Fault, Kind};
