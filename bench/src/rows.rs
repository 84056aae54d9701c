//! The rows of one table, as they are put together.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tests::envoy::{Options, Setup};

use crate::chain::Chain;
use crate::traffic::Traffic;
use crate::wasm::Module;

/// The name of this project's filter in all tables.
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
    /// Who answers what the filters let through.
    pub answer: Answer,
}

impl Common {
    /// One worker, which answers by its route.
    pub fn new(traffic: Traffic, clusters: Vec<Value>) -> Self {
        Self {
            empty: "empty".to_owned(),
            traffic: Arc::new(traffic),
            clusters,
            workers: 1,
            answer: Answer::Route,
        }
    }
}

/// Who answers what the filters let through, in the empty chain too.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The route, as soon as it has the headers, with 200.
    Route,
    /// The route likewise, with this status and body.
    Refusal(u16, String),
    /// This filter, behind all others.
    Filter(Value),
    /// A service behind Envoy.
    Upstream(SocketAddr),
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
        self.add(common, &common.empty, None, None, None);
    }

    /// A module that stands for nothing but the price of Wasm.
    pub fn wasm(&mut self, common: &Common, name: &str, beside: Option<&str>, module: &Module) {
        self.add(common, name, beside, Some(module.filter("")), Some(module.bytes));
    }

    /// A filter of Envoy's own.
    pub fn native(&mut self, common: &Common, name: &str, beside: Option<&str>, filter: Value) {
        self.add(common, name, beside, Some(filter), None);
    }

    /// This filter with this configuration, beside another row.
    pub fn ours(&mut self, common: &Common, label: &str, beside: &str, configuration: &str) {
        self.this(common, label, beside, self.module.filter(configuration));
    }

    /// The same with headers held back until the body is judged.
    pub fn ours_held(&mut self, common: &Common, label: &str, beside: &str, configuration: &str) {
        let mut filter = self.module.filter(configuration);
        filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = true.into();
        self.this(common, label, beside, filter);
    }

    fn this(&mut self, common: &Common, label: &str, beside: &str, filter: Value) {
        let bytes = self.module.bytes;
        self.add(common, &named(OURS, label), Some(beside), Some(filter), Some(bytes));
    }

    /// All rows, in the order in which they were added.
    pub fn chains(self) -> Vec<Chain> {
        self.chains
    }

    fn add(
        &mut self,
        common: &Common,
        name: &str,
        beside: Option<&str>,
        filter: Option<Value>,
        module_bytes: Option<u64>,
    ) {
        let (mut last, mut upstream, mut direct) = (None, None, None);
        match &common.answer {
            Answer::Route => {}
            Answer::Refusal(status, body) => direct = Some((*status, body.clone())),
            Answer::Filter(filter) => last = Some(filter.clone()),
            Answer::Upstream(address) => upstream = Some(*address),
        }
        let setup = Setup {
            http_filters: filter.into_iter().chain(last).collect(),
            clusters: common.clusters.clone(),
            concurrency: common.workers,
            plain: true,
        };
        self.chains.push(Chain {
            name: name.to_owned(),
            over: (name != common.empty).then(|| common.empty.clone()),
            beside: beside.map(str::to_owned),
            envoy: Options { setup, upstream, direct, ..Options::default() },
            traffic: Arc::clone(&common.traffic),
            module_bytes,
        });
    }
}

/// A filter's name, with what is special about it in this row.
pub fn named(filter: &str, label: &str) -> String {
    if label.is_empty() { filter.to_owned() } else { format!("{filter}, {label}") }
}

/// A number of things.
pub fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
