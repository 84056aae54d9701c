//! What the Envoys say of themselves, over their admin sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::topology::{GATEWAY, Topology};

const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// The names of all Envoys of a mesh.
pub fn names(topology: &Topology) -> Vec<String> {
    let sidecars = topology.replicas.iter().map(crate::topology::Replica::sidecar);
    sidecars.chain([GATEWAY.to_owned()]).collect()
}

/// How often an Envoy took a new configuration, and how often it refused one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Updates {
    /// Updates taken, of listeners and of clusters.
    pub accepted: [u64; 2],
    /// Updates refused.
    pub rejected: u64,
    /// Listeners that wait for something.
    pub warming: u64,
    /// Old listeners and filter chains that still serve connections made before a change.
    pub draining: u64,
}

/// Asks one Envoy.
pub async fn updates(topology: &Topology, proxy: &str) -> Result<Updates> {
    let filter = "(lds|cds)\\.update_(success|rejected)|total_(listeners_warming|listeners_draining|filter_chains_draining)";
    let numbers = stats(topology, proxy, filter).await?;
    let number = |name: &str| numbers.get(name).copied().unwrap_or(0);
    Ok(Updates {
        accepted: [
            number("listener_manager.lds.update_success"),
            number("cluster_manager.cds.update_success"),
        ],
        rejected: number("listener_manager.lds.update_rejected")
            + number("cluster_manager.cds.update_rejected"),
        warming: number("listener_manager.total_listeners_warming"),
        draining: number("listener_manager.total_listeners_draining")
            + number("listener_manager.total_filter_chains_draining"),
    })
}

/// Requests that an Envoy is serving now, those to its own admin interface aside.
pub async fn active_requests(topology: &Topology, proxy: &str) -> Result<u64> {
    let numbers = stats(topology, proxy, "^http\\..*downstream_rq_active$").await?;
    Ok(numbers.iter().filter(|(name, _)| !name.starts_with("http.admin.")).map(|(_, value)| value).sum())
}

/// Whether an Envoy's jwt filter has fetched keys; before that it refuses every token.
pub async fn has_keys(topology: &Topology, proxy: &str) -> Result<bool> {
    let numbers = stats(topology, proxy, "finpay_jwt_jwks").await?;
    Ok(numbers.iter().any(|(name, count)| name.contains("=ok;") && *count > 0))
}

/// By sidecar, the Envoys that leave it out of their balance because it failed too often in a row
/// (`outlierDetection`). An Envoy that gives no answer is left out: what it thinks, it thinks of nobody.
pub async fn ejections(topology: &Topology) -> BTreeMap<String, Vec<String>> {
    let mut ejections = BTreeMap::<_, Vec<_>>::new();
    for proxy in names(topology) {
        for address in ejected_by(topology, &proxy).await.unwrap_or_default() {
            let ejected = topology.replicas.iter().find(|replica| replica.inbound == address);
            if let Some(replica) = ejected {
                ejections.entry(replica.sidecar()).or_default().push(proxy.clone());
            }
        }
    }
    ejections
}

async fn ejected_by(topology: &Topology, proxy: &str) -> Result<Vec<SocketAddr>> {
    let answer: Value =
        serde_json::from_str(&admin(topology, proxy, "clusters", &[("format", "json")]).await?)?;
    let clusters = answer["cluster_statuses"].as_array().into_iter().flatten();
    let hosts = clusters.filter_map(|cluster| cluster["host_statuses"].as_array()).flatten();
    let ejected = hosts.filter(|host| host["health_status"]["failed_outlier_check"] == true);
    Ok(ejected.filter_map(|host| socket_address(&host["address"]["socket_address"])).collect())
}

fn socket_address(value: &Value) -> Option<SocketAddr> {
    let port = u16::try_from(value["port_value"].as_u64()?).ok()?;
    Some(SocketAddr::new(value["address"].as_str()?.parse().ok()?, port))
}

async fn stats(topology: &Topology, proxy: &str, filter: &str) -> Result<BTreeMap<String, u64>> {
    let text = admin(topology, proxy, "stats", &[("filter", filter)]).await?;
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    Ok(pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}

async fn admin(topology: &Topology, proxy: &str, page: &str, query: &[(&str, &str)]) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    let client = client.unix_socket(topology.admin_socket(proxy)).build().context("no HTTP client")?;
    let request = client.get(format!("http://envoy/{page}")).query(query);
    let response = request.send().await.with_context(|| format!("{proxy} gives no answer"))?;
    response.text().await.with_context(|| format!("{proxy} gives no answer"))
}
