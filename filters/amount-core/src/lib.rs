//! Payment amounts, judged: money, currencies, a strict JSON reader and the rules. Pure: no host calls, no clock.
//! The amount filter and the services use it alike, so edge and service cannot disagree.
//!
//! A request goes through it in two steps: [`Config::admit`] decides by the header fields whether a rule guards it,
//! and [`Config::judge`] judges the whole body. Between the two, all that need be kept is a [`Guard`].

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

mod admit;
pub mod config;
pub mod content_type;
pub mod fault;
pub mod json;
mod judge;
pub mod money;
mod outcome;
mod pattern;
mod tree;

pub use admit::Admission;
pub use config::{Config, ConfigError, Rule, VERIFIED_HEADER};
pub use fault::{Code, FAULTS_LIMIT, Fault, Kind};
pub use judge::Scratch;
pub use outcome::{Guard, Outcome, Ruling, Verdict};
