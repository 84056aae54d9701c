//! Which requests a filter's rule is for: by host, method and path. Both filters read and match them alike, so that
//! a route means the same in both configurations.

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

pub mod field;
pub mod loose;
mod matches;
pub mod path;
pub mod raw;

pub use loose::Readings;
pub use matches::Match;
pub use path::{HostPattern, PathPattern, normal_host, normal_path};
