//! The container images: three services and two filters, made without Docker, the same bytes from the same sources.

pub mod archive;
pub mod build;
pub mod image;

use std::path::PathBuf;

use anyhow::{Result, bail};
use comfy_table::{CellAlignment, Table, presets};

use crate::console::line;
use image::Image;

/// The services' images; each holds the binary of its name.
pub const SERVICES: [&str; 3] = ["auth-service", "payment-service", "order-service"];
/// The filters' images; each holds the module of its name.
pub const FILTERS: [&str; 2] = ["jwt", "amount"];
/// What the manifests in `k8s/base` call the place of the images.
pub const HOME: &str = "ghcr.io/finpay";
/// The tag when none is given.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The most that a service's image may weigh.
pub const SERVICE_LIMIT: usize = 25 * MEBIBYTE;

const MEBIBYTE: usize = 1024 * 1024;

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Only {
    /// jwt and amount
    Filters,
    /// auth-service, payment-service and order-service
    Services,
}

/// `images`.
#[derive(Debug, Clone, clap::Args)]
pub struct Images {
    /// The folder of the archives [default: target/images]
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// The images' tag
    #[arg(long, default_value = VERSION, value_parser = tag)]
    pub tag: String,
}

/// A tag, as the distribution specification has it.
pub fn tag(text: &str) -> Result<String> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let first = text.bytes().next().is_some_and(word);
    if !first || text.len() > 128 || !text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-') {
        bail!("1 to 128 letters, digits, `.`, `-` and `_` are allowed, the first no `.` or `-`");
    }
    Ok(text.to_owned())
}

/// Prints one line per image.
pub fn print(images: &[Image]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["IMAGE", "TAG", "SIZE", "DIGEST"]);
    for image in images {
        let tenths = image.size().saturating_mul(10) / MEBIBYTE;
        table.add_row([
            image.name.clone(),
            image.tag.clone(),
            format!("{}.{} MiB", tenths / 10, tenths % 10),
            image.manifest.digest.clone(),
        ]);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    line(table.trim_fmt());
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn tags_are_checked() {
        assert_eq!(tag("0.1.0-rc_1").expect("a tag"), "0.1.0-rc_1");
        for wrong in ["", ".1", "-1", "a b", "a@sha256:0", "a/b", &"1".repeat(129)] {
            assert!(tag(wrong).is_err(), "{wrong}");
        }
    }
}
