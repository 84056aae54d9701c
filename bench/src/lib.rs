//! Benches beside Envoy's own filters, behind `cargo mesh bench`. Each chain of filters runs in a real Envoy of its
//! own; what is measured is that process's CPU time, which a busy machine moves less than a request's duration.
//!
//! A bench prints. It fails when an answer is wrong, never because something took long.

pub mod chain;
pub mod jwt;
pub mod load;
pub mod origin;
pub mod process;
pub mod progress;
pub mod rounds;
pub mod stats;
pub mod table;
pub mod wasm;

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use mesh::console::line;

/// Measure the filters beside Envoy's own, each chain in a real Envoy of its own.
///
/// The figures are CPU time of the Envoy process, in microseconds per request: the median over rounds, and the
/// quartiles. All chains of a table have their turn in every round, and differences and ratios are taken round by
/// round, so that noise hits both sides. `over empty` is what is above an Envoy without filters, `of native` the part
/// of a request with Envoy's own filter for the same work, `filter alone` the same of what is over empty.
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
    Jwt(jwt::Options),
}

/// Runs the bench that was asked for.
pub async fn run(bench: &Bench) -> Result<()> {
    let Subject::Jwt(options) = &bench.subject;
    let (envoy, wasm_dir) = (folder("FINPAY_ENVOY")?, folder("FINPAY_WASM_DIR")?);
    let mut tables = Vec::new();
    jwt::run(options, &envoy, &wasm_dir, |table| {
        if options.json {
            tables.push(table);
        } else {
            line(format!("{}\n", table.render()));
        }
    })
    .await?;
    if options.json {
        line(serde_json::to_string_pretty(&tables)?);
    }
    Ok(())
}

fn folder(name: &str) -> Result<PathBuf> {
    env::var_os(name).map(PathBuf::from).with_context(|| format!("{name} is not set, run `cargo mesh bench`"))
}
