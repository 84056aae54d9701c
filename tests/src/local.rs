//! What only the one-machine mesh can show: its certificates, its signing key, its logs and its processes.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use mesh::cli::At;
use mesh::place::Place;
use mesh::topology::{Replica, Topology};
use p256::ecdsa::SigningKey;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The one-machine mesh under test.
#[derive(Debug)]
pub struct Local {
    /// Its names, ports and files.
    pub topology: Topology,
}

/// A client certificate with its key, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The chain.
    pub chain: String,
    /// The private key.
    pub key: String,
}

impl Local {
    /// The mesh whose state folder `FINPAY_MESH_STATE` names, or `None` (with a word) where the system under
    /// test is not of this machine.
    pub fn from_env() -> Result<Option<Self>> {
        let Ok(state_dir) = env::var("FINPAY_MESH_STATE") else {
            eprintln!("skipped: only a one-machine mesh can show this (FINPAY_MESH_STATE is not set)");
            return Ok(None);
        };
        let file = Topology::file(&PathBuf::from(state_dir));
        let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        Ok(Some(Self { topology: serde_json::from_str(&text)? }))
    }

    /// Where the mesh lies, for the commands that change it.
    pub fn place(&self) -> Result<Place> {
        let state_dir = Some(self.topology.state_dir.clone());
        Place::find(&At { name: self.topology.name.clone(), state_dir })
    }

    /// The replicas of one workload.
    pub fn replicas(&self, workload: &str) -> Vec<&Replica> {
        self.topology.replicas.iter().filter(|replica| replica.workload == workload).collect()
    }

    /// The certificate of a workload's service account.
    pub fn certificate(&self, workload: &str) -> Result<Certificate> {
        let read = |suffix: &str| {
            let file = self.topology.pki_dir().join(format!("{workload}.{suffix}"));
            fs::read_to_string(&file).with_context(|| format!("{}", file.display()))
        };
        Ok(Certificate { chain: read("pem")?, key: read("key")? })
    }

    /// Auth's signing key and its `kid`, to sign what auth itself would never sign.
    pub async fn signing_key(&self) -> Result<(SigningKey, String)> {
        let url = format!("sqlite://{}?mode=ro", self.topology.database("auth-service").display());
        let pool = sqlx::SqlitePool::connect(&url).await?;
        let row: (String, Vec<u8>) =
            sqlx::query_as("SELECT kid, private_key FROM signing_keys LIMIT 1").fetch_one(&pool).await?;
        pool.close().await;
        let pair = jwt_simple::prelude::ES256KeyPair::from_bytes(&row.1).ok();
        let bytes = pair.map_or(row.1, |pair| pair.to_bytes());
        Ok((SigningKey::from_slice(&bytes).context("the stored key")?, row.0))
    }

    /// The lines of a process's log that are JSON objects.
    pub fn log_lines(&self, process: &str) -> Result<Vec<Value>> {
        let file = self.topology.log_file(process);
        let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// The Wasm filters of the order service's sidecar, in their order, as the mesh's Envoy reads them.
    pub fn wasm_filters(&self) -> Result<Vec<Value>> {
        let file = self.topology.proxy_dir("order-service-0.sidecar").join("lds.json");
        let listeners: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        let mut listeners = listeners["resources"].as_array().context("resources")?.iter();
        let inbound =
            listeners.find(|listener| listener["name"] == "virtualInbound").context("virtualInbound")?;
        let manager = &inbound["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array().context("http_filters")?.iter();
        let is_wasm = |filter: &&Value| filter["typed_config"]["config"]["vm_config"].is_object();
        Ok(filters.filter(is_wasm).cloned().collect())
    }

    /// What the supervisor says of its processes.
    pub async fn status(&self) -> Result<Value> {
        let client = reqwest::Client::builder().unix_socket(self.topology.control_socket()).build()?;
        Ok(client.get("http://mesh/status").send().await?.error_for_status()?.json().await?)
    }

    /// One HTTP/1.1 request over TLS with this certificate or none: the status, or the connection's error.
    pub async fn request_as(
        &self,
        address: SocketAddr,
        certificate: Option<&Certificate>,
        request: &str,
    ) -> Result<u16> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => {
                let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes())?;
                builder.with_client_auth_cert(chain.collect::<Result<Vec<_>, _>>()?, key)?
            }
        };
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("sidecar.invalid")?;
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(request.as_bytes()).await?;
        status_of(&mut stream).await
    }
}

/// Reads the status of an HTTP/1.1 answer.
pub async fn status_of(stream: &mut (impl AsyncReadExt + Unpin)) -> Result<u16> {
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.context("the connection closed without an answer")?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").with_context(|| format!("not HTTP/1.1: {text:?}"))?;
    Ok(status.parse()?)
}

/// Takes any server certificate: the tests look at what the server thinks of the client's.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
