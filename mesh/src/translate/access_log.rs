//! Access logs as JSON lines, and Istio's standard metrics, which Envoy counts as an access logger.

use serde_json::{Value, json};

use super::{Context, Proxy, typed};
use crate::manifest::istio::Telemetry;

/// The scope of the counters below; the scrape takes it off again.
pub(super) const SCOPE: &str = "mesh";

/// The side from which a request is seen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reporter<'a> {
    /// The calling side: the destination is known by its cluster.
    Source(&'a Proxy),
    /// The called side: itself, with its service's name.
    Destination(&'a Proxy, &'a str),
}

/// All access loggers of a listener.
pub(super) fn loggers(context: Context<'_>, direction: &str, reporter: Reporter<'_>) -> Vec<Value> {
    let mut loggers = vec![stats(reporter)];
    if context.manifests.all::<Telemetry>().any(|telemetry| !telemetry.spec.access_logging.is_empty()) {
        loggers.push(lines(direction));
    }
    loggers
}

/// No header that carries a secret, and no query string.
fn lines(direction: &str) -> Value {
    let config = json!({"log_format": {"json_format": {
        "time": "%START_TIME%",
        "direction": direction,
        "trace_id": "%TRACE_ID%",
        "traceparent": "%REQ(TRACEPARENT)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "peer": "%DOWNSTREAM_PEER_URI_SAN%",
        "upstream_peer": "%UPSTREAM_PEER_URI_SAN%",
        "method": "%REQ(:METHOD)%",
        "authority": "%REQ(:AUTHORITY)%",
        "path": "%PATH(NQ)%",
        "protocol": "%PROTOCOL%",
        "route": "%ROUTE_NAME%",
        "upstream_cluster": "%UPSTREAM_CLUSTER%",
        "upstream_host": "%UPSTREAM_HOST%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
        "upstream_ms": "%RESPONSE_DURATION%",
    }}});
    json!({
        "name": "envoy.access_loggers.stdout",
        "typed_config": typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", config),
    })
}

/// `istio_requests_total` and `istio_request_duration_milliseconds` with Istio's labels. The source's workload
/// is not known to the called side; the scrape takes it from its principal.
fn stats(reporter: Reporter<'_>) -> Value {
    let tags = match reporter {
        Reporter::Source(proxy) => [
            ("reporter", "source".to_owned()),
            ("source_principal", proxy.spiffe.clone()),
            ("destination_principal", "%CLUSTER_METADATA(istio:principal)%".to_owned()),
            ("destination_workload", "%CLUSTER_METADATA(istio:workload)%".to_owned()),
            ("destination_service", "%CLUSTER_METADATA(istio:host)%".to_owned()),
            // Istio's words: only the called side knows for sure.
            ("connection_security_policy", "unknown".to_owned()),
        ],
        Reporter::Destination(proxy, service) => [
            ("reporter", "destination".to_owned()),
            ("source_principal", "%DOWNSTREAM_PEER_URI_SAN%".to_owned()),
            ("destination_principal", proxy.spiffe.clone()),
            ("destination_workload", proxy.workload.clone()),
            ("destination_service", service.to_owned()),
            // The listener has no other kind of connection.
            ("connection_security_policy", "mutual_tls".to_owned()),
        ],
    };
    let tag = |name: &str, value: &str| json!({"name": name, "value_format": value});
    let mut tags: Vec<Value> = tags.iter().map(|(name, value)| tag(name, value)).collect();
    tags.push(tag("response_code", "%RESPONSE_CODE%"));
    tags.push(tag("response_flags", "%RESPONSE_FLAGS%"));
    let config = json!({
        "stats_scope": {"prefix": SCOPE},
        "counters": [{"stat": {"name": "istio_requests_total", "tags": tags}, "value_fixed": 1}],
        "histograms": [{
            "stat": {"name": "istio_request_duration_milliseconds", "tags": tags},
            "unit": "Milliseconds",
            "value_format": "%DURATION%",
        }],
    });
    json!({
        "name": "envoy.access_loggers.stats",
        "typed_config": typed("envoy.extensions.access_loggers.stats.v3.Config", config),
    })
}
