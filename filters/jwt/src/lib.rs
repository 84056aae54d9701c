//! The jwt filter: Envoy's callbacks around `jwt-core`'s judgement.

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

mod apply;
mod filter;
mod metrics;
mod parking;
mod shared;
mod signatures;
mod source;

abi::plugin!(filter::Filter: tick, http_call_response, request_trailers, response_headers);
