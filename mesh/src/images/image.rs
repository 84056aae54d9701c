//! One image: its layer, its configuration and its manifest, byte for byte the same from the same content.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

// The image specification's media types.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The user of a service: nobody, by number, since an image from scratch has no /etc/passwd.
pub const USER: &str = "65532:65532";

/// Where the code is.
const SOURCE: &str = "https://github.com/finpay/finpay";
/// Images carry no time: the same sources give the same digest.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The gzip header's name for "no particular system".
const ANY_SYSTEM: u8 = 255;

/// Bytes and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The media type.
    pub media_type: &'static str,
    /// `sha256:` and the hash in hexadecimal digits.
    pub digest: String,
    /// The content.
    pub data: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, data: Vec<u8>) -> Self {
        Self { media_type, digest: digest(&data), data }
    }

    /// How a manifest or an index names it.
    pub fn descriptor(&self) -> Value {
        json!({"digest": self.digest, "mediaType": self.media_type, "size": self.data.len()})
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its name, without a registry.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its processor, as images call it.
    pub architecture: &'static str,
    /// What it names; its digest is the image's.
    pub manifest: Blob,
    /// How it is run.
    pub config: Blob,
    /// Its one file.
    pub layer: Blob,
}

impl Image {
    /// A service: nothing but its static binary.
    pub fn service(name: &str, tag: &str, architecture: &'static str, binary: &[u8]) -> Result<Self> {
        const EXECUTABLE: u32 = 0o755;
        let run = json!({"Entrypoint": ["/service"], "Labels": labels(name, tag), "User": USER});
        Self::new(name, tag, architecture, &run, ("service", EXECUTABLE, binary))
    }

    /// A filter, in the form that pilot-agent pulls and any registry takes: an ordinary image with `plugin.wasm`.
    pub fn filter(name: &str, tag: &str, module: &[u8]) -> Result<Self> {
        const READABLE: u32 = 0o644;
        // A module fits every processor. The field wants one, and the digest must not depend on the machine.
        Self::new(
            name,
            tag,
            "amd64",
            &json!({"Labels": labels(name, tag)}),
            ("plugin.wasm", READABLE, module),
        )
    }

    fn new(
        name: &str,
        tag: &str,
        architecture: &'static str,
        run: &Value,
        file: (&str, u32, &[u8]),
    ) -> Result<Self> {
        let packed = pack(file).with_context(|| format!("the layer of {name} cannot be made"))?;
        let zipped = compress(&packed).with_context(|| format!("the layer of {name} cannot be made"))?;
        let layer = Blob::new(LAYER, zipped);
        // Keys in alphabetical order, so that serde_json's feature `preserve_order` changes nothing.
        let config = json!({
            "architecture": architecture,
            "config": run,
            "created": CREATED,
            "os": "linux",
            "rootfs": {"diff_ids": [digest(&packed)], "type": "layers"},
        });
        let config = Blob::new(CONFIG, serde_json::to_vec(&config)?);
        let manifest = json!({
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
            "mediaType": MANIFEST,
            "schemaVersion": 2,
        });
        let manifest = Blob::new(MANIFEST, serde_json::to_vec(&manifest)?);
        Ok(Self { name: name.to_owned(), tag: tag.to_owned(), architecture, manifest, config, layer })
    }

    /// What is transferred when it is pulled.
    pub fn size(&self) -> usize {
        self.blobs().iter().map(|blob| blob.data.len()).sum()
    }

    /// Its three blobs.
    pub fn blobs(&self) -> [&Blob; 3] {
        [&self.config, &self.layer, &self.manifest]
    }
}

/// The digest of a blob.
pub fn digest(data: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(data) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn labels(name: &str, tag: &str) -> Value {
    json!({
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.source": SOURCE,
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.version": tag,
    })
}

/// A tar archive of one file of root's, without a time.
fn pack((path, mode, data): (&str, u32, &[u8])) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header(mode, data.len())?, path, data)?;
    Ok(archive.into_inner()?)
}

/// The header of a file, with nothing in it that changes from machine to machine.
pub fn header(mode: u32, size: usize) -> Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(u64::try_from(size)?);
    Ok(header)
}

fn compress(data: &[u8]) -> Result<Vec<u8>> {
    let mut writer =
        GzBuilder::new().mtime(0).operating_system(ANY_SYSTEM).write(Vec::new(), Compression::best());
    writer.write_all(data)?;
    Ok(writer.finish()?)
}
