//! Two spellings of one meaning become one: extensions, wrapper values, deprecated names, sources of
//! configuration, and nested `and` and `or` of a single rule.

use serde_json::{Map, Value, json};

/// A configuration in the one spelling.
pub(crate) fn normal(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(normal).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, inner)| renamed(key, normal(inner))).collect();
            simpler(fields)
        }
        other => other,
    }
}

/// One field, by its present name.
fn renamed(key: String, value: Value) -> (String, Value) {
    match key.as_str() {
        // "type.googleapis.com/" is the same everywhere.
        "@type" => {
            let name = value.as_str().unwrap_or_default().replace("type.googleapis.com/", "");
            ("type_url".to_owned(), json!(name))
        }
        // Deprecated: names without the kind of name.
        "match_subject_alt_names" => {
            let matchers = value.as_array().cloned().unwrap_or_default();
            let typed: Vec<Value> = matchers.into_iter().map(|matcher| json!({"matcher": matcher})).collect();
            ("match_typed_subject_alt_names".to_owned(), json!(typed))
        }
        "permissions" | "principals" => (key, alternatives(value)),
        _ => (key, value),
    }
}

/// One message, less what only wraps it.
fn simpler(mut fields: Map<String, Value>) -> Value {
    // An empty message in one of these says nothing.
    for key in ["common_lb_config", "http_protocol_options", "filter_chain_match"] {
        // It chooses HTTP/1.1 where a cluster has it, and nothing where a listener has it.
        let counts = key == "http_protocol_options" && !fields.contains_key("stat_prefix");
        if !counts && fields.get(key).is_some_and(|inner| inner.as_object().is_some_and(Map::is_empty)) {
            fields.remove(key);
        }
    }
    if let Some(source) = source(&fields) {
        return json!(source);
    }
    if fields.len() == 1 {
        // A wrapper value: {"value": 50}.
        if let Some(inner) = fields.get("value").filter(|inner| !inner.is_object() && !inner.is_array()) {
            return inner.clone();
        }
        if let Some(only) = only_rule(&fields) {
            return only;
        }
    }
    if fields.get("type_url").is_some_and(|name| name == "envoy.extensions.access_loggers.stats.v3.Config")
        && let Some(prefix) = fields.remove("stat_prefix")
    {
        fields.insert("stats_scope".to_owned(), json!({"prefix": prefix}));
    }
    if let Some(configuration) = plugin_config(&fields) {
        return configuration;
    }
    unwrapped(fields)
}

/// Where something is read from: the kind alone, since places differ by nature.
fn source(fields: &Map<String, Value>) -> Option<&'static str> {
    if !fields.contains_key("resource_api_version") {
        return None;
    }
    let kinds = [("path_config_source", "file"), ("ads", "istiod"), ("api_config_source", "pilot-agent")];
    kinds.iter().find(|(key, _)| fields.contains_key(*key)).map(|(_, kind)| *kind)
}

/// `and` or `or` of one rule is that rule.
fn only_rule(fields: &Map<String, Value>) -> Option<Value> {
    let nested = [("and_rules", "rules"), ("or_rules", "rules"), ("and_ids", "ids"), ("or_ids", "ids")];
    let (outer, inner) = nested.iter().find(|(outer, _)| fields.contains_key(*outer))?;
    match fields[*outer][inner].as_array()?.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// A policy's permissions and principals are alternatives already: an `or` among them opens.
fn alternatives(value: Value) -> Value {
    let Value::Array(items) = value else { return value };
    let open = |item: Value| -> Vec<Value> {
        let inner = item.pointer("/or_rules/rules").or_else(|| item.pointer("/or_ids/ids"));
        inner.and_then(Value::as_array).cloned().unwrap_or_else(|| vec![item])
    };
    items.into_iter().flat_map(open).collect()
}

/// A filter's own configuration is JSON in a string.
fn plugin_config(fields: &Map<String, Value>) -> Option<Value> {
    fields.get("type_url").filter(|name| *name == "google.protobuf.StringValue")?;
    serde_json::from_str(fields.get("value")?.as_str()?).ok()
}

/// {"name", "typed_config": {…}} is one message.
fn unwrapped(mut fields: Map<String, Value>) -> Value {
    match fields.remove("typed_config") {
        Some(Value::Object(inner)) if inner.keys().all(|key| !fields.contains_key(key)) => {
            fields.extend(inner);
        }
        Some(other) => {
            fields.insert("typed_config".to_owned(), other);
        }
        None => {}
    }
    Value::Object(fields)
}

/// `wasm.finpay.jwt` for both names of a WasmPlugin's filter; other names stay.
pub(crate) fn filter_name(name: &str) -> String {
    let name = name.strip_suffix("~istio-translated-wasmplugin").unwrap_or(name);
    let kinds = ["extensions.istio.io/wasmplugin/", "extensions.istio.io/trafficextension/"];
    match kinds.iter().find_map(|kind| name.strip_prefix(kind)) {
        Some(plugin) => format!("wasm.{plugin}"),
        None => name.to_owned(),
    }
}
