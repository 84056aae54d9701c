//! Changes a running mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::time::sleep;

use crate::console::Step;
use crate::envoy;
use crate::place::{Place, write_atomically};
use crate::proxies::{self, Updates};
use crate::render;
use crate::topology::Topology;
use crate::translate::{self, ConfigFile};

/// An Envoy compiles a changed filter before it takes the listener.
const ACCEPT_LIMIT: Duration = Duration::from_secs(30);

/// Lays the file over the manifests, checks, writes, and waits for every Envoy.
pub async fn run(place: &Place, file: &Path) -> Result<()> {
    let (topology, _) = place.running().await?;
    let mut manifests = render::manifests(&topology)?;
    let titles = manifests.overlay(file)?;
    let mut files = translate::envoy_files(&manifests, &topology, &BTreeSet::new())?;
    // Endpoints are the supervisor's: a replica may be draining right now.
    let endpoints: BTreeSet<_> =
        topology.replicas.iter().map(|replica| topology.eds_file(&replica.workload)).collect();
    files.retain(|file| !endpoints.contains(&file.path));
    let step = Step::begin("validate");
    for proxy in proxies::names(&topology) {
        validate(place, &topology, &files, &proxy).await?;
    }
    step.done(titles.join(", "));
    let step = Step::begin("apply");
    let mut before = BTreeMap::new();
    for proxy in proxies::names(&topology) {
        before.insert(proxy.clone(), proxies::updates(&topology, &proxy).await?);
    }
    let replaced = render::write(&files)?;
    let mut touched = 0;
    for (proxy, updates) in before {
        let Some(kinds) = changed(&topology, &replaced, &proxy) else { continue };
        touched += 1;
        if let Err(problem) = accepted(&topology, &proxy, kinds, updates).await {
            take_back(&replaced)?;
            return Err(problem.context("the change was taken back"));
        }
    }
    render::keep_overlay(&topology, file)?;
    step.done(format!("{} of {} Envoys have a new configuration", touched, proxies::names(&topology).len()));
    Ok(())
}

/// Envoy's own check of what it would read.
async fn validate(place: &Place, topology: &Topology, files: &[ConfigFile], proxy: &str) -> Result<()> {
    let Some(bootstrap) = translate::validation_bootstrap(files, topology, proxy) else {
        bail!("{proxy} has no bootstrap")
    };
    let path = topology.proxy_dir(proxy).join("validate.json");
    write_atomically(&path, &serde_json::to_vec(&bootstrap)?, 0o644)?;
    let output = Command::new(place.envoy())
        .args(["--mode", "validate", "-l", "error", "-c"])
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .await
        .context("Envoy cannot be run")?;
    let _ = std::fs::remove_file(&path);
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{proxy}'s Envoy refuses the configuration, nothing was changed: {}", envoy::last_words(&text));
    }
    Ok(())
}

/// Whether this Envoy's listeners and its clusters changed, or `None` when neither did.
fn changed(topology: &Topology, replaced: &[render::Previous], proxy: &str) -> Option<[bool; 2]> {
    let folder = topology.proxy_dir(proxy);
    let kinds =
        ["lds.json", "cds.json"].map(|name| replaced.iter().any(|(path, _)| *path == folder.join(name)));
    kinds.contains(&true).then_some(kinds)
}

async fn accepted(topology: &Topology, proxy: &str, kinds: [bool; 2], before: Updates) -> Result<()> {
    let deadline = Instant::now() + ACCEPT_LIMIT;
    loop {
        let now = proxies::updates(topology, proxy).await?;
        if now.rejected > before.rejected {
            bail!("{proxy}'s Envoy refused the configuration, see {}", topology.log_file(proxy).display());
        }
        let taken = (0..2).all(|kind| !kinds[kind] || now.accepted[kind] > before.accepted[kind]);
        if taken && now.warming == 0 && now.draining == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{proxy}'s Envoy has not taken the configuration after {} s", ACCEPT_LIMIT.as_secs());
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn take_back(replaced: &[render::Previous]) -> Result<()> {
    for (path, content) in replaced {
        write_atomically(path, content, 0o644)?;
    }
    Ok(())
}
