//! What both filters need of Envoy beyond the SDK: headers as bytes, problem replies, labelled counters.
//!
//! The SDK's text calls end the VM on a header that is not UTF-8, so nothing here uses them.

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

pub mod counter;
pub mod headers;
pub mod problem;
