//! What the subjects share: their options, and how their tables are measured one after the other.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use mesh::console::line;

use crate::rounds::{self, Plan};
use crate::rows::Rows;
use crate::table::{Column, Table};
use crate::wasm::Module;

/// A subject's options; its tables have names.
#[derive(Debug, Clone, Args)]
pub struct Options<Name: ValueEnum + Send + Sync + 'static> {
    /// How often each chain is started: one process is a little faster than the next
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub starts: u32,
    /// Rounds after each start, in which every chain has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
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

/// What all tables of a subject need.
#[derive(Debug)]
pub struct Rig<'a> {
    envoy: &'a Path,
    /// This project's filter.
    module: Module,
    /// For modules made on the way.
    pub folder: &'a Path,
    plan: Plan,
}

impl Rig<'_> {
    /// Rows for a table about this project's filter.
    pub fn rows(&self) -> Rows {
        Rows::new(self.module.clone())
    }

    /// Measures the rows.
    pub async fn measure(&self, title: &str, columns: &[Column], rows: Rows) -> Result<Table> {
        let measured = rounds::run(title, rows.chains(), self.plan, self.envoy).await?;
        Ok(Table::new(title, columns, &measured))
    }
}

/// Measures the tables that were asked for, and prints each when it is done.
pub async fn run<Name: ValueEnum + PartialEq + Copy + Send + Sync>(
    options: &Options<Name>,
    module: &str,
    table: impl AsyncFn(&Rig<'_>, Name) -> Result<Table>,
) -> Result<()> {
    let (envoy, wasm_dir) = (folder("FINPAY_ENVOY")?, folder("FINPAY_WASM_DIR")?);
    let modules = tempfile::tempdir().context("no folder for modules")?;
    let plan = Plan { starts: options.starts, rounds: options.rounds, requests: options.requests };
    let module = Module::open(wasm_dir.join(module))?;
    let rig = Rig { envoy: &envoy, module, folder: modules.path(), plan };
    let mut tables = Vec::new();
    for name in Name::value_variants() {
        if options.only.is_empty() || options.only.contains(name) {
            let mut table = table(&rig, *name).await?;
            table.name =
                name.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            if options.json {
                tables.push(table);
            } else {
                line(format!("{}\n", table.render()));
            }
        }
    }
    if options.json {
        line(serde_json::to_string_pretty(&tables)?);
    }
    Ok(())
}

fn folder(name: &str) -> Result<PathBuf> {
    env::var_os(name).map(PathBuf::from).with_context(|| format!("{name} is not set, run `cargo mesh bench`"))
}
