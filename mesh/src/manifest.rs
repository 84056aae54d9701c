//! The manifests in `k8s/base`, read into types that are closed: a kind or a field that is not known here is an
//! error, since a mesh that ignores a line of its security policy is worse than none.

mod document;
mod duration;
pub mod istio;
pub mod kubernetes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

pub use document::{Document, Kind, Located};
pub use duration::Duration;

/// A map of labels or of a selector.
pub type Labels = BTreeMap<String, String>;

/// All manifests of a mesh, in the order of `kustomization.yaml`.
#[derive(Debug, Clone)]
pub struct Manifests {
    documents: Vec<Located>,
}

impl Manifests {
    /// Reads the files that `kustomization.yaml` in this folder names.
    pub fn load(folder: &Path) -> Result<Self> {
        let files = kustomization(folder)?;
        let mut manifests = Self { documents: Vec::new() };
        for name in files {
            for located in documents(&folder.join(&name))? {
                if manifests.position(&located).is_some() {
                    bail!("{}: {} is defined twice", located.place(), located.document.title());
                }
                manifests.documents.push(located);
            }
        }
        Ok(manifests)
    }

    /// Replaces the documents that a file names again (same kind and name); adds none, since a document that
    /// `k8s/base` does not have is more likely a mistyped name. Returns the titles of those replaced.
    pub fn overlay(&mut self, file: &Path) -> Result<Vec<String>> {
        let mut titles = Vec::new();
        for located in documents(file)? {
            let title = located.document.title();
            let Some(position) = self.position(&located) else {
                bail!("{}: {title} is not part of this mesh, so it cannot be changed", located.place());
            };
            self.documents[position] = located;
            titles.push(title);
        }
        if titles.is_empty() {
            bail!("{}: holds no document", file.display());
        }
        Ok(titles)
    }

    /// Every document with its place.
    pub fn iter(&self) -> impl Iterator<Item = &Located> {
        self.documents.iter()
    }

    /// The documents of one kind, in order.
    pub fn all<'a, K: Kind + 'a>(&'a self) -> impl Iterator<Item = &'a K> {
        self.documents.iter().filter_map(|located| K::of(&located.document))
    }

    /// The Deployment with this name.
    pub fn deployment(&self, name: &str) -> Result<&kubernetes::Deployment> {
        self.all::<kubernetes::Deployment>()
            .find(|deployment| deployment.metadata.name == name)
            .with_context(|| format!("no Deployment is named `{name}`"))
    }

    /// The Service in front of a Deployment's pods.
    pub fn service_of(&self, deployment: &kubernetes::Deployment) -> Result<&kubernetes::Service> {
        let labels = &deployment.spec.template.metadata.labels;
        self.all::<kubernetes::Service>()
            .find(|service| selects(&service.spec.selector, labels))
            .with_context(|| format!("no Service selects the Deployment `{}`", deployment.metadata.name))
    }

    fn position(&self, other: &Located) -> Option<usize> {
        self.documents.iter().position(|located| located.document.title() == other.document.title())
    }
}

/// Whether a selector matches: all its labels are there with these values.
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn kustomization(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join("kustomization.yaml");
    let mut names = Vec::new();
    for located in documents(&path)? {
        match located.document {
            Document::Kustomization(kustomization) => names.extend(kustomization.resources),
            other => bail!("{}: a Kustomization was expected, found {}", path.display(), other.title()),
        }
    }
    Ok(names)
}

fn documents(path: &Path) -> Result<Vec<Located>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    document::parse(&path.display().to_string(), &text)
}
