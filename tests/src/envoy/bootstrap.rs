//! What a test's Envoy is configured with.

use std::path::Path;

use serde_json::{Value, json};

use super::{Options, SEEN, cluster};

const UPSTREAM: &str = "upstream";
const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const STDERR: &str = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog";
const LINE: &str = "access: %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% \
                    state: %FILTER_STATE(wasm.finpay_jwt:PLAIN)%\n";

/// The bootstrap; a listener that can change is in a file of its own.
pub(super) fn bootstrap(admin: &Path, listener_file: &Path, options: &Options) -> Value {
    let mut bootstrap = json!({
        "admin": {"address": {"pipe": {"path": admin}}},
        "static_resources": {"clusters": clusters(options)},
    });
    if options.is_dynamic {
        let source = json!({"path": listener_file, "watched_directory": {"path": listener_file.parent()}});
        bootstrap["node"] = json!({"id": "test", "cluster": "test"});
        bootstrap["dynamic_resources"] = json!({"lds_config": {"path_config_source": source}});
    } else {
        bootstrap["static_resources"]["listeners"] = json!([listener(options, &options.setup.http_filters)]);
    }
    bootstrap
}

fn clusters(options: &Options) -> Vec<Value> {
    let upstream = options.upstream.map(|address| {
        let mut cluster = cluster(UPSTREAM, address);
        let protocol = json!({
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
        });
        cluster["typed_extension_protocol_options"] =
            json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol});
        cluster
    });
    options.setup.clusters.iter().cloned().chain(upstream).collect()
}

/// The listener's file.
pub(super) fn discovery(options: &Options, http_filters: &[Value]) -> Value {
    let mut listener = listener(options, http_filters);
    listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    json!({"resources": [listener]})
}

fn listener(options: &Options, http_filters: &[Value]) -> Value {
    json!({
        "name": "test",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager(options, http_filters),
        }]}],
    })
}

fn manager(options: &Options, http_filters: &[Value]) -> Value {
    let seen = SEEN.iter().copied().chain(options.seen.iter().map(String::as_str)).map(|name| {
        let key = format!("seen-{}", name.trim_start_matches(':'));
        json!({"header": {"key": key, "value": format!("%REQ({name})%")}})
    });
    let seen: Vec<_> = if options.setup.plain { Vec::new() } else { seen.collect() };
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let mut route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
    if let Some((status, body)) = &options.direct {
        route["direct_response"] = json!({"status": status, "body": {"inline_string": body}});
    }
    if options.upstream.is_some() {
        route = json!({"match": {"prefix": "/"}, "route": {"cluster": UPSTREAM, "timeout": "60s"}});
    }
    let mut manager = json!({
        "@type": MANAGER,
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "response_headers_to_add": seen,
            "routes": options.routes.iter().chain([&route]).collect::<Vec<_>>(),
        }]},
        "http_filters": http_filters.iter().chain([&router]).collect::<Vec<_>>(),
    });
    if !options.setup.plain {
        let format = json!({"text_format_source": {"inline_string": LINE}});
        let logger = json!({"@type": STDERR, "log_format": format});
        manager["access_log"] = json!([{"name": "envoy.access_loggers.stderr", "typed_config": logger}]);
    }
    if options.upstream.is_some() {
        manager["upgrade_configs"] = json!([{"upgrade_type": "websocket"}]);
        manager["http2_protocol_options"] = json!({"allow_connect": true});
    }
    if options.is_generous {
        manager["common_http_protocol_options"] = json!({"max_headers_count": 2000});
        manager["max_request_headers_kb"] = 256.into();
    }
    manager
}
