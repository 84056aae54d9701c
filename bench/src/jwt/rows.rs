//! The rows of one table, as they are put together.

use std::sync::Arc;

use serde_json::Value;
use tests::envoy::Setup;

use super::native::Native;
use super::ours::Ours;
use crate::chain::Chain;
use crate::load::Traffic;
use crate::wasm::Module;

/// The name of Envoy's own filter in all tables.
pub const NATIVE: &str = "Envoy's jwt_authn";
/// The name of this project's.
pub const OURS: &str = "this filter";

/// What the chains that are added next have in common.
#[derive(Debug, Clone)]
pub struct Common {
    /// The row without a filter.
    pub empty: String,
    /// What is sent.
    pub traffic: Arc<Traffic>,
    /// What filters may ask.
    pub clusters: Vec<Value>,
    /// Envoy's worker threads.
    pub workers: u32,
}

/// The rows so far.
#[derive(Debug)]
pub struct Rows {
    /// This project's filter.
    module: Module,
    chains: Vec<Chain>,
}

impl Rows {
    /// None yet.
    pub fn new(module: Module) -> Self {
        Self { module, chains: Vec::new() }
    }

    /// An Envoy without a filter.
    pub fn empty(&mut self, common: &Common) {
        self.add(common, &common.empty, None, Vec::new(), None);
    }

    /// A module that stands for nothing but the price of Wasm.
    pub fn wasm(&mut self, common: &Common, name: &str, module: &Module) {
        self.add(common, name, None, vec![module.filter("")], Some(module.bytes));
    }

    /// Envoy's own filter; gives the row's name.
    pub fn native(&mut self, common: &Common, label: &str, native: Native<'_>) -> String {
        let name = named(NATIVE, label);
        self.add(common, &name, None, vec![native.filter()], None);
        name
    }

    /// This filter, beside a row of Envoy's own.
    pub fn ours(&mut self, common: &Common, label: &str, native: &str, ours: Ours<'_>) {
        let filter = self.module.filter(&ours.configuration());
        let bytes = self.module.bytes;
        self.add(common, &named(OURS, label), Some(native), vec![filter], Some(bytes));
    }

    /// All rows, in the order in which they were added.
    pub fn chains(self) -> Vec<Chain> {
        self.chains
    }

    fn add(
        &mut self,
        common: &Common,
        name: &str,
        native: Option<&str>,
        http_filters: Vec<Value>,
        module_bytes: Option<u64>,
    ) {
        let setup = Setup {
            http_filters,
            clusters: common.clusters.clone(),
            concurrency: common.workers,
            plain: true,
        };
        self.chains.push(Chain {
            name: name.to_owned(),
            over: (name != common.empty).then(|| common.empty.clone()),
            native: native.map(str::to_owned),
            setup,
            traffic: Arc::clone(&common.traffic),
            module_bytes,
        });
    }
}

fn named(filter: &str, label: &str) -> String {
    if label.is_empty() { filter.to_owned() } else { format!("{filter}, {label}") }
}
