//! The listener from which metrics are scraped, and nothing else can be had.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{cluster, http};

/// `/stats/prometheus` and `/ready` of the proxy, and `/metrics` of the service behind it, if there is one.
pub(super) fn listener(bind: SocketAddr, service: Option<&str>) -> Value {
    let route = |path: &str, cluster: &str| {
        json!({
            "name": path,
            "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
            "route": {"cluster": cluster, "timeout": "5s"},
        })
    };
    let mut routes = vec![route("/stats/prometheus", cluster::ADMIN), route("/ready", cluster::ADMIN)];
    routes.extend(service.map(|cluster| route("/metrics", cluster)));
    let host = json!({"name": "metrics", "domains": ["*"], "routes": routes});
    let manager = http::manager("metrics", &[http::router()], &[host], json!({}));
    http::listener("metrics", bind, &manager, None)
}
