//! Clusters: every service over mTLS, a sidecar's own service over its Unix socket, and the admin interface.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{ConfigFile, Context, Proxy, names, resources, tls, typed, watched};
use crate::manifest::istio::{ConnectionPool, DestinationRule, SimpleLoadBalancer, TrafficPolicy};
use crate::manifest::kubernetes::Service;
use crate::topology::{Replica, Topology};

/// The cluster of an Envoy's own admin interface.
pub(super) const ADMIN: &str = "admin";

/// The addresses of a workload's replicas: one file that all Envoys watch.
pub fn endpoints(topology: &Topology, workload: &str, draining: &BTreeSet<String>) -> ConfigFile {
    let replicas = topology.replicas.iter().filter(|replica| replica.workload == workload);
    let endpoints: Vec<Value> = replicas
        .map(|replica| {
            let status = if draining.contains(&replica.name()) { "DRAINING" } else { "HEALTHY" };
            json!({"health_status": status, "endpoint": {"address": super::http::address(replica.inbound)}})
        })
        .collect();
    let assignment = json!({"cluster_name": workload, "endpoints": [{"lb_endpoints": endpoints}]});
    ConfigFile {
        path: topology.eds_file(workload),
        content: resources("envoy.config.endpoint.v3.ClusterLoadAssignment", vec![assignment]),
    }
}

pub(super) fn for_gateway(context: Context<'_>, proxy: &Proxy) -> Result<Vec<Value>> {
    let mut clusters = outbound(context, proxy)?;
    clusters.push(admin(context.topology, proxy));
    Ok(clusters)
}

pub(super) fn for_sidecar(context: Context<'_>, proxy: &Proxy, replica: &Replica) -> Result<Vec<Value>> {
    let mut clusters = for_gateway(context, proxy)?;
    let deployment = context.manifests.deployment(&replica.workload)?;
    let service = context.manifests.service_of(deployment)?;
    let port = names::port(service)?;
    // As in Istio, a service's limits hold on the called side too, for all its callers together.
    let pool = &policy(context, &names::host(service)?)?.connection_pool;
    let socket = context.topology.service_socket(&replica.name());
    clusters.push(json!({
        "name": names::inbound(port),
        "type": "STATIC",
        "connect_timeout": pool.tcp.connect_timeout.to_envoy(),
        "circuit_breakers": circuit_breakers(pool),
        "load_assignment": {
            "cluster_name": names::inbound(port),
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}],
        },
        "typed_extension_protocol_options": http_options(pool),
    }));
    Ok(clusters)
}

fn outbound(context: Context<'_>, proxy: &Proxy) -> Result<Vec<Value>> {
    let workloads = names::workloads(context.topology);
    workloads
        .into_iter()
        .map(|workload| {
            let deployment = context.manifests.deployment(workload)?;
            let service = context.manifests.service_of(deployment)?;
            outbound_cluster(context, proxy, workload, service)
        })
        .collect()
}

fn outbound_cluster(context: Context<'_>, proxy: &Proxy, workload: &str, service: &Service) -> Result<Value> {
    let (host, port) = (names::host(service)?, names::port(service)?);
    let policy = policy(context, &host)?;
    let outlier = &policy.outlier_detection;
    let pool = &policy.connection_pool;
    ensure!(
        outlier.max_ejection_percent <= 100,
        "DestinationRule of `{host}`: maxEjectionPercent is above 100"
    );
    ensure!(outlier.min_health_percent <= 100, "DestinationRule of `{host}`: minHealthPercent is above 100");
    let server = names::workload_spiffe(context.manifests, workload)?;
    let sni = format!("outbound_.{port}_._.{host}");
    Ok(json!({
        "name": names::outbound(port, &host),
        "type": "EDS",
        "eds_cluster_config": {
            "service_name": workload,
            "eds_config": watched(&context.topology.eds_file(workload)),
        },
        "connect_timeout": pool.tcp.connect_timeout.to_envoy(),
        "lb_policy": match policy.load_balancer.simple {
            SimpleLoadBalancer::LeastRequest => "LEAST_REQUEST",
            SimpleLoadBalancer::RoundRobin => "ROUND_ROBIN",
            SimpleLoadBalancer::Random => "RANDOM",
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": outlier.min_health_percent}},
        "circuit_breakers": circuit_breakers(pool),
        "outlier_detection": {
            "consecutive_5xx": outlier.consecutive_5xx_errors,
            "enforcing_consecutive_5xx": 100,
            "consecutive_gateway_failure": outlier.consecutive_gateway_errors,
            "enforcing_consecutive_gateway_failure": 100,
            "enforcing_success_rate": 0,
            "interval": outlier.interval.to_envoy(),
            "base_ejection_time": outlier.base_ejection_time.to_envoy(),
            "max_ejection_percent": outlier.max_ejection_percent,
        },
        "typed_extension_protocol_options": http_options(pool),
        // Read by the access loggers, which know of an upstream request only its cluster.
        "metadata": {"filter_metadata": {"istio": {"host": host, "workload": workload, "principal": server}}},
        "transport_socket": tls::upstream(context.topology, proxy, &sni, &server),
    }))
}

fn policy<'a>(context: Context<'a>, host: &str) -> Result<&'a TrafficPolicy> {
    let rule = context.manifests.all::<DestinationRule>().find(|rule| rule.spec.host == host);
    Ok(&rule.with_context(|| format!("no DestinationRule has the host `{host}`"))?.spec.traffic_policy)
}

fn admin(topology: &Topology, proxy: &Proxy) -> Value {
    let socket = topology.admin_socket(&proxy.name);
    json!({
        "name": ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": ADMIN,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}],
        },
    })
}

fn circuit_breakers(pool: &ConnectionPool) -> Value {
    json!({"thresholds": [{
        "max_connections": pool.tcp.max_connections,
        "max_pending_requests": pool.http.http1_max_pending_requests,
        "max_requests": pool.http.http2_max_requests,
        "max_retries": pool.http.max_retries,
        "track_remaining": true,
    }]})
}

fn http_options(pool: &ConnectionPool) -> Value {
    let options = json!({
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {
            "idle_timeout": pool.http.idle_timeout.to_envoy(),
            "max_requests_per_connection": pool.http.max_requests_per_connection,
        },
    });
    json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions":
            typed("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", options),
    })
}
