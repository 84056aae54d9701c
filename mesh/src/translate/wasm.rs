//! WasmPlugins as Envoy's Wasm filter, with the module from a local file, as pilot-agent does after its pull.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Context, typed};
use crate::manifest::istio::{FailStrategy, Phase, WasmPlugin};
use crate::manifest::{Labels, selects};

/// The filters of one phase for pods with these labels, higher priority first.
pub(super) fn filters(context: Context<'_>, labels: &Labels, phase: Phase) -> Result<Vec<Value>> {
    let all = context.manifests.all::<WasmPlugin>();
    let mut plugins: Vec<&WasmPlugin> = all
        .filter(|plugin| plugin.spec.phase == phase && selects(&plugin.spec.selector.match_labels, labels))
        .collect();
    plugins.sort_by_key(|plugin| (std::cmp::Reverse(plugin.spec.priority), plugin.metadata.name.clone()));
    plugins.into_iter().map(|plugin| filter(context, plugin)).collect()
}

fn filter(context: Context<'_>, plugin: &WasmPlugin) -> Result<Value> {
    let namespace = plugin.metadata.namespace.as_deref().unwrap_or_default();
    let name = format!("extensions.istio.io/wasmplugin/{namespace}.{}", plugin.metadata.name);
    let module = module(&plugin.spec.url);
    let file = context.topology.wasm_dir.join(format!("{module}.wasm"));
    let mut plugin_config = plugin.spec.plugin_config.clone();
    // WasmPlugin cannot say it, Envoy can: the amount filter holds the headers back while the body still comes, so
    // that the service sees nothing at all of a refused request.
    let holds_headers = module == "amount";
    if holds_headers {
        plugin_config.insert("holdHeaders".to_owned(), Value::Bool(true));
    }
    let configuration = serde_json::to_string(&plugin_config)?;
    let config = json!({
        "config": {
            "name": name,
            "allow_on_headers_stop_iteration": holds_headers,
            "failure_policy": match plugin.spec.fail_strategy {
                FailStrategy::FailClose => "FAIL_CLOSED",
            },
            "configuration": typed("google.protobuf.StringValue", json!({"value": configuration})),
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": file}},
            },
        },
    });
    Ok(json!({
        "name": name,
        "typed_config": typed("envoy.extensions.filters.http.wasm.v3.Wasm", config),
    }))
}

/// `jwt` of `oci://registry/finpay/jwt:0.1.0@sha256:…`.
fn module(url: &str) -> &str {
    let last = url.rsplit('/').next().unwrap_or(url);
    last.split(['@', ':']).next().unwrap_or(last)
}
