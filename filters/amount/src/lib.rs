//! The amount filter: Envoy's callbacks around `amount-core`'s judgement.

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

mod answer;
mod filter;
mod metrics;

abi::plugin!(filter::Filter: request_body, request_trailers, response_headers);
