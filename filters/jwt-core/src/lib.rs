//! The jwt filter's judgement, without a host: configuration, tokens, keys, claims, rules and the verdict.
//!
//! Nothing here does input or output; the clock and the keys are arguments. So every refusal is tested natively.

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

pub mod algorithm;
pub mod cache;
pub mod claims;
pub mod config;
pub mod discovery;
pub mod identity;
pub mod judge;
pub mod jwks;
mod key;
pub mod place;
pub mod request;
pub mod revocations;
pub mod rules;
pub mod selector;
pub mod signature;
pub mod token;
pub mod verdict;
pub mod verify;

mod der;
mod json;
mod rsa;
