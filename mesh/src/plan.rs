//! Lays out a mesh: which replicas, on which ports, with which sockets.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cli::Up;
use crate::manifest::{Manifests, istio, kubernetes};
use crate::place::Place;
use crate::topology::{Gateway, GatewayListener, Replica, Topology};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A socket's path may have 107 bytes on Linux; the longest name of a socket is part of it.
const LONGEST_SOCKET_PATH_BYTES: usize = 100;
const PROMETHEUS_PORT: u16 = 9090;

/// Sockets that are held open while ports are chosen, so that no two get the same.
#[derive(Debug, Default)]
struct Ports(Vec<TcpListener>);

impl Ports {
    fn free(&mut self, ip: IpAddr) -> Result<SocketAddr> {
        let listener = TcpListener::bind((ip, 0)).with_context(|| format!("no free port on {ip}"))?;
        let address = listener.local_addr().context("a port's own address")?;
        self.0.push(listener);
        Ok(address)
    }

    fn fixed(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        match TcpListener::bind(address) {
            Ok(listener) => self.0.push(listener),
            Err(problem) if problem.kind() == io::ErrorKind::AddrInUse => bail!(
                "port {} on {} is in use, stop what listens there or run `cargo mesh up --free-ports`",
                address.port(),
                address.ip()
            ),
            Err(problem) => {
                return Err(problem)
                    .with_context(|| format!("{address} cannot be bound, choose another --bind or port"));
            }
        }
        Ok(address)
    }
}

/// The topology of a mesh that is about to start.
pub fn plan(place: &Place, options: &Up, manifests: &Manifests) -> Result<Topology> {
    let mut ports = Ports::default();
    let free = options.free_ports || place.name != "default";
    let mut listeners = Vec::new();
    for manifest_port in gateway_ports(manifests) {
        let address = if free {
            ports.free(options.bind)?
        } else {
            let port = if listeners.is_empty() { options.gateway_port } else { manifest_port };
            ports.fixed(SocketAddr::new(options.bind, port))?
        };
        listeners.push(GatewayListener { manifest_port, address });
    }
    let gateway = Gateway { listeners, metrics: ports.free(LOOPBACK)? };
    let mut replicas = Vec::new();
    for deployment in manifests.all::<kubernetes::Deployment>() {
        for index in 0..deployment.spec.replicas {
            replicas.push(Replica {
                workload: deployment.metadata.name.clone(),
                index,
                inbound: ports.free(LOOPBACK)?,
                outbound: ports.free(LOOPBACK)?,
                metrics: ports.free(LOOPBACK)?,
            });
        }
    }
    let usual = SocketAddr::new(LOOPBACK, PROMETHEUS_PORT);
    let prometheus = match on_path("prometheus") {
        None => None,
        Some(_) if free => Some(ports.free(LOOPBACK)?),
        Some(_) => Some(ports.fixed(usual).or_else(|_| ports.free(LOOPBACK))?),
    };
    Ok(Topology {
        name: place.name.clone(),
        state_dir: place.state_dir.clone(),
        run_dir: run_dir(&place.state_dir, &replicas),
        concurrency: options.concurrency,
        wasm_dir: crate::compile::wasm_dir(&place.target),
        gateway,
        replicas,
        prometheus,
    })
}

/// 8080 first, as in the manifest.
fn gateway_ports(manifests: &Manifests) -> Vec<u16> {
    let gateways = manifests.all::<istio::Gateway>();
    gateways.flat_map(|gateway| gateway.spec.servers.iter().map(|server| server.port.number)).collect()
}

/// Below the state folder, or below the temporary folder when that is too deep for a socket's path.
fn run_dir(state_dir: &Path, replicas: &[Replica]) -> PathBuf {
    let beside = state_dir.join("run");
    let longest =
        replicas.iter().map(|replica| replica.sidecar().len() + "/.admin.sock".len()).max().unwrap_or(0);
    if beside.as_os_str().len() + longest <= LONGEST_SOCKET_PATH_BYTES {
        return beside;
    }
    env::temp_dir().join(format!("finpay-{:016x}", fnv(state_dir.as_os_str().as_encoded_bytes())))
}

/// FNV-1a: the same folder gives the same name in every version of this program.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Finds a program as the shell would.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The addresses that tests and people use, by process.
pub fn ports_of(topology: &Topology) -> BTreeMap<String, Vec<u16>> {
    let mut ports = BTreeMap::new();
    let listeners = topology.gateway.listeners.iter().map(|listener| listener.address.port());
    let gateway = listeners.chain([topology.gateway.metrics.port()]).collect();
    ports.insert(crate::topology::GATEWAY.to_owned(), gateway);
    for replica in &topology.replicas {
        let three = [replica.inbound, replica.outbound, replica.metrics];
        ports.insert(replica.sidecar(), three.map(|address| address.port()).to_vec());
    }
    if let Some(address) = topology.prometheus {
        ports.insert("prometheus".to_owned(), vec![address.port()]);
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica() -> Replica {
        let address = SocketAddr::new(LOOPBACK, 1);
        Replica {
            workload: "payment-service".to_owned(),
            index: 0,
            inbound: address,
            outbound: address,
            metrics: address,
        }
    }

    #[test]
    fn a_taken_port_is_named_with_the_way_out() -> Result<()> {
        let taken = TcpListener::bind((LOOPBACK, 0))?;
        let address = taken.local_addr()?;
        let problem = Ports::default().fixed(address).expect_err("the port is taken").to_string();
        assert_eq!(
            problem,
            format!(
                "port {} on 127.0.0.1 is in use, stop what listens there or run `cargo mesh up --free-ports`",
                address.port()
            )
        );
        Ok(())
    }

    #[test]
    fn free_ports_differ() -> Result<()> {
        let mut ports = Ports::default();
        let all = (0..50).map(|_| ports.free(LOOPBACK)).collect::<Result<std::collections::BTreeSet<_>>>()?;
        assert_eq!(all.len(), 50);
        Ok(())
    }

    #[test]
    fn sockets_fit_below_any_state_folder() {
        let near = run_dir(Path::new("/srv/mesh"), &[replica()]);
        assert_eq!(near, Path::new("/srv/mesh/run"));
        let deep = PathBuf::from(format!("/{}", "deep/".repeat(40)));
        let run = run_dir(&deep, &[replica()]);
        assert!(run.starts_with(env::temp_dir()), "{}", run.display());
        assert_eq!(run, run_dir(&deep, &[replica()]), "the same folder each time");
    }
}
