//! mTLS: certificates by file, and whom each side accepts.

use serde_json::{Value, json};

use super::{Proxy, names, resources, typed, watched};
use crate::topology::Topology;

// Istio's names of the two secrets.
const CERTIFICATE: &str = "default";
const CA: &str = "ROOTCA";

/// A proxy's certificate and the CA, read again when a file in their folder is replaced.
pub(super) fn secrets(topology: &Topology, proxy: &Proxy) -> Value {
    let folder = topology.pki_dir();
    let file = |name: String| json!({"filename": folder.join(name)});
    let watched_directory = json!({"path": folder});
    let secrets = vec![
        json!({
            "name": CERTIFICATE,
            "tls_certificate": {
                "certificate_chain": file(format!("{}.pem", proxy.certificate)),
                "private_key": file(format!("{}.key", proxy.certificate)),
                "watched_directory": watched_directory,
            },
        }),
        json!({
            "name": CA,
            "validation_context": {
                "trusted_ca": file("ca.pem".to_owned()),
                "watched_directory": watched_directory,
            },
        }),
    ];
    resources("envoy.extensions.transport_sockets.tls.v3.Secret", secrets)
}

/// The calling side: the server must have exactly this identity.
pub(super) fn upstream(topology: &Topology, proxy: &Proxy, sni: &str, spiffe: &str) -> Value {
    let context = json!({
        "sni": sni,
        "common_tls_context": common(topology, proxy, &json!({"exact": spiffe})),
    });
    socket(typed("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", context))
}

/// The called side: a client without a certificate of this trust domain does not get through the handshake.
pub(super) fn downstream(topology: &Topology, proxy: &Proxy) -> Value {
    let domain = json!({"prefix": format!("spiffe://{}/", names::TRUST_DOMAIN)});
    let mut common = common(topology, proxy, &domain);
    common["alpn_protocols"] = json!(["h2", "http/1.1"]);
    let context = json!({"require_client_certificate": true, "common_tls_context": common});
    socket(typed("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", context))
}

fn common(topology: &Topology, proxy: &Proxy, peer: &Value) -> Value {
    let source = watched(&topology.proxy_dir(&proxy.name).join("sds.json"));
    json!({
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [{"name": CERTIFICATE, "sds_config": source}],
        "combined_validation_context": {
            "default_validation_context": {
                "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": peer}],
            },
            "validation_context_sds_secret_config": {"name": CA, "sds_config": source},
        },
    })
}

fn socket(context: Value) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}
