//! A golden for each kind, from the manifests of this project and a topology of fixed addresses.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::{ConfigFile, envoy_files, prometheus_config, validation_bootstrap};
use crate::manifest::Manifests;
use crate::topology::{Gateway, GatewayListener, Replica, Topology};

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn topology() -> Topology {
    let listener = |manifest_port| GatewayListener { manifest_port, address: address(manifest_port) };
    let mut replicas = Vec::new();
    for (number, workload) in (0_u16..).zip(["auth-service", "payment-service", "order-service"]) {
        for index in 0..2_u16 {
            let port = 20000 + number * 100 + index * 10;
            replicas.push(Replica {
                workload: workload.to_owned(),
                index: index.into(),
                inbound: address(port),
                outbound: address(port + 1),
                metrics: address(port + 2),
            });
        }
    }
    Topology {
        name: "test".to_owned(),
        state_dir: "/state".into(),
        run_dir: "/run/test".into(),
        concurrency: 1,
        wasm_dir: "/wasm".into(),
        gateway: Gateway {
            listeners: [8080, 3001, 3002, 3003].map(listener).to_vec(),
            metrics: address(20900),
        },
        replicas,
        prometheus: None,
    }
}

fn manifests() -> Manifests {
    Manifests::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/base")).unwrap()
}

fn files() -> Vec<ConfigFile> {
    envoy_files(&manifests(), &topology(), &BTreeSet::new()).unwrap()
}

fn file(path: &str) -> Value {
    let all = files();
    all.into_iter().find(|file| file.path == Path::new("/state/envoy").join(path)).unwrap().content
}

/// A resource of a file, by name.
fn resource(path: &str, name: &str) -> Value {
    let content = file(path);
    let mut list = content["resources"].as_array().unwrap().iter();
    list.find(|resource| resource["name"] == name).unwrap().clone()
}

fn manager(listener: &Value) -> &Value {
    &listener["filter_chains"][0]["filters"][0]["typed_config"]
}

fn filter(manager: &Value, part: &str) -> Value {
    let mut filters = manager["http_filters"].as_array().unwrap().iter();
    filters.find(|filter| filter["name"].as_str().unwrap().contains(part)).unwrap().clone()
}

#[test]
fn service_and_deployment() {
    assert_json_snapshot!(resource("payment-service-1.sidecar/cds.json", "inbound|3002||"));
}

#[test]
fn service_account() {
    assert_json_snapshot!(file("order-service-0.sidecar/sds.json"));
}

#[test]
fn destination_rule() {
    let cluster = "outbound|3002||payment-service.finpay.svc.cluster.local";
    assert_json_snapshot!(resource("order-service-0.sidecar/cds.json", cluster));
}

#[test]
fn virtual_service_at_the_gateway() {
    assert_json_snapshot!(manager(&resource("gateway/lds.json", "0.0.0.0_8080"))["route_config"]);
}

#[test]
fn virtual_service_in_the_mesh() {
    let listener = resource("order-service-0.sidecar/lds.json", "virtualOutbound");
    assert_json_snapshot!(manager(&listener)["route_config"]["virtual_hosts"][1]);
    assert_json_snapshot!(manager(&listener)["route_config"]["virtual_hosts"][3]);
}

#[test]
fn gateway() {
    let mut listener = resource("gateway/lds.json", "0.0.0.0_3003");
    // Both have goldens of their own.
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["route_config"] = json!("…");
    manager["access_log"] = json!("…");
    assert_json_snapshot!(listener);
}

#[test]
fn peer_authentication() {
    let listener = resource("auth-service-0.sidecar/lds.json", "virtualInbound");
    assert_json_snapshot!(listener["filter_chains"][0]["transport_socket"]);
}

#[test]
fn authorization_policy() {
    let listener = resource("auth-service-0.sidecar/lds.json", "virtualInbound");
    assert_json_snapshot!(filter(manager(&listener), "rbac"));
}

