//! What both filters need of Envoy beyond the SDK: headers as bytes, problem replies, labelled counters.
//!
//! The SDK's text calls end the VM on a header that is not UTF-8, so nothing here uses them.

pub mod counter;
pub mod headers;
pub mod problem;
