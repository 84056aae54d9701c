//! What all HTTP listeners share.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::typed;

/// A socket address.
pub(super) fn address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// A listener. Without SO_REUSEPORT, so that a port in use is an error and not shared with a stranger.
pub(super) fn listener(
    name: &str,
    bind: SocketAddr,
    manager: &Value,
    transport_socket: Option<Value>,
) -> Value {
    let mut chain = json!({"filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }]});
    if let Some(socket) = transport_socket {
        chain["transport_socket"] = socket;
        chain["transport_socket_connect_timeout"] = json!("5s");
    }
    json!({
        "name": name,
        "address": address(bind),
        "enable_reuse_port": false,
        "per_connection_buffer_limit_bytes": 1_048_576,
        "filter_chains": [chain],
    })
}

/// A connection manager with Istio's path normalisation (DECODE_AND_MERGE_SLASHES), so that a rule by path sees
/// the path that the service will see.
pub(super) fn manager(prefix: &str, filters: &[Value], virtual_hosts: &[Value], more: Value) -> Value {
    let mut manager = json!({
        "stat_prefix": prefix,
        "codec_type": "AUTO",
        "server_name": "istio-envoy",
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "stream_idle_timeout": "60s",
        "request_headers_timeout": "10s",
        "request_timeout": "30s",
        "common_http_protocol_options": {"idle_timeout": "120s", "max_headers_count": 100},
        // x-request-id is an idempotency key: no proxy may write its sampling decision into it.
        "request_id_extension": {"typed_config": typed(
            "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
            json!({"pack_trace_reason": false}),
        )},
        "route_config": {"name": prefix, "validate_clusters": false, "virtual_hosts": virtual_hosts},
        "http_filters": filters,
    });
    if let (Some(fields), Value::Object(more)) = (manager.as_object_mut(), more) {
        for (key, value) in more {
            merge(fields, key, value);
        }
    }
    typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", manager)
}

/// The last filter. What retries and timeouts there were inside is nobody's business outside.
pub(super) fn router() -> Value {
    let fields = json!({"suppress_envoy_headers": true});
    json!({
        "name": "envoy.filters.http.router",
        "typed_config": typed("envoy.extensions.filters.http.router.v3.Router", fields),
    })
}

/// The trace context starts at the first proxy and moves on to the last. Nothing collects spans on one machine,
/// so none is sampled, whatever a client says; the exporter that Envoy insists on leads nowhere.
pub(super) fn tracing(workload: &str) -> Value {
    let none = typed(
        "envoy.extensions.tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig",
        json!({"sampling_percentage": {"numerator": 0}}),
    );
    let config = json!({
        "service_name": workload,
        "http_service": {"http_uri": {"uri": "http://none/v1/traces", "cluster": "none", "timeout": "1s"}},
        "sampler": {
            "name": "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
            "typed_config": none,
        },
    });
    json!({
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed("envoy.config.trace.v3.OpenTelemetryConfig", config),
        },
    })
}

/// Turns Envoy's own answers to failed calls into problems. Answers of filters carry no response flag and stay
/// as they are, as does authorisation's, which Istio words the same.
pub(super) fn upstream_problems() -> Value {
    let filter = json!({"response_flag_filter": {"flags": [
        "UH", "UF", "UO", "NR", "URX", "NC", "UT", "UC", "UR", "LR", "UPE", "OM", "DT",
    ]}});
    let problem = problem("upstream-unavailable", "The service cannot be reached", "%LOCAL_REPLY_BODY%");
    json!({"mappers": [{"filter": filter, "body_format_override": problem}]})
}

/// A body format of a problem.
pub(super) fn problem(code: &str, title: &str, detail: &str) -> Value {
    json!({
        "content_type": "application/problem+json",
        "json_format": {
            "type": format!("https://finpay.example/problems/{code}"),
            "title": title,
            "status": "%RESPONSE_CODE%",
            "detail": detail,
        },
    })
}

fn merge(fields: &mut Map<String, Value>, key: String, value: Value) {
    match (fields.get_mut(&key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (_, value) => {
            fields.insert(key, value);
        }
    }
}
