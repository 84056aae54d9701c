//! mTLS: certificates by file, and whom each side accepts.

use serde_json::{Value, json};

use super::{ConfigFile, Proxy, names, resources, typed, watched};
use crate::topology::Topology;

// Istio's names of the two secrets.
const CERTIFICATE: &str = "default";
const CA: &str = "ROOTCA";
const CERTIFICATE_FILE: &str = "sds.json";
const CA_FILE: &str = "sds-ca.json";

/// A proxy's certificate and the CA, each in a file of its own, because Envoy wants it so; read again when a
/// file in the certificates' folder is replaced.
pub(super) fn secrets(topology: &Topology, proxy: &Proxy) -> [ConfigFile; 2] {
    let folder = topology.pki_dir();
    let file = |name: String| json!({"filename": folder.join(name)});
    let watched_directory = json!({"path": folder});
    let certificate = json!({
        "name": CERTIFICATE,
        "tls_certificate": {
            "certificate_chain": file(format!("{}.pem", proxy.certificate)),
            "private_key": file(format!("{}.key", proxy.certificate)),
            "watched_directory": watched_directory,
        },
    });
    let ca = json!({
        "name": CA,
        "validation_context": {
            "trusted_ca": file("ca.pem".to_owned()),
            "watched_directory": watched_directory,
        },
    });
    let secret = |name: &str, secret: Value| ConfigFile {
        path: topology.proxy_dir(&proxy.name).join(name),
        content: resources("envoy.extensions.transport_sockets.tls.v3.Secret", vec![secret]),
    };
    [secret(CERTIFICATE_FILE, certificate), secret(CA_FILE, ca)]
}

/// The calling side: the server must have exactly this identity.
pub(super) fn upstream(topology: &Topology, proxy: &Proxy, sni: &str, spiffe: &str) -> Value {
    let context = json!({
        "sni": sni,
        "common_tls_context": common(topology, proxy, &json!({"exact": spiffe})),
    });
    socket(&typed("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", context))
}

/// The called side: a client without a certificate of this trust domain does not get through the handshake.
pub(super) fn downstream(topology: &Topology, proxy: &Proxy) -> Value {
    let domain = json!({"prefix": format!("spiffe://{}/", names::TRUST_DOMAIN)});
    let mut common = common(topology, proxy, &domain);
    common["alpn_protocols"] = json!(["h2", "http/1.1"]);
    let context = json!({"require_client_certificate": true, "common_tls_context": common});
    socket(&typed("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", context))
}

fn common(topology: &Topology, proxy: &Proxy, peer: &Value) -> Value {
    let source = |file: &str| watched(&topology.proxy_dir(&proxy.name).join(file));
    json!({
        // Both said, as Istio does: Envoy's defaults have not always been the same for both sides.
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "tls_certificate_sds_secret_configs": [{"name": CERTIFICATE, "sds_config": source(CERTIFICATE_FILE)}],
        "combined_validation_context": {
            "default_validation_context": {
                "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": peer}],
            },
            "validation_context_sds_secret_config": {"name": CA, "sds_config": source(CA_FILE)},
        },
    })
}

fn socket(context: &Value) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}
