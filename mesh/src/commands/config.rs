//! Prints what the manifests give for one Envoy.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::cli::Up;
use crate::console::line;
use crate::manifest::Manifests;
use crate::place::Place;
use crate::topology::Topology;
use crate::{plan, proxies, render, translate};

/// The mesh's own manifests and ports when there is one, else those in k8s/ with ports as they come.
pub fn run(place: &Place, process: &str) -> Result<()> {
    let (topology, manifests) = if Topology::file(&place.state_dir).exists() {
        let topology = place.topology()?;
        let manifests = render::manifests(&topology)?;
        (topology, manifests)
    } else {
        let manifests = Manifests::load(&place.manifests())?;
        (plan::plan(place, &any_ports(), &manifests)?, manifests)
    };
    let names = proxies::names(&topology);
    let sidecar = format!("{process}.sidecar");
    let Some(proxy) = names.iter().find(|name| *name == process || **name == sidecar) else {
        bail!("no Envoy is named `{process}`, there are: {}", names.join(", "));
    };
    let folder = topology.proxy_dir(proxy);
    let mut shown = Map::new();
    for file in translate::envoy_files(&manifests, &topology, &BTreeSet::new())? {
        if let Ok(name) = file.path.strip_prefix(&folder) {
            shown.insert(name.display().to_string(), file.content);
        }
    }
    line(serde_json::to_string_pretty(&Value::Object(shown))?);
    Ok(())
}

fn any_ports() -> Up {
    let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Up {
        foreground: false,
        gateway_port: 0,
        free_ports: true,
        concurrency: 1,
        bind,
        no_build: true,
        database: None,
    }
}
