//! The jwt filter's judgement, without a host: configuration, tokens, keys, claims, rules and the verdict.
//!
//! Nothing here does input or output; the clock and the keys are arguments. So every refusal is tested natively.

pub mod bearer;
pub mod claims;
pub mod config;
pub mod jwks;
pub mod memory;
pub mod rules;
pub mod token;
pub mod verdict;
pub mod verify;

mod json;
