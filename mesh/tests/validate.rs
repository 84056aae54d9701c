//! Envoy itself judges what the translator writes: `envoy --mode validate` for every proxy, with the real
//! modules and certificates. Needs what `cargo mesh up` fetches and builds; says so when that is not there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use mesh::manifest::Manifests;
use mesh::topology::{GATEWAY, Gateway, GatewayListener, Replica, Topology};
use mesh::{compile, envoy, pki, render, translate};

const WORKLOADS: [&str; 3] = ["auth-service", "payment-service", "order-service"];

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Validation binds no port, so any will do.
fn topology(state_dir: &Path, wasm_dir: PathBuf) -> Topology {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let replica = |(workload, port): (&&str, u16)| Replica {
        workload: (*workload).to_owned(),
        index: 0,
        inbound: address(port),
        outbound: address(port + 1),
        metrics: address(port + 2),
    };
    let listener = |manifest_port| GatewayListener { manifest_port, address: address(manifest_port) };
    Topology {
        name: "validate".to_owned(),
        state_dir: state_dir.to_owned(),
        run_dir: state_dir.join("run"),
        concurrency: 1,
        wasm_dir,
        gateway: Gateway {
            listeners: [8080, 3001, 3002, 3003].map(listener).to_vec(),
            metrics: address(20900),
        },
        replicas: WORKLOADS.iter().zip((20000..).step_by(10)).map(replica).collect(),
        prometheus: None,
    }
}

#[test]
fn envoy_accepts_every_configuration() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = target(root);
    let (binary, wasm_dir) = (envoy::binary(&target), compile::wasm_dir(&target));
    let modules = ["jwt.wasm", "amount.wasm"].map(|module| wasm_dir.join(module));
    if !binary.is_file() || !modules.iter().all(|module| module.is_file()) {
        eprintln!("skipped: Envoy or the modules are not there, `cargo mesh up` fetches and builds them");
        return;
    }

    let folder = tempfile::tempdir().unwrap();
    let topology = topology(folder.path(), wasm_dir);
    let manifests = Manifests::load(&root.join("k8s/base")).unwrap();
    let files = translate::envoy_files(&manifests, &topology, &BTreeSet::new()).unwrap();
    std::fs::create_dir_all(topology.pki_dir()).unwrap();
    std::fs::create_dir_all(&topology.run_dir).unwrap();
    pki::issue(&topology, &manifests).unwrap();
    render::write(&files).unwrap();

    let sidecars = topology.replicas.iter().map(Replica::sidecar);
    for proxy in sidecars.chain([GATEWAY.to_owned()]) {
        let bootstrap = translate::validation_bootstrap(&files, &topology, &proxy).unwrap();
        let path = topology.proxy_dir(&proxy).join("validate.json");
        std::fs::write(&path, bootstrap.to_string()).unwrap();
        let mut command = Command::new(&binary);
        command.args(["--mode", "validate", "--log-level", "warning", "--config-path"]).arg(path);
        let output = command.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{proxy}: {log}");
        assert!(!log.contains("rejected") && !log.contains("eprecated"), "{proxy}: {log}");
    }
}
