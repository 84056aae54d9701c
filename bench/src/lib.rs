//! Benches beside Envoy's own filters, behind `cargo mesh bench`. Each chain of filters runs in a real Envoy of its
//! own; what is measured is that process's CPU time, which a busy machine moves less than a request's duration.
//!
//! A bench prints. It fails when an answer is wrong, never because something took long.

pub mod amount;
pub mod chain;
pub mod jwt;
pub mod load;
pub mod origin;
pub mod process;
pub mod progress;
pub mod rounds;
pub mod rows;
pub mod stats;
pub mod subject;
pub mod table;
pub mod traffic;
pub mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};

use subject::Options;

/// Measure the filters beside Envoy's own, each chain in a real Envoy of its own.
///
/// The figures are CPU time of the Envoy process, in microseconds per request: the median over rounds, and the
/// quartiles. All chains of a table have their turn in every round, and differences and ratios are taken round by
/// round, so that noise hits both sides. They are started several times, since no process is as fast as the next.
/// `over empty` is what is above an Envoy without filters; the other columns compare a row with the one that does the
/// same work in another way, and the subject's help says which.
#[derive(Debug, Parser)]
#[command(name = "cargo mesh bench", bin_name = "cargo mesh bench", max_term_width = 110)]
pub struct Bench {
    /// What is measured.
    #[command(subcommand)]
    pub subject: Subject,
}

/// The benches.
#[derive(Debug, Subcommand)]
pub enum Subject {
    /// The jwt filter beside Envoy's jwt_authn
    ///
    /// `of native` is the part of a request with Envoy's own filter for the same work, `filter alone` the same of what
    /// is over empty.
    Jwt(Options<jwt::Name>),
    /// The amount filter beside a filter that only buffers, and Envoy's Lua
    ///
    /// Orders whose sum is right are posted to `/order/create`. Every chain reads them to their end before it answers.
    /// `over no-op` is what is above the least Wasm filter that buffers a body, `ns/byte` the same for each byte of
    /// the body: what is left is the judgement alone. Refusals by headers are compared with an answer that Envoy gives
    /// by itself as soon as it has the headers; both end the connection, so each such request has one of its own.
    Amount(Options<amount::Name>),
}

/// Runs the bench that was asked for.
pub async fn run(bench: &Bench) -> Result<()> {
    match &bench.subject {
        Subject::Jwt(options) => subject::run(options, "jwt.wasm", jwt::table).await,
        Subject::Amount(options) => subject::run(options, "amount.wasm", amount::table).await,
    }
}
