//! The ingress gateway's listeners.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::access_log::{self, Reporter};
use super::{Context, Proxy, http, metrics, route, typed};
use crate::manifest::istio::{Gateway, GatewayProtocol};

pub(super) fn listeners(context: Context<'_>) -> Result<Vec<Value>> {
    let proxy = Proxy::gateway();
    let mut gateways = context.manifests.all::<Gateway>();
    let gateway = gateways.next().context("no Gateway is defined")?;
    ensure!(gateways.next().is_none(), "more than one Gateway is defined");
    let hosts = route::gateway_hosts(context, &gateway.metadata.name)?;

    let mut listeners = Vec::new();
    for server in &gateway.spec.servers {
        let port = server.port.number;
        let GatewayProtocol::Http = server.port.protocol;
        ensure!(
            server.hosts == ["*"],
            "Gateway `{}`: port {port}: hosts other than \"*\"",
            gateway.metadata.name
        );
        let mut here = context.topology.gateway.listeners.iter();
        let listener = here.find(|listener| listener.manifest_port == port).with_context(|| {
            format!(
                "Gateway `{}`: port {port} has no address in this mesh: `up` gives it one",
                gateway.metadata.name
            )
        })?;
        let prefix = format!("outbound_0.0.0.0_{port}");
        let manager = http::manager(
            &prefix.replace('.', "_"),
            &[http::router()],
            &hosts,
            from_outside(context, &proxy),
        );
        listeners.push(http::listener(&format!("0.0.0.0_{port}"), listener.address, &manager, None));
    }
    listeners.push(metrics::listener(context.topology.gateway.metrics, None));
    Ok(listeners)
}

/// Nothing that a client says about itself is believed.
fn from_outside(context: Context<'_>, proxy: &Proxy) -> Value {
    json!({
        // x-forwarded-for, x-request-id and x-envoy-* of the client are replaced or removed …
        "use_remote_address": true,
        // … for every client: by default one on this machine counts as part of the mesh, and an empty list
        // means the default, so the list holds an address that no client can have.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "early_header_mutation_extensions": [no_reserved_headers()],
        "always_set_request_id_in_response": true,
        "forward_client_cert_details": "SANITIZE",
        // `x_jwt_sub` would become `x-jwt-sub` in a service that reads headers as CGI did.
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "tracing": http::tracing(&proxy.workload),
        "local_reply_config": problems(),
        "access_log": access_log::loggers(context, "gateway", Reporter::Source(proxy)),
    })
}

/// Envoy removes the `x-envoy-*` headers that it knows; this removes all of them, and all identity headers,
/// before anything else looks at the request.
fn no_reserved_headers() -> Value {
    let prefix =
        |prefix: &str| json!({"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": true}}});
    json!({
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            json!({"mutations": [prefix("x-envoy-"), prefix("x-jwt-")]}),
        ),
    })
}

/// The gateway's own answers, in the shape that filters and services use.
fn problems() -> Value {
    let mapper = |op: &str, status: u16, code: &str, title: &str| {
        let value = json!({"default_value": status, "runtime_key": "gateway.problem_status"});
        json!({
            "filter": {"status_code_filter": {"comparison": {"op": op, "value": value}}},
            "body_format_override": http::problem(code, title, "%LOCAL_REPLY_BODY%"),
        })
    };
    json!({"mappers": [
        mapper("EQ", 404, "not-found", "Nothing is here"),
        mapper("EQ", 413, "body-too-large", "The body is too large"),
        mapper("GE", 500, "upstream-unavailable", "The service cannot be reached"),
        mapper("GE", 400, "invalid-request", "The request is not valid"),
    ]})
}
