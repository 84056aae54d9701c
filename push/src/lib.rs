//! The images to a registry, behind `cargo mesh push`. A crate of its own, so that the client's TLS is built by those
//! who push and nobody else.

pub mod pinned;
pub mod registry;

use anyhow::Result;
use clap::Parser;
use mesh::cli::At;
use mesh::console::{Step, line};
use mesh::images::{Only, VERSION, build, print, tag};
use mesh::place::Place;

use crate::registry::{Address, Registry, credentials};

/// Push the images to a registry, and pin the manifests to their digests.
///
/// Writes the kustomize component k8s/components/pinned. Credentials are those of `docker login`.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo mesh push", bin_name = "cargo mesh push", max_term_width = 110)]
pub struct Push {
    /// Which mesh; its name means nothing here
    #[command(flatten)]
    pub at: At,
    /// Where to push: HOST, HOST:PORT or either with a path (ghcr.io/finpay)
    #[arg(long, value_name = "HOST[/PREFIX]")]
    pub registry: Address,
    /// The images' tag
    #[arg(long, default_value = VERSION, value_parser = tag)]
    pub tag: String,
    /// What the cluster calls that registry, where it has another name there [default: the registry]
    #[arg(long, value_name = "HOST[/PREFIX]")]
    pub pull_from: Option<Address>,
    /// Not all five
    #[arg(long)]
    pub only: Option<Only>,
    /// Speak plain HTTP; a registry on this machine's loopback address is always spoken to so
    #[arg(long)]
    pub insecure: bool,
}

/// Builds the images, pushes them and pins the manifests to their digests.
pub async fn run(options: &Push) -> Result<()> {
    let place = Place::find(&options.at)?;
    // Before minutes of building.
    let auth = credentials(&options.registry)?;
    let registry = Registry::new(&options.registry, options.insecure, auth)?;
    let images = build::images(&place, &options.tag, options.only)?;
    let step = Step::begin("push");
    for image in &images {
        step.note(&image.name);
        registry.push(image).await?;
    }
    step.done(&options.registry);
    let pull_from = options.pull_from.as_ref().unwrap_or(&options.registry);
    pinned::write(&place.root.join(pinned::FILE), pull_from, &images)?;
    print(&images);
    line(format!("{} pins them, pulled from {pull_from}.", pinned::FILE));
    Ok(())
}
