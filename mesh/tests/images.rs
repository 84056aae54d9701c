//! Container images: reproducible, and consistent in all their digests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use mesh::images::archive;
use mesh::images::image::{Image, digest};
use serde_json::Value;

const BINARY: &[u8] = b"\x7fELF, not really";
const MODULE: &[u8] = b"\0asm, not really";

fn service() -> Image {
    Image::service("order-service", "0.1.0", "amd64", BINARY).expect("an image")
}

fn filter() -> Image {
    Image::filter("jwt", "0.1.0", MODULE).expect("an image")
}

/// What a tar archive holds, with modes.
fn files(tar: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar archive");
    let file = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.expect("an entry");
        let header = entry.header();
        assert_eq!(
            (header.mtime().ok(), header.uid().ok(), header.gid().ok()),
            (Some(0), Some(0), Some(0)),
            "times and people differ from machine to machine"
        );
        let mode = header.mode().expect("a mode");
        let path = entry.path().expect("a path").display().to_string();
        let mut data = Vec::new();
        entry.read_to_end(&mut data).expect("the content");
        (path, (mode, data))
    };
    entries.map(file).collect()
}

/// The one file of an image's layer.
fn only_file(layer: &[u8]) -> (String, u32, Vec<u8>) {
    let mut tar = Vec::new();
    GzDecoder::new(layer).read_to_end(&mut tar).expect("gzip");
    let files: Vec<_> = files(&tar).into_iter().collect();
    let [(path, (mode, data))] = <[_; 1]>::try_from(files).expect("one file");
    (path, mode, data)
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    for (first, second) in [(service(), service()), (filter(), filter())] {
        let folder = tempfile::tempdir().expect("a folder");
        let one = archive::write(&folder.path().join("one"), &first).expect("an archive");
        let two = archive::write(&folder.path().join("two"), &second).expect("an archive");
        assert!(fs::read(one).expect("a file") == fs::read(two).expect("a file"), "{}", first.name);
        // RFC 1952, section 2.3.1: MTIME. The archive's own times are checked where its files are read.
        assert_eq!(first.layer.data.get(4..8), Some(&[0; 4][..]), "a time in {}", first.name);
    }
    let other = Image::filter("jwt", "0.1.0", b"\0asm, another").expect("an image");
    assert_ne!(other.manifest.digest, filter().manifest.digest);
}

#[test]
fn every_digest_and_size_is_that_of_its_blob() {
    for image in [service(), filter()] {
        let files = files(&archive::bytes(&image).expect("an archive"));
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path].1).expect("JSON") };
        let blob = |descriptor: &Value| -> &[u8] {
            let name = descriptor["digest"].as_str().expect("a digest");
            let data = files[&format!("blobs/{}", name.replace(':', "/"))].1.as_slice();
            assert_eq!((name, descriptor["size"].as_u64()), (&*digest(data), Some(data.len() as u64)));
            data
        };
        assert_eq!(json("oci-layout")["imageLayoutVersion"], "1.0.0");
        let entry = &json("index.json")["manifests"][0];
        let name = format!("ghcr.io/finpay/{}:0.1.0", image.name);
        for annotation in ["io.containerd.image.name", "org.opencontainers.image.ref.name"] {
            assert_eq!(entry["annotations"][annotation], *name);
        }
        let manifest: Value = serde_json::from_slice(blob(entry)).expect("a manifest");
        let config: Value = serde_json::from_slice(blob(&manifest["config"])).expect("a configuration");
        let mut tar = Vec::new();
        GzDecoder::new(blob(&manifest["layers"][0])).read_to_end(&mut tar).expect("gzip");
        assert_eq!(config["rootfs"]["diff_ids"][0], *digest(&tar));
        let docker = &json("manifest.json")[0];
        assert_eq!(docker["RepoTags"][0], *name);
        for (path, place) in [(&docker["Config"], "config"), (&docker["Layers"][0], "layer")] {
            assert!(files.contains_key(path.as_str().expect("a path")), "{place}: {path}");
        }
        assert_eq!(files.len(), 6, "{:?}", files.keys());
    }
}

#[test]
fn a_service_is_its_binary_run_by_nobody() {
    let image = service();
    assert_eq!(only_file(&image.layer.data), ("service".to_owned(), 0o755, BINARY.to_vec()));
    let config: Value = serde_json::from_slice(&image.config.data).expect("a configuration");
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/service"]));
    let labels = &config["config"]["Labels"];
    for (label, value) in [("title", "order-service"), ("version", "0.1.0"), ("licenses", "Apache-2.0")] {
        assert_eq!(labels[format!("org.opencontainers.image.{label}")], value);
    }
    assert!(
        labels["org.opencontainers.image.source"].as_str().is_some_and(|url| url.starts_with("https://"))
    );
}

#[test]
fn a_filter_is_exactly_plugin_wasm() {
    let image = filter();
    assert_eq!(only_file(&image.layer.data), ("plugin.wasm".to_owned(), 0o644, MODULE.to_vec()));
    assert_eq!(image.layer.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(image.config.media_type, "application/vnd.oci.image.config.v1+json");
}
