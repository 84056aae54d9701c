//! The kustomize component that pins the manifests to what was pushed, by digest.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use mesh::images::image::Image;
use mesh::images::{FILTERS, HOME};
use mesh::place::write_atomically;
use serde::{Deserialize, Serialize};

use crate::registry::Address;

/// Where it lies in the workspace.
pub const FILE: &str = "k8s/components/pinned/kustomization.yaml";

const HEADER: &str = "\
# Written by `cargo mesh push`: the images by digest. An overlay takes it in by
#   components: [../../components/pinned]
# It is not in the repository, since digests belong to a registry: in a fork with one of its own, take its line out
# of .gitignore and commit it.
";
const READABLE: u32 = 0o644;

/// The component.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Component {
    api_version: String,
    kind: String,
    #[serde(default)]
    images: Vec<Pin>,
    #[serde(default)]
    patches: Vec<Patch>,
}

/// A service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pin {
    name: String,
    new_name: String,
    digest: String,
}

/// A filter: kustomize knows nothing of a WasmPlugin's url, so it is replaced.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    target: Target,
    patch: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    group: String,
    version: String,
    kind: String,
    name: String,
}

/// Writes the component. What an earlier push pinned and this one did not push stays: a new filter must not
/// take the digests from the services.
pub fn write(file: &Path, pull_from: &Address, images: &[Image]) -> Result<()> {
    let old = match fs::read_to_string(file) {
        Ok(text) => serde_saphyr::from_str(&text).with_context(|| {
            format!("{} is not of this version, remove it and push again", file.display())
        })?,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Component::empty(),
        Err(problem) => return Err(problem).with_context(|| format!("{} cannot be read", file.display())),
    };
    let component = old.with(pull_from, images);
    let body = serde_saphyr::to_string(&component)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    write_atomically(file, format!("{HEADER}{body}").as_bytes(), READABLE)
}

impl Component {
    fn empty() -> Self {
        Self {
            api_version: "kustomize.config.k8s.io/v1alpha1".to_owned(),
            kind: "Component".to_owned(),
            images: Vec::new(),
            patches: Vec::new(),
        }
    }

    fn with(mut self, pull_from: &Address, images: &[Image]) -> Self {
        for image in images {
            let place = pull_from.image(&image.name);
            let digest = &image.manifest.digest;
            if FILTERS.contains(&image.name.as_str()) {
                self.patches.retain(|patch| patch.target.name != image.name);
                self.patches.push(url_of(&image.name, &format!("oci://{place}:{}@{digest}", image.tag)));
            } else {
                let name = format!("{HOME}/{}", image.name);
                self.images.retain(|pin| pin.name != name);
                self.images.push(Pin { name, new_name: place, digest: digest.clone() });
            }
        }
        // One order, whatever was pushed first.
        self.images.sort_by(|left, right| left.name.cmp(&right.name));
        self.patches.sort_by(|left, right| left.target.name.cmp(&right.target.name));
        self
    }
}

fn url_of(name: &str, url: &str) -> Patch {
    Patch {
        target: Target {
            group: "extensions.istio.io".to_owned(),
            version: "v1alpha1".to_owned(),
            kind: "WasmPlugin".to_owned(),
            name: name.to_owned(),
        },
        patch: format!("- op: replace\n  path: /spec/url\n  value: {url}\n"),
    }
}
