//! What the Envoys say of themselves, over their admin sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};

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

async fn stats(topology: &Topology, proxy: &str, filter: &str) -> Result<BTreeMap<String, u64>> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    let client = client.unix_socket(topology.admin_socket(proxy)).build().context("no HTTP client")?;
    let request = client.get("http://envoy/stats").query(&[("filter", filter)]);
    let response = request.send().await.with_context(|| format!("{proxy} gives no answer"))?;
    let text = response.text().await.with_context(|| format!("{proxy} gives no answer"))?;
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    Ok(pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}
