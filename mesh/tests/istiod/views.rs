//! Both sides in one shape: for each proxy its listeners and clusters, and each filter's configuration by name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use mesh::manifest::Manifests;
use mesh::topology::{Gateway, GatewayListener, Replica, Topology};
use mesh::translate::{self, ConfigFile};
use serde_json::{Map, Value, json};

use super::normal::{filter_name, normal};

const WORKLOADS: [(&str, u16); 3] =
    [("auth-service", 3001), ("payment-service", 3002), ("order-service", 3003)];

/// What `cargo mesh config` writes, by proxy.
pub(crate) fn ours() -> BTreeMap<String, Value> {
    let manifests = Manifests::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/base")).unwrap();
    let topology = topology();
    let files = translate::envoy_files(&manifests, &topology, &BTreeSet::new()).unwrap();
    let resource =
        |proxy: &str, file: &str, name: &str| resource(&files, &topology.proxy_dir(proxy).join(file), name);
    let mut views = BTreeMap::new();
    for (workload, port) in WORKLOADS {
        let proxy = format!("{workload}-0.sidecar");
        let inbound = view(&resource(&proxy, "lds.json", "virtualInbound"), "*", &Value::Null);
        let listener = resource(&proxy, "lds.json", "virtualOutbound");
        let mut clusters = clusters(|name| resource(&proxy, "cds.json", name));
        let name = format!("inbound|{port}||");
        clusters.insert(name.clone(), resource(&proxy, "cds.json", &name));
        let mut all = json!({"inbound": inbound, "clusters": clusters});
        for (called, _) in WORKLOADS {
            all[format!("outbound {called}")] = view(&listener, called, &Value::Null);
        }
        views.insert(workload.to_owned(), normal(all));
    }
    let gateway = view(&resource("gateway", "lds.json", "0.0.0.0_8080"), "*", &Value::Null);
    let clusters = clusters(|name| resource("gateway", "cds.json", name));
    views.insert("gateway".to_owned(), normal(json!({"gateway": gateway, "clusters": clusters})));
    views
}

/// What istiod sends to one proxy, from its reduced dump.
pub(crate) fn istiods(dump: &Value) -> Value {
    let listener = |part: &Value| {
        let mut chain = part["chain"].clone();
        let manager = chain["filters"].as_array_mut().unwrap().last_mut().unwrap();
        if part["route_config"].is_object() {
            manager["typed_config"]["route_config"] = part["route_config"].clone();
        }
        json!({"filter_chains": [chain]})
    };
    let filters = &dump["filters"];
    let mut all = Map::new();
    for (direction, host) in [("inbound", "*"), ("gateway", "*")] {
        if let Some(part) = dump.get(direction) {
            all.insert(direction.to_owned(), view(&listener(part), host, filters));
        }
    }
    for (called, part) in dump.get("outbound").and_then(Value::as_object).into_iter().flatten() {
        all.insert(format!("outbound {called}"), view(&listener(part), called, filters));
    }
    all.insert("clusters".to_owned(), dump["clusters"].clone());
    normal(json!(all))
}

/// Leaves from the filters' order those that one side does not have: their absence is told by their
/// configuration, and the order of the others can be compared.
pub(crate) fn common_order(ours: &Value, istiods: &Value) -> (Value, Value) {
    (less(ours, istiods), less(istiods, ours))
}

fn less(value: &Value, other: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let keep = |(key, inner): (&String, &Value)| {
        let there = &other[key];
        let inner = match (key.as_str(), inner, there) {
            ("filter_order", Value::Array(names), Value::Array(others)) => {
                names.iter().filter(|name| others.contains(name)).cloned().collect()
            }
            _ => less(inner, there),
        };
        (key.clone(), inner)
    };
    fields.iter().map(keep).collect()
}

