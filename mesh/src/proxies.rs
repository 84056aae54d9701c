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
}

/// Asks one Envoy.
pub async fn updates(topology: &Topology, proxy: &str) -> Result<Updates> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    let client = client.unix_socket(topology.admin_socket(proxy)).build().context("no HTTP client")?;
    let url = "http://envoy/stats?filter=(lds|cds)\\.update_(success|rejected)|total_listeners_warming";
    let response = client.get(url).send().await.with_context(|| format!("{proxy} gives no answer"))?;
    let text = response.text().await.with_context(|| format!("{proxy} gives no answer"))?;
    let numbers: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    let number = |name: &str| numbers.get(name).copied().unwrap_or(0);
    Ok(Updates {
        accepted: [
            number("listener_manager.lds.update_success"),
            number("cluster_manager.cds.update_success"),
        ],
        rejected: number("listener_manager.lds.update_rejected")
            + number("cluster_manager.cds.update_rejected"),
        warming: number("listener_manager.total_listeners_warming"),
    })
}
