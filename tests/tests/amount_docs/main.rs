//! What `docs/amount-filter.md` promises a stranger: its complete Envoy and its examples, in front of a service that
//! knows nothing of us. The configurations and the bodies are those of the document.

#[path = "../example/mod.rs"]
mod example;

mod bootstrap;
mod examples;
mod text;

use std::sync::Arc;

use anyhow::Result;
use example::api::Api;
use example::{Example, SERVICE_PORT};
use serde_json::Value;
use tests::metrics;

pub(crate) const FILE: &str = "amount-filter.md";
pub(crate) const CONFIGURATION: &str = "yaml amount-filter";
/// Where the filter's settings are in the document's Envoy.
pub(crate) const FILTER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";

/// The document's Envoy with another configuration, as a WasmPlugin or holding headers.
pub(crate) async fn start(
    api: &Arc<Api>,
    configuration: &Value,
    holds_headers: bool,
) -> Result<Option<Example>> {
    let edit = |bootstrap: &mut Value| configure(bootstrap, configuration, holds_headers);
    Example::start(FILE, vec![(SERVICE_PORT, api.router())], edit).await
}

pub(crate) fn configure(bootstrap: &mut Value, configuration: &Value, holds_headers: bool) {
    let mut configuration = configuration.clone();
    configuration["holdHeaders"] = holds_headers.into();
    let filter = bootstrap.pointer_mut(FILTER).unwrap_or_else(|| panic!("no {FILTER}"));
    filter["allow_on_headers_stop_iteration"] = holds_headers.into();
    filter["configuration"]["value"] = configuration.to_string().into();
}

/// The counter of verdicts with these labels.
pub(crate) fn assert_count(text: &str, labels: &[&str], expected: usize) {
    let count = metrics::sum(text, "finpay_amount_requests_total", labels);
    assert_eq!(format!("{count}"), expected.to_string(), "{labels:?}\n{text}");
}
