//! What an Envoy is started with; all else it reads from files that it watches.

use serde_json::{Value, json};

use super::{Proxy, typed, watched};
use crate::topology::Topology;

/// The admin interface on a Unix socket: whoever may open it can stop the proxy.
pub(super) fn bootstrap(topology: &Topology, proxy: &Proxy) -> Value {
    let folder = topology.proxy_dir(&proxy.name);
    json!({
        "node": {"id": proxy.name, "cluster": proxy.workload},
        "admin": {"address": {"pipe": {"path": topology.admin_socket(&proxy.name), "mode": 0o600}}},
        "dynamic_resources": {
            "cds_config": watched(&folder.join("cds.json")),
            "lds_config": watched(&folder.join("lds.json")),
        },
        "stats_config": {"use_all_default_tags": false, "stats_tags": stats_tags()},
        // Bounds what a flood of connections can take; far above what one machine serves.
        "overload_manager": {"resource_monitors": [{
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": typed(
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                json!({"max_active_downstream_connections": 8192}),
            ),
        }]},
    })
}

/// Istio's regexes. The last four are the filters' labels, which Istio adds for `extraStatTags` of these names.
fn stats_tags() -> Value {
    let tags = [
        ("cluster_name", r"^cluster\.((.+?(\..+?\.svc\.cluster\.local)?)\.)"),
        ("http_conn_manager_prefix", r"^http\.((.*?)\.)"),
        ("listener_address", r"^listener\.((.*?)\.)"),
        ("response_code_class", r"_rq(_(\dxx))$"),
        ("response_code", r"_rq(_(\d{3}))$"),
        ("verdict", r"(verdict=\.=(.*?);\.;)"),
        ("reason", r"(reason=\.=(.*?);\.;)"),
        ("provider", r"(provider=\.=(.*?);\.;)"),
        ("rule", r"(rule=\.=(.*?);\.;)"),
    ];
    tags.iter().map(|(name, regex)| json!({"tag_name": name, "regex": regex})).collect()
}
