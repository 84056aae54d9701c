//! From the mesh's manifests to its files: reads, translates, and writes only what changed, by atomic rename.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::manifest::Manifests;
use crate::place::write_atomically;
use crate::topology::Topology;
use crate::translate::{self, ConfigFile};

/// A file's content before a change, to take the change back.
pub type Previous = (PathBuf, Vec<u8>);

/// Copies the project's manifests into the mesh's folder; what `apply` laid over the last ones is dropped.
pub fn copy_manifests(from: &Path, topology: &Topology) -> Result<()> {
    let folder = topology.manifests_dir();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(overlays(topology)).with_context(|| format!("{} cannot be made", folder.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let path = entry.with_context(|| format!("{} cannot be read", from.display()))?.path();
        if path.extension().is_some_and(|suffix| suffix == "yaml") {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, folder.join(name))
                .with_context(|| format!("{} cannot be copied", path.display()))?;
        }
    }
    Ok(())
}

/// The manifests that the mesh runs on: the copied ones, and what `apply` laid over them, in order.
pub fn manifests(topology: &Topology) -> Result<Manifests> {
    let mut manifests = Manifests::load(&topology.manifests_dir())?;
    for file in overlay_files(topology) {
        manifests.overlay(&file)?;
    }
    Ok(manifests)
}

/// Keeps an applied file for the next time that the manifests are read.
pub fn keep_overlay(topology: &Topology, file: &Path) -> Result<()> {
    let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let number = overlay_files(topology).len();
    write_atomically(&overlays(topology).join(format!("{number:04}.yaml")), &text, 0o644)
}

fn overlays(topology: &Topology) -> PathBuf {
    topology.manifests_dir().join("overlays")
}

fn overlay_files(topology: &Topology) -> Vec<PathBuf> {
    let entries = fs::read_dir(overlays(topology)).into_iter().flatten();
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|suffix| suffix == "yaml"));
    files.sort();
    files
}

/// Writes all files of all Envoys, and Prometheus' own.
pub fn all(topology: &Topology) -> Result<()> {
    let files = translate::envoy_files(&manifests(topology)?, topology, &BTreeSet::new())?;
    write(&files)?;
    let prometheus = bytes(&translate::prometheus_config(topology))?;
    write_atomically(&prometheus_file(topology), &prometheus, 0o644)
}

/// Where Prometheus' configuration is.
pub fn prometheus_file(topology: &Topology) -> PathBuf {
    topology.state_dir.join("prometheus").join("prometheus.yml")
}

/// Takes replicas out of the balance, or puts them back.
pub fn endpoints(topology: &Topology, workload: &str, draining: &BTreeSet<String>) -> Result<()> {
    write(&[translate::endpoints(topology, workload, draining)])?;
    Ok(())
}

/// Writes those that differ from what is there; returns what they replaced.
pub fn write(files: &[ConfigFile]) -> Result<Vec<Previous>> {
    let mut replaced = Vec::new();
    for file in files {
        let content = bytes(&file.content)?;
        let old = fs::read(&file.path).unwrap_or_default();
        if old != content {
            write_atomically(&file.path, &content, 0o644)?;
            replaced.push((file.path.clone(), old));
        }
    }
    Ok(replaced)
}

fn bytes(content: &Value) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(content)?;
    bytes.push(b'\n');
    Ok(bytes)
}