/// A listener with the virtual host of one service; `filters` holds what the listener names only.
fn view(listener: &Value, host: &str, filters: &Value) -> Value {
    let chain = &listener["filter_chains"][0];
    let mut manager = chain["filters"].as_array().unwrap().last().unwrap()["typed_config"].clone();
    let fields = manager.as_object_mut().unwrap();
    let mut take = |key: &str| fields.remove(key).unwrap_or_default();
    let (http_filters, access_log, mut routes) =
        (take("http_filters"), take("access_log"), take("route_config"));
    take("rds");
    let names = http_filters.as_array().unwrap().iter().map(|filter| filter["name"].as_str().unwrap());
    let order: Vec<String> = names.map(filter_name).collect();
    let configured: Map<String, Value> = http_filters
        .as_array()
        .unwrap()
        .iter()
        .zip(&order)
        .map(|(filter, name)| (name.clone(), configuration(filter, filters)))
        .collect();

    let route_fields = routes.as_object_mut().unwrap();
    // Sent on its own by istiod, a part of the listener here: the type stands where it is needed.
    route_fields.remove("@type");
    let hosts = route_fields.remove("virtual_hosts").unwrap();
    let (mut own, mut others) = (Value::Null, Vec::new());
    for candidate in hosts.as_array().unwrap() {
        let name = candidate["name"].as_str().unwrap();
        if host == "*" || name.starts_with(&format!("{host}.")) {
            own = candidate.clone();
        } else if candidate["domains"] == json!(["*"]) {
            others.push(candidate.clone());
        }
    }
    let own_routes = own.as_object_mut().unwrap().remove("routes").unwrap();
    json!({
        "http": manager,
        "filters": configured,
        "filter_order": order,
        "access_log": access_log,
        "routes": own_routes.as_array().unwrap().iter().map(route).collect::<Vec<_>>(),
        "virtual_host": own,
        "other_hosts": others,
        "route_config": routes,
        "tls": chain["transport_socket"],
        "transport_socket_connect_timeout": chain["transport_socket_connect_timeout"],
        "per_connection_buffer_limit_bytes": listener["per_connection_buffer_limit_bytes"],
    })
}

/// A filter's own configuration, wherever it stands, less its name.
fn configuration(filter: &Value, filters: &Value) -> Value {
    let mut config = match filter.get("typed_config") {
        Some(config) => config.clone(),
        None => filters[filter["name"].as_str().unwrap()].clone(),
    };
    if let Some(name) = config.pointer_mut("/config/name") {
        *name = json!(filter_name(filter["name"].as_str().unwrap()));
    }
    config
}

/// A route with its action's fields beside its own.
fn route(route: &Value) -> Value {
    let mut fields = route.as_object().unwrap().clone();
    if let Some(Value::Object(action)) = fields.remove("route") {
        fields.extend(action);
    }
    json!(fields)
}

fn clusters(cluster: impl Fn(&str) -> Value) -> Map<String, Value> {
    let name =
        |(workload, port): &(&str, u16)| format!("outbound|{port}||{workload}.finpay.svc.cluster.local");
    WORKLOADS.iter().map(name).map(|name| (name.clone(), cluster(&name))).collect()
}

fn resource(files: &[ConfigFile], path: &Path, name: &str) -> Value {
    let file = files.iter().find(|file| file.path == path).unwrap();
    let mut resources = file.content["resources"].as_array().unwrap().iter();
    resources.find(|resource| resource["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

/// One replica of each service; addresses are not compared.
fn topology() -> Topology {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let replica = |((workload, _), port): (&(&str, u16), u16)| Replica {
        workload: (*workload).to_owned(),
        index: 0,
        inbound: address(port),
        outbound: address(port + 1),
        metrics: address(port + 2),
    };
    let listener = |manifest_port| GatewayListener { manifest_port, address: address(manifest_port) };
    Topology {
        name: "istiod".to_owned(),
        state_dir: "/state".into(),
        run_dir: "/run".into(),
        concurrency: 1,
        wasm_dir: "/wasm".into(),
        gateway: Gateway {
            listeners: [8080, 3001, 3002, 3003].map(listener).to_vec(),
            metrics: address(20900),
        },
        replicas: WORKLOADS.iter().zip((20000..).step_by(10)).map(replica).collect(),
        prometheus: None,
    }
}
