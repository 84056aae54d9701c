//! An image as one file: an OCI layout in a tar archive, which `ctr images import`, skopeo and `docker load` read.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::HOME;
use super::image::{Image, header};
use crate::place::write_atomically;

const READABLE: u32 = 0o644;
/// The image specification's media type.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Writes `NAME.tar` into the folder.
pub fn write(folder: &Path, image: &Image) -> Result<PathBuf> {
    let path = folder.join(format!("{}.tar", image.name));
    let bytes = bytes(image).with_context(|| format!("{} cannot be made", path.display()))?;
    write_atomically(&path, &bytes, READABLE)?;
    Ok(path)
}

/// The archive.
pub fn bytes(image: &Image) -> Result<Vec<u8>> {
    let mut files = vec![
        ("oci-layout".to_owned(), serde_json::to_vec(&json!({"imageLayoutVersion": "1.0.0"}))?),
        ("index.json".to_owned(), serde_json::to_vec(&index(image))?),
        // What `docker load` reads before version 25.
        ("manifest.json".to_owned(), serde_json::to_vec(&docker(image))?),
    ];
    files.extend(image.blobs().map(|blob| (blob_path(&blob.digest), blob.data.clone())));
    files.sort();
    let mut archive = tar::Builder::new(Vec::new());
    for (path, data) in &files {
        archive.append_data(&mut header(READABLE, data.len())?, path, data.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn full_name(image: &Image) -> String {
    format!("{HOME}/{}:{}", image.name, image.tag)
}

fn index(image: &Image) -> Value {
    let name = full_name(image);
    let mut manifest = image.manifest.descriptor();
    // containerd takes the image's name from the first, skopeo and others from the second.
    manifest["annotations"] =
        json!({"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name});
    manifest["platform"] = json!({"architecture": image.architecture, "os": "linux"});
    json!({
        "manifests": [manifest],
        "mediaType": INDEX,
        "schemaVersion": 2,
    })
}

fn docker(image: &Image) -> Value {
    json!([{
        "Config": blob_path(&image.config.digest),
        "Layers": [blob_path(&image.layer.digest)],
        "RepoTags": [full_name(image)],
    }])
}
