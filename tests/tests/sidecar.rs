//! Straight to a sidecar's inbound port (one-machine mesh only): mutual TLS, and by account.

use anyhow::{Context, Result};
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use reqwest::Method;
use tests::local::{Certificate, Local, status_of};
use tests::{System, orders};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn order_request(token: &str, user: &str) -> String {
    let body = orders::seed(user).to_string();
    let host = "order-service.finpay.svc.cluster.local:3003";
    format!(
        "POST /order/create HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         x-request-id: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        uuid::Uuid::now_v7(),
        body.len()
    )
}

/// A leaf with the gateway's own name, from a CA that the mesh does not know.
fn foreign_certificate() -> Result<Certificate> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::default();
    let name = "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
    leaf.subject_alt_names = vec![SanType::URI(name.try_into()?)];
    let signed = leaf.signed_by(&key, &issuer)?;
    Ok(Certificate { chain: signed.pem(), key: key.serialize_pem() })
}

#[tokio::test]
async fn only_named_accounts_with_the_mesh_s_certificates_get_in() -> Result<()> {
    let (Some(system), Some(local)) = (System::from_env(), Local::from_env()?) else { return Ok(()) };
    let user = system.new_user().await?;
    for replica in local.replicas("order-service") {
        let request = order_request(&user.token, &user.id);
        let mut plain = TcpStream::connect(replica.inbound).await?;
        plain.write_all(request.as_bytes()).await?;
        let answer = status_of(&mut plain).await;
        assert!(answer.is_err(), "plaintext was answered: {answer:?}");

        let answer = local.request_as(replica.inbound, None, &request).await;
        assert!(answer.is_err(), "TLS without a certificate was answered: {answer:?}");

        let answer = local.request_as(replica.inbound, Some(&foreign_certificate()?), &request).await;
        assert!(answer.is_err(), "a certificate of another CA was answered: {answer:?}");

        let auth = local.certificate("auth-service")?;
        assert_eq!(
            local.request_as(replica.inbound, Some(&auth), &request).await?,
            403,
            "an account not named"
        );

        let gateway = local.certificate("gateway")?;
        assert_eq!(
            local.request_as(replica.inbound, Some(&gateway), &request).await?,
            201,
            "the gateway's own"
        );
    }
    Ok(())
}

#[tokio::test]
async fn no_service_listens_on_a_network_address() -> Result<()> {
    let Some(local) = Local::from_env()? else { return Ok(()) };
    let status = local.status().await?;
    let processes = status["processes"].as_array().context("processes")?;
    let mut checked = 0;
    for replica in &local.topology.replicas {
        let process = processes.iter().find(|process| process["name"] == replica.name().as_str());
        let pid = process.and_then(|process| process["pid"].as_u64()).context("pid")?;
        let listening = listening_inodes();
        for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
            let Ok(target) = std::fs::read_link(entry?.path()) else { continue };
            assert!(
                !listening.contains(&target.to_string_lossy().into_owned()),
                "{} listens on TCP",
                replica.name()
            );
        }
        checked += 1;
    }
    assert_eq!(checked, 6, "two replicas of three services");
    Ok(())
}

/// The inodes of all listening TCP sockets, as `/proc/PID/fd` spells them.
fn listening_inodes() -> Vec<String> {
    const LISTEN: &str = "0A";
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let inode = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields.get(3) == Some(&LISTEN)).then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
    };
    tables.iter().flat_map(|table| table.lines().filter_map(inode)).collect()
}

#[tokio::test]
async fn outside_headers_of_envoy_do_not_steer_the_mesh() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
    let request = request.header("x-envoy-upstream-rq-timeout-ms", "1").json(&orders::seed(&user.id));
    assert_eq!(system.send(request).await?.status, 201, "a client's time limit is not the mesh's");
    Ok(())
}
