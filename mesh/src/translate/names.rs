//! Names as Istio gives them, so that a filter's configuration or a query means the same in a cluster.

use anyhow::{Context as _, Result};

use crate::manifest::Manifests;
use crate::manifest::kubernetes::Service;
use crate::topology::Topology;

/// The trust domain of every identity.
pub const TRUST_DOMAIN: &str = "cluster.local";

/// The gateway's identity.
pub const GATEWAY_SPIFFE: &str =
    "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";

/// The gateway's workload.
pub(super) const GATEWAY_WORKLOAD: &str = "istio-ingressgateway";

/// A workload's identity, from its Deployment's service account.
pub fn workload_spiffe(manifests: &Manifests, workload: &str) -> Result<String> {
    let deployment = manifests.deployment(workload)?;
    let namespace = namespace(deployment.metadata.namespace.as_deref(), workload)?;
    let account = &deployment.spec.template.spec.service_account_name;
    Ok(format!("spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{account}"))
}

/// The workloads of a topology, each once, in its order.
pub(super) fn workloads(topology: &Topology) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for replica in &topology.replicas {
        if !names.contains(&replica.workload.as_str()) {
            names.push(&replica.workload);
        }
    }
    names
}

/// A service's full name.
pub(super) fn host(service: &Service) -> Result<String> {
    let name = &service.metadata.name;
    Ok(format!("{name}.{}.svc.{TRUST_DOMAIN}", namespace(service.metadata.namespace.as_deref(), name)?))
}

/// A service's one port.
pub(super) fn port(service: &Service) -> Result<u16> {
    let port = service.spec.ports.first();
    Ok(port.with_context(|| format!("Service `{}` has no port", service.metadata.name))?.port)
}

/// The cluster by which other workloads call a service.
pub(super) fn outbound(port: u16, host: &str) -> String {
    format!("outbound|{port}||{host}")
}

/// The cluster by which a sidecar calls its own service.
pub(super) fn inbound(port: u16) -> String {
    format!("inbound|{port}||")
}

fn namespace<'a>(namespace: Option<&'a str>, name: &str) -> Result<&'a str> {
    namespace.with_context(|| format!("`{name}` has no namespace"))
}
