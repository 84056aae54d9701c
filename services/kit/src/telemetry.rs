//! Logs as JSON lines on standard output, and HTTP metrics for Prometheus.

use axum_prometheus::metrics_exporter_prometheus::PrometheusHandle;
use axum_prometheus::{EndpointLabel, PrometheusMetricLayer, PrometheusMetricLayerBuilder};
use tracing_subscriber::EnvFilter;

/// Starts the log. A filter that cannot be read is an error with its text.
pub fn start(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|problem| format!("FINPAY_LOG: {problem}"))?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}

/// The layer that counts requests as `finpay_http_requests_total{method, endpoint, status}` and times them, and the
/// text for `/metrics`. Health checks and scrapes are not counted.
pub fn metrics() -> (PrometheusMetricLayer<'static>, PrometheusHandle) {
    PrometheusMetricLayerBuilder::new()
        .with_prefix("finpay")
        .with_ignore_patterns(&["/healthz", "/readyz", "/metrics"])
        // An unknown path is a label of its own, or a scanner would fill the memory with series.
        .with_endpoint_label_type(EndpointLabel::MatchedPathWithFallbackFn(|_| "unmatched".to_owned()))
        .with_default_metrics()
        .build_pair()
}
