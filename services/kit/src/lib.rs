//! What all services share: configuration, problems, the caller's identity, idempotency keys, the database
//! behind their stores, and the server with its health checks and its clean end.

pub mod amounts;
pub mod answer;
pub mod config;
pub mod forward;
pub mod idempotency;
pub mod identity;
pub mod json;
pub mod problem;
pub mod server;
pub mod store;
pub mod telemetry;

pub use answer::Answer;
pub use forward::{Forward, client, read_answer};
pub use identity::Caller;
pub use problem::{Code, Problem};
pub use store::Database;
