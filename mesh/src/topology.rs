//! Where everything of one mesh lives: names, ports, sockets and files. Written once by `up`, read by all
//! other commands, and the translator's second input beside the manifests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One mesh on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The mesh's name, from `--name`.
    pub name: String,
    /// The folder that holds its data, logs, certificates and Envoy files.
    pub state_dir: PathBuf,
    /// The folder of its Unix sockets: short, since a socket's path may have 107 bytes at most.
    pub run_dir: PathBuf,
    /// Worker threads per Envoy (`--concurrency`).
    pub concurrency: u32,
    /// The folder that holds the built filter modules, `<name>.wasm`.
    pub wasm_dir: PathBuf,
    /// The ingress gateway.
    pub gateway: Gateway,
    /// Every service replica with its sidecar, in the order of starting.
    pub replicas: Vec<Replica>,
    /// Prometheus' address, when it runs.
    pub prometheus: Option<SocketAddr>,
}

/// The ingress gateway's Envoy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Listeners: the port that the Gateway manifest names, and the address it has here.
    pub listeners: Vec<GatewayListener>,
    /// Serves `/stats/prometheus` and `/ready`.
    pub metrics: SocketAddr,
}

/// One listener of the gateway.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayListener {
    /// The port in the Gateway manifest.
    pub manifest_port: u16,
    /// Where it listens on this machine.
    pub address: SocketAddr,
}

/// One replica: a service process and the sidecar in front of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The Deployment's name, for example `order-service`.
    pub workload: String,
    /// Counted from 0 within the workload.
    pub index: u32,
    /// The sidecar's inbound mTLS listener.
    pub inbound: SocketAddr,
    /// The sidecar's outbound listener, the service's `HTTP_PROXY`.
    pub outbound: SocketAddr,
    /// Serves the sidecar's `/stats/prometheus` and `/ready`, and the service's `/metrics`.
    pub metrics: SocketAddr,
}

impl Replica {
    /// The service process's name, for example `order-service-0`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.workload, self.index)
    }

    /// The sidecar process's name, for example `order-service-0.sidecar`.
    pub fn sidecar(&self) -> String {
        format!("{}.sidecar", self.name())
    }
}

/// The gateway process's name, and its folder below `envoy/`.
pub const GATEWAY: &str = "gateway";

impl Topology {
    /// The Unix socket on which a service process (`order-service-0`) listens.
    pub fn service_socket(&self, process: &str) -> PathBuf {
        self.run_dir.join(format!("{process}.sock"))
    }

    /// The Unix socket of an Envoy's admin interface (`order-service-0.sidecar`, `gateway`).
    pub fn admin_socket(&self, proxy: &str) -> PathBuf {
        self.run_dir.join(format!("{proxy}.admin.sock"))
    }

    /// The supervisor's control socket.
    pub fn control_socket(&self) -> PathBuf {
        self.run_dir.join("mesh.sock")
    }

    /// An Envoy's folder: `bootstrap.json`, `lds.json`, `cds.json`, `sds.json`.
    pub fn proxy_dir(&self, proxy: &str) -> PathBuf {
        self.state_dir.join("envoy").join(proxy)
    }

    /// The endpoints of a service, one file that all Envoys watch.
    pub fn eds_file(&self, workload: &str) -> PathBuf {
        self.state_dir.join("envoy").join("eds").join(format!("{workload}.json"))
    }

    /// The folder of the CA and the leaf certificates: `ca.pem`, `<workload>.pem`, `<workload>.key`
    /// (the gateway's are `gateway.pem` and `gateway.key`).
    pub fn pki_dir(&self) -> PathBuf {
        self.state_dir.join("pki")
    }

    /// A process's log file.
    pub fn log_file(&self, process: &str) -> PathBuf {
        self.state_dir.join("logs").join(format!("{process}.log"))
    }

    /// The folder of the SQLite files.
    pub fn data_dir(&self) -> PathBuf {
        self.state_dir.join("data")
    }

    /// A service's SQLite file.
    pub fn database(&self, workload: &str) -> PathBuf {
        self.data_dir().join(format!("{workload}.db"))
    }

    /// The manifests that the mesh runs on, copied by `up` and changed by `apply`.
    pub fn manifests_dir(&self) -> PathBuf {
        self.state_dir.join("manifests")
    }

    /// Where a mesh with this state folder writes its topology.
    pub fn file(state_dir: &Path) -> PathBuf {
        state_dir.join("mesh.json")
    }
}