#[test]
fn wasm_plugin() {
    let listener = resource("payment-service-0.sidecar/lds.json", "virtualInbound");
    let mut jwt = filter(manager(&listener), "finpay.jwt");
    let configuration = &mut jwt["typed_config"]["config"]["configuration"]["value"];
    let parsed: Value = serde_json::from_str(configuration.as_str().unwrap()).unwrap();
    assert_eq!(parsed["realm"], "finpay");
    *configuration = json!("…");
    assert_json_snapshot!(jwt);
}

#[test]
fn filters_stand_in_istios_order() {
    let names = |proxy: &str| -> Vec<String> {
        let listener = resource(&format!("{proxy}/lds.json"), "virtualInbound");
        let filters = manager(&listener)["http_filters"].as_array().unwrap().clone();
        filters.iter().map(|filter| filter["name"].as_str().unwrap().to_owned()).collect()
    };
    let jwt = "extensions.istio.io/wasmplugin/finpay.jwt";
    let amount = "extensions.istio.io/wasmplugin/finpay.amount";
    let (rbac, router) = ("envoy.filters.http.rbac", "envoy.filters.http.router");
    assert_eq!(names("auth-service-0.sidecar"), [jwt, rbac, router]);
    assert_eq!(names("payment-service-0.sidecar"), [jwt, rbac, amount, router]);
    assert_eq!(names("order-service-1.sidecar"), [jwt, rbac, amount, router]);
}

#[test]
fn telemetry() {
    let listener = resource("payment-service-0.sidecar/lds.json", "virtualInbound");
    assert_json_snapshot!(manager(&listener)["access_log"]);
    let listener = resource("payment-service-0.sidecar/lds.json", "virtualOutbound");
    assert_json_snapshot!(manager(&listener)["access_log"][0]);
}

#[test]
fn metrics() {
    assert_json_snapshot!(
        manager(&resource("payment-service-0.sidecar/lds.json", "metrics"))["route_config"]["virtual_hosts"]
    );
    assert_json_snapshot!(prometheus_config(&topology()));
}

#[test]
fn bootstrap() {
    assert_json_snapshot!(file("order-service-0.sidecar/bootstrap.json"));
}

#[test]
fn a_draining_replica_gets_no_new_requests() {
    let draining = BTreeSet::from(["payment-service-1".to_owned()]);
    let endpoints = super::endpoints(&topology(), "payment-service", &draining);
    assert_eq!(endpoints.path, Path::new("/state/envoy/eds/payment-service.json"));
    let endpoints = &endpoints.content["resources"][0]["endpoints"][0]["lb_endpoints"];
    assert_eq!(endpoints[0]["health_status"], "HEALTHY");
    assert_eq!(endpoints[1]["health_status"], "DRAINING");
    assert_eq!(endpoints[1]["endpoint"]["address"]["socket_address"]["port_value"], 20110);
}

#[test]
fn validation_sees_all_listeners_and_clusters() {
    let bootstrap = validation_bootstrap(&files(), &topology(), "gateway").unwrap();
    assert_eq!(bootstrap["static_resources"]["listeners"].as_array().unwrap().len(), 5);
    assert_eq!(bootstrap["static_resources"]["clusters"].as_array().unwrap().len(), 4);
    assert!(bootstrap.get("dynamic_resources").is_none());
    assert!(validation_bootstrap(&files(), &topology(), "nobody").is_none());
}

/// A manifest that names what is not there is refused, by name.
#[test]
fn loose_ends_are_refused() {
    let refusal = |change: &dyn Fn(&mut Topology)| {
        let mut topology = topology();
        change(&mut topology);
        format!("{:#}", envoy_files(&manifests(), &topology, &BTreeSet::new()).unwrap_err())
    };
    let no_port =
        refusal(&|topology| topology.gateway.listeners.retain(|listener| listener.manifest_port != 3002));
    assert!(no_port.contains("Gateway `finpay-gateway`: port 3002 has no address"), "{no_port}");
    let unknown = refusal(&|topology| topology.replicas[0].workload = "stock-service".to_owned());
    assert_eq!(unknown, "no Deployment is named `stock-service`");
}
