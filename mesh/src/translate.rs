//! From the manifests and a topology to Envoy's files. Pure: nothing is read or written here, so that
//! `config`, the tests and the supervisor all see the same.

mod access_log;
mod bootstrap;
mod cluster;
mod gateway;
mod http;
mod metrics;
mod names;
mod prometheus;
mod rbac;
mod route;
mod sidecar;
#[cfg(test)]
mod tests;
mod tls;
mod wasm;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::manifest::Manifests;
use crate::topology::{GATEWAY, Topology};

pub use cluster::endpoints;
pub use names::{GATEWAY_SPIFFE, TRUST_DOMAIN, workload_spiffe};
pub use prometheus::prometheus_config;

/// A file for Envoy.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    /// Where it belongs. The writer replaces it by rename, which is what Envoy watches for.
    pub path: PathBuf,
    /// Its content.
    pub content: Value,
}

/// One Envoy: whose it is, and with which certificate it speaks.
#[derive(Debug, Clone)]
struct Proxy {
    /// The process's name, and its folder's.
    name: String,
    /// The workload; `istio-ingressgateway` for the gateway.
    workload: String,
    /// The certificate's file name without its ending.
    certificate: String,
    /// The identity in the certificate.
    spiffe: String,
}

/// What every part of a translation looks at.
#[derive(Clone, Copy)]
struct Context<'a> {
    manifests: &'a Manifests,
    topology: &'a Topology,
}

/// All files of all Envoys: `bootstrap.json`, `lds.json`, `cds.json` and the secrets for each, and the endpoints
/// of each service, which all Envoys share. A replica whose name is in `draining` gets no new requests.
pub fn envoy_files(
    manifests: &Manifests,
    topology: &Topology,
    draining: &BTreeSet<String>,
) -> Result<Vec<ConfigFile>> {
    let context = Context { manifests, topology };
    let mut files = Vec::new();
    for workload in names::workloads(topology) {
        files.push(endpoints(topology, workload, draining));
    }
    let proxy = Proxy::gateway();
    files.extend(proxy_files(
        topology,
        &proxy,
        cluster::for_gateway(context, &proxy)?,
        gateway::listeners(context)?,
    ));
    for replica in &topology.replicas {
        let proxy = Proxy::sidecar(context, replica)?;
        let clusters = cluster::for_sidecar(context, &proxy, replica)?;
        files.extend(proxy_files(topology, &proxy, clusters, sidecar::listeners(context, &proxy, replica)?));
    }
    Ok(files)
}

/// One Envoy's configuration as a single bootstrap, for `envoy --mode validate`, which does not look into the
/// files that Envoy would watch. Certificates and endpoints stay in their files, so they have to be written.
pub fn validation_bootstrap(files: &[ConfigFile], topology: &Topology, proxy: &str) -> Option<Value> {
    let folder = topology.proxy_dir(proxy);
    let content =
        |name: &str| files.iter().find(|file| file.path == folder.join(name)).map(|file| &file.content);
    let plain = |list: &Value| -> Vec<Value> {
        let resources = list["resources"].as_array().cloned().unwrap_or_default();
        let untyped = resources.into_iter().map(|mut resource| {
            if let Some(fields) = resource.as_object_mut() {
                fields.remove("@type");
            }
            resource
        });
        untyped.collect()
    };
    let mut bootstrap = content("bootstrap.json")?.clone();
    let fields = bootstrap.as_object_mut()?;
    fields.remove("dynamic_resources");
    fields.insert(
        "static_resources".to_owned(),
        json!({"listeners": plain(content("lds.json")?), "clusters": plain(content("cds.json")?)}),
    );
    Some(bootstrap)
}

fn proxy_files(
    topology: &Topology,
    proxy: &Proxy,
    clusters: Vec<Value>,
    listeners: Vec<Value>,
) -> Vec<ConfigFile> {
    let folder = topology.proxy_dir(&proxy.name);
    let file = |name: &str, content: Value| ConfigFile { path: folder.join(name), content };
    let mut files = Vec::from(tls::secrets(topology, proxy));
    files.extend([
        file("cds.json", resources("envoy.config.cluster.v3.Cluster", clusters)),
        file("lds.json", resources("envoy.config.listener.v3.Listener", listeners)),
        file("bootstrap.json", bootstrap::bootstrap(topology, proxy)),
    ]);
    files
}

/// A discovery response, as it stands in a file.
fn resources(message: &str, list: Vec<Value>) -> Value {
    let typed = list.into_iter().map(|resource| typed(message, resource)).collect::<Vec<_>>();
    json!({ "resources": typed })
}

/// A message with its type, as Envoy wants every extension's configuration.
fn typed(message: &str, mut fields: Value) -> Value {
    fields["@type"] = json!(format!("type.googleapis.com/{message}"));
    fields
}

/// A file that Envoy watches: a rename in its folder makes Envoy read it again.
fn watched(path: &std::path::Path) -> Value {
    json!({
        "resource_api_version": "V3",
        "path_config_source": {"path": path, "watched_directory": {"path": path.parent()}},
    })
}

impl Proxy {
    fn gateway() -> Self {
        Self {
            name: GATEWAY.to_owned(),
            workload: names::GATEWAY_WORKLOAD.to_owned(),
            certificate: GATEWAY.to_owned(),
            spiffe: GATEWAY_SPIFFE.to_owned(),
        }
    }

    fn sidecar(context: Context<'_>, replica: &crate::topology::Replica) -> Result<Self> {
        let deployment = context.manifests.deployment(&replica.workload)?;
        Ok(Self {
            name: replica.sidecar(),
            workload: replica.workload.clone(),
            certificate: replica.workload.clone(),
            spiffe: workload_spiffe(context.manifests, &deployment.metadata.name)?,
        })
    }
}
