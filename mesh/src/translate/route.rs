//! Routes from VirtualServices.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Context, names, typed};
use crate::manifest::istio::{HttpMatch, HttpRoute, Retries, UriMatch, VirtualService};
use crate::manifest::kubernetes::Service;

/// Istio's name for all sidecars, where a VirtualService lists gateways.
const MESH: &str = "mesh";

/// The virtual hosts of a gateway.
pub(super) fn gateway_hosts(context: Context<'_>, gateway: &str) -> Result<Vec<Value>> {
    let bound = context.manifests.all::<VirtualService>().filter(|service| bound_to(service, gateway));
    let hosts: Vec<Value> = bound
        .map(|service| virtual_host(context, service, &service.metadata.name, &json!(service.spec.hosts)))
        .collect::<Result<_>>()?;
    ensure!(!hosts.is_empty(), "no VirtualService is bound to the Gateway `{gateway}`");
    Ok(hosts)
}

/// The virtual hosts of a sidecar's outbound listener: one per service, by all names that Kubernetes' DNS knows.
pub(super) fn outbound_hosts(context: Context<'_>) -> Result<Vec<Value>> {
    let mut hosts = Vec::new();
    for service in context.manifests.all::<Service>() {
        let (host, port) = (names::host(service)?, names::port(service)?);
        let routes = context
            .manifests
            .all::<VirtualService>()
            .find(|routes| bound_to(routes, MESH) && routes.spec.hosts.contains(&host))
            .with_context(|| format!("no VirtualService is bound to `{MESH}` for the host `{host}`"))?;
        let mut domains = Vec::new();
        for name in short_names(&host) {
            domains.push(format!("{name}:{port}"));
            domains.push(name.to_owned());
        }
        hosts.push(virtual_host(context, routes, &format!("{host}:{port}"), &json!(domains))?);
    }
    hosts.push(json!({
        "name": "block_all",
        "domains": ["*"],
        "routes": [{
            "name": "block_all",
            "match": {"prefix": "/"},
            "direct_response": {"status": 502, "body": {"inline_string": "no service of this mesh has this name"}},
        }],
    }));
    Ok(hosts)
}

fn bound_to(service: &VirtualService, gateway: &str) -> bool {
    service.spec.gateways.iter().any(|name| name == gateway)
}

/// `payment-service.finpay.svc.cluster.local` and what a resolver completes to it.
fn short_names(host: &str) -> impl Iterator<Item = &str> {
    let suffix = format!(".svc.{}", names::TRUST_DOMAIN);
    let local = host.strip_suffix(&suffix).unwrap_or(host);
    let name = local.split('.').next().unwrap_or(local);
    let with_svc = host.get(..local.len() + ".svc".len()).unwrap_or(host);
    [host, with_svc, local, name].into_iter()
}

fn virtual_host(
    context: Context<'_>,
    service: &VirtualService,
    name: &str,
    domains: &Value,
) -> Result<Value> {
    let mut routes = Vec::new();
    for route in &service.spec.http {
        let place = || format!("VirtualService `{}`, route `{}`", service.metadata.name, route.name);
        let action = action(context, route).with_context(place)?;
        let mut conditions: Vec<Value> = route.r#match.iter().map(condition).collect();
        if conditions.is_empty() {
            conditions.push(json!({"prefix": "/"}));
        }
        let removed =
            route.headers.as_ref().map(|headers| headers.request.remove.as_slice()).unwrap_or_default();
        for condition in conditions {
            routes.push(json!({
                "name": route.name,
                "match": condition,
                "route": action,
                "request_headers_to_remove": removed,
            }));
        }
    }
    Ok(json!({"name": name, "domains": domains, "routes": routes, "include_request_attempt_count": true}))
}

fn condition(condition: &HttpMatch) -> Value {
    let mut envoy = match &condition.uri {
        Some(UriMatch::Exact(path)) => json!({"path": path}),
        Some(UriMatch::Prefix(path)) => json!({"prefix": path}),
        None => json!({"prefix": "/"}),
    };
    if let Some(method) = &condition.method {
        envoy["headers"] = json!([{"name": ":method", "string_match": {"exact": method.exact}}]);
    }
    envoy
}

fn action(context: Context<'_>, route: &HttpRoute) -> Result<Value> {
    let [only] = route.route.as_slice() else { bail!("exactly one destination is supported") };
    let destination = &only.destination;
    let mut known = false;
    for service in context.manifests.all::<Service>() {
        known |=
            names::host(service)? == destination.host && names::port(service)? == destination.port.number;
    }
    ensure!(known, "no Service is `{}:{}`", destination.host, destination.port.number);
    Ok(json!({
        "cluster": names::outbound(destination.port.number, &destination.host),
        "timeout": route.timeout.to_envoy(),
        "retry_policy": retry_policy(&route.retries),
    }))
}

/// A retry goes to a replica that this request has not tried, while there is one.
fn retry_policy(retries: &Retries) -> Value {
    json!({
        "retry_on": retries.retry_on,
        "num_retries": retries.attempts,
        "per_try_timeout": retries.per_try_timeout.to_envoy(),
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": typed(
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                json!({}),
            ),
        }],
        "host_selection_retry_max_attempts": 5,
    })
}
