//! A configuration as a tree in which lists have keys too, and what each of its fields is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

/// A value as text, or parts by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Leaf(String),
    Branch(BTreeMap<String, Tree>),
}

impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(text) => formatter.write_str(text),
            Self::Branch(children) => {
                let parts: Vec<String> =
                    children.iter().map(|(key, inner)| format!("{key}: {inner}")).collect();
                write!(formatter, "{{{}}}", parts.join(", "))
            }
        }
    }
}

/// What is compared, in the order in which a path is looked at: the first that fits counts.
pub(crate) const TOPICS: [&str; 9] = [
    "filter order and configuration",
    "RBAC rules",
    "retries",
    "timeouts",
    "outlier detection",
    "connection limits",
    "TLS and identities",
    "access log and tracing",
    "routes",
];

/// What belongs to none of them.
pub(crate) const OTHER: &str = "connections and clusters, other settings";

/// The topic of a path.
pub(crate) fn topic(path: &str) -> &'static str {
    let path = format!("{path}/");
    let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
    let [filters, rbac, retries, timeouts, outliers, limits, tls, logs, routes] = TOPICS;
    match () {
        () if has(&["/filters/envoy.filters.http.rbac"]) => rbac,
        () if has(&["/filters/", "/filter_order/"]) => filters,
        () if has(&["/access_log/", "/tracing/"]) => logs,
        () if has(&["/retry_policy/"]) => retries,
        () if has(&["/tls/", "/transport_socket/"]) => tls,
        () if has(&["/outlier_detection/"]) => outliers,
        () if has(&["timeout", "_duration"]) => timeouts,
        () if has(&["/circuit_breakers/", "max_requests_per_connection", "buffer_limit"]) => limits,
        () if has(&["/routes/", "/virtual_host/", "/other_hosts/", "/route_config/"]) => routes,
        () => OTHER,
    }
}

/// The tree of a normalised configuration; `path` begins with the proxy's name.
pub(crate) fn tree(path: &str, value: &Value) -> Option<Tree> {
    let below = |key: &str| format!("{path}/{key}");
    let branch = |children: Vec<(String, &Value)>| {
        let children = children.into_iter();
        let grown = children.filter_map(|(key, inner)| {
            let key = key.replace('/', "~");
            let inner = tree(&below(&key), inner)?;
            Some((key, inner))
        });
        Tree::Branch(grown.collect())
    };
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) if !fields.is_empty() => {
            Some(branch(fields.iter().map(|(key, inner)| (key.clone(), inner)).collect()))
        }
        Value::Array(items) => Some(branch(keys(path, items).into_iter().zip(items).collect())),
        leaf => Some(text(leaf)).filter(|text| !is_default(path, text)).map(Tree::Leaf),
    }
}

/// A list's keys: names where all have one and order means nothing, else numbers.
fn keys(path: &str, items: &[Value]) -> Vec<String> {
    // Sets of words: the word itself.
    if path.ends_with("/domains") || path.ends_with("/request_headers_to_remove") {
        return items.iter().map(text).collect();
    }
    let numbers = || (0..items.len()).map(|index| index.to_string()).collect();
    // Order means something there.
    if path.ends_with("/routes") || path.contains("/configuration/") {
        return numbers();
    }
    let name =
        |item: &Value| ["name", "tag"].iter().find_map(|key| Some(item.get(key)?.as_str()?.to_owned()));
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    let unlike = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == items.len();
    names.filter(unlike).unwrap_or_else(numbers)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => duration(text).unwrap_or_else(|| text.clone()),
        other => other.to_string(),
    }
}

/// `0.600s` and `0.6s` are the same.
fn duration(text: &str) -> Option<String> {
    let (whole, fraction) = text.strip_suffix('s')?.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { format!("{whole}s") } else { format!("{whole}.{fraction}s") })
}

/// Fields that say what their absence says, by Envoy's API.
fn is_default(path: &str, value: &str) -> bool {
    const DEFAULTS: [(&str, &str); 11] = [
        // RouteMatch: "The default is true."
        ("/match/case_sensitive", "true"),
        // UuidRequestIdConfig: "If this field is not set, the default value of true is used."
        ("/pack_trace_reason", "true"),
        ("/use_request_id_for_trace_sampling", "true"),
        // Listener: "If unspecified, an implementation defined default is applied (1MiB)."
        ("/per_connection_buffer_limit_bytes", "1048576"),
        // HttpConnectionManager.Tracing: "Default: 100%".
        ("/tracing/client_sampling", "100"),
        ("/tracing/overall_sampling", "100"),
        // HttpProtocolOptions: "If unconfigured, the default maximum number of request headers allowed is 100."
        ("/common_http_protocol_options/max_headers_count", "100"),
        // The first value of an enum, and false, are what proto3 leaves out.
        ("/codec_type", "AUTO"),
        ("/rules/action", "ALLOW"),
        ("/forward_client_cert_details", "SANITIZE"),
        ("/allow_on_headers_stop_iteration", "false"),
    ];
    DEFAULTS.iter().any(|(end, default)| path.ends_with(end) && value == *default)
}
