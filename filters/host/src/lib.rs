//! What both filters need of Envoy beyond the ABI: problem replies and metrics with labels.

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

pub mod metric;
pub mod problem;
