//! Prometheus' configuration: what is scraped, and how Envoy's names become Istio's.

use serde_json::{Value, json};

use super::access_log::SCOPE;
use crate::topology::{GATEWAY, Topology};

/// The configuration; JSON, which is YAML too.
pub fn prometheus_config(topology: &Topology) -> Value {
    let mut proxies =
        vec![target(&topology.gateway.metrics.to_string(), super::names::GATEWAY_WORKLOAD, GATEWAY)];
    let mut services = Vec::new();
    for replica in &topology.replicas {
        let address = replica.metrics.to_string();
        proxies.push(target(&address, &replica.workload, &replica.sidecar()));
        services.push(target(&address, &replica.workload, &replica.name()));
    }
    json!({
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
        "scrape_configs": [
            {
                "job_name": "envoy-stats",
                "metrics_path": "/stats/prometheus",
                "static_configs": proxies,
                "metric_relabel_configs": istio_names(),
            },
            {"job_name": "services", "metrics_path": "/metrics", "static_configs": services},
        ],
    })
}

fn target(address: &str, workload: &str, process: &str) -> Value {
    json!({"targets": [address], "labels": {"workload": workload, "instance": process}})
}

fn istio_names() -> Value {
    let empty_as_unknown = |label: &str| json!({"source_labels": [label, "__name__"], "regex": "-?;istio_.+", "target_label": label, "replacement": "unknown"});
    json!([
        {
            "source_labels": ["__name__"],
            "regex": format!("envoy_{SCOPE}_(istio_.+)"),
            "target_label": "__name__",
        },
        {
            "source_labels": ["source_principal"],
            "regex": "spiffe://[^/]+/ns/[^/]+/sa/(.+?)(-service-account)?",
            "target_label": "source_workload",
        },
        empty_as_unknown("destination_service"),
        empty_as_unknown("destination_workload"),
        empty_as_unknown("destination_principal"),
        empty_as_unknown("source_principal"),
    ])
}
