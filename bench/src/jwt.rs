//! `bench jwt`: this project's filter beside Envoy's own.

pub mod documents;
mod growth;
pub mod issuer;
mod main_table;
pub mod native;
pub mod ours;
mod refusals;
pub mod rows;

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::rounds::{self, Plan};
use crate::table::Table;
use crate::wasm::Module;
use issuer::Algorithm;
use rows::Rows;

/// The path of every request.
const PATH: &str = "/payment/0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f13";
/// The prefix that the rules cover it by.
const PREFIX: &str = "/payment";

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// ES256: empty, thinnest Wasm, Envoy's own filter, this filter
    Es256,
    /// The same with RS256, 2048 bits
    Rs256,
    /// The same with EdDSA
    Eddsa,
    /// 1 to 100,000 distinct tokens, both filters with their cache
    Tokens,
    /// 1 to 100 keys in the set
    Keys,
    /// 1 to 100 rules
    Rules,
    /// 0 to 100,000 revocations
    Revocations,
    /// 1 and 2 workers
    Workers,
    /// Refusals: whether they tell by their time how much of a signature or of a kid was right
    Refusals,
}

/// `jwt`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Rounds in which every chain has its turn
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Requests per chain and round
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub requests: u64,
    /// Not all tables; may be repeated
    #[arg(long, value_name = "TABLE")]
    pub only: Vec<Name>,
    /// As JSON, when all is measured
    #[arg(long)]
    pub json: bool,
}

/// What all tables need.
#[derive(Debug)]
struct Bench<'a> {
    envoy: &'a Path,
    /// This project's filter.
    module: Module,
    /// For modules made on the way.
    folder: &'a Path,
    plan: Plan,
}

/// Measures the tables, and hands each over when it is done.
pub async fn run(
    options: &Options,
    envoy: &Path,
    wasm_dir: &Path,
    mut done: impl FnMut(Table),
) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for modules")?;
    let plan = Plan { rounds: options.rounds, requests: options.requests };
    let module = Module::open(wasm_dir.join("jwt.wasm"))?;
    let bench = Bench { envoy, module, folder: folder.path(), plan };
    for name in Name::value_variants() {
        if options.only.is_empty() || options.only.contains(name) {
            done(table(&bench, *name).await?);
        }
    }
    Ok(())
}

async fn table(bench: &Bench<'_>, name: Name) -> Result<Table> {
    match name {
        Name::Es256 => main_table::run(bench, "es256", Algorithm::Es256).await,
        Name::Rs256 => main_table::run(bench, "rs256", Algorithm::Rs256).await,
        Name::Eddsa => main_table::run(bench, "eddsa", Algorithm::EdDsa).await,
        Name::Tokens => growth::tokens(bench).await,
        Name::Keys => growth::keys(bench).await,
        Name::Rules => growth::rules(bench).await,
        Name::Revocations => growth::revocations(bench).await,
        Name::Workers => growth::workers(bench).await,
        Name::Refusals => refusals::run(bench).await,
    }
}

impl Bench<'_> {
    async fn measure(&self, name: &str, title: &str, rows: Rows) -> Result<Table> {
        let measured = rounds::run(title, rows.chains(), self.plan, self.envoy).await?;
        Ok(Table::new(name, title, &measured))
    }
}
