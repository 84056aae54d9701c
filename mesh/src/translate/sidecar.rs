//! A sidecar's listeners: what comes in for its service, what its service sends out, and metrics.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::access_log::{self, Reporter};
use super::{Context, Proxy, http, metrics, names, rbac, route, tls, wasm};
use crate::manifest::istio::{MtlsMode, PeerAuthentication, Phase};
use crate::topology::Replica;

pub(super) fn listeners(context: Context<'_>, proxy: &Proxy, replica: &Replica) -> Result<Vec<Value>> {
    let deployment = context.manifests.deployment(&replica.workload)?;
    let port = names::port(context.manifests.service_of(deployment)?)?;
    Ok(vec![
        inbound(context, proxy, replica)?,
        outbound(context, proxy, replica)?,
        metrics::listener(replica.metrics, Some(&names::inbound(port))),
    ])
}

/// Filters in Istio's order: tokens (AUTHN), authorisation, bodies (STATS).
fn inbound(context: Context<'_>, proxy: &Proxy, replica: &Replica) -> Result<Value> {
    let mut modes = context.manifests.all::<PeerAuthentication>().map(|policy| policy.spec.mtls.mode);
    ensure!(modes.any(|mode| mode == MtlsMode::Strict), "no PeerAuthentication makes mTLS STRICT");
    let deployment = context.manifests.deployment(&replica.workload)?;
    let service = context.manifests.service_of(deployment)?;
    let (host, port) = (names::host(service)?, names::port(service)?);
    let labels = &deployment.spec.template.metadata.labels;

    let mut filters = wasm::filters(context, labels, Phase::Authn)?;
    filters.extend(wasm::filters(context, labels, Phase::Authz)?);
    filters.extend(rbac::filter(context, labels)?);
    filters.extend(wasm::filters(context, labels, Phase::Stats)?);
    filters.push(http::router());

    let virtual_host = json!({
        "name": format!("inbound|http|{port}"),
        "domains": ["*"],
        "routes": [{
            "name": "default",
            "match": {"prefix": "/"},
            "route": {
                "cluster": names::inbound(port),
                // The caller's route has the time limit.
                "timeout": "0s",
                // As Istio: a connection that the service closed while it was idle. No byte was sent on it.
                "retry_policy": {"retry_on": "reset-before-request", "num_retries": 2},
            },
        }],
    });
    let more = json!({
        // The peer is a proxy of the mesh: its x-request-id and x-forwarded-for are to be kept.
        "use_remote_address": false,
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"uri": true},
        "tracing": http::tracing(&proxy.workload),
        "local_reply_config": http::upstream_problems(),
        "access_log": access_log::loggers(context, "inbound", Reporter::Destination(proxy, &host)),
    });
    let manager = http::manager(&format!("inbound_{port}"), &filters, &[virtual_host], more);
    Ok(http::listener(
        "virtualInbound",
        replica.inbound,
        &manager,
        Some(tls::downstream(context.topology, proxy)),
    ))
}

/// A plain HTTP proxy for the service alone: requests with an absolute URL, routed by authority.
fn outbound(context: Context<'_>, proxy: &Proxy, replica: &Replica) -> Result<Value> {
    let hosts = route::outbound_hosts(context)?;
    let more = json!({
        "use_remote_address": false,
        "forward_client_cert_details": "SANITIZE",
        "tracing": http::tracing(&proxy.workload),
        "local_reply_config": http::upstream_problems(),
        "access_log": access_log::loggers(context, "outbound", Reporter::Source(proxy)),
    });
    let manager = http::manager("outbound", &[http::router()], &hosts, more);
    Ok(http::listener("virtualOutbound", replica.outbound, &manager, None))
}
