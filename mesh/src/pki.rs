//! The mesh's certificate authority and one leaf per service account. The CA is kept from one start to the
//! next; leaves live one day, and the supervisor renews them while the mesh runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use crate::manifest::{Manifests, kubernetes};
use crate::place::write_atomically;
use crate::topology::{GATEWAY, Topology};
use crate::translate::{GATEWAY_SPIFFE, TRUST_DOMAIN, workload_spiffe};

/// How long a leaf is valid.
const LEAF_LIFETIME: Duration = Duration::from_hours(24);
const CA_LIFETIME: Duration = Duration::from_hours(24 * 3650);
/// Clocks of one machine agree, but a certificate must not be younger than a request under way.
const BACKDATED: Duration = Duration::from_mins(5);

/// Makes the CA when there is none, and a fresh leaf for every account.
pub fn issue(topology: &Topology, manifests: &Manifests) -> Result<()> {
    let folder = topology.pki_dir();
    let issuer = certificate_authority(&folder)?;
    for deployment in manifests.all::<kubernetes::Deployment>() {
        let name = &deployment.metadata.name;
        leaf(&folder, &issuer, name, &workload_spiffe(manifests, name)?)?;
    }
    leaf(&folder, &issuer, GATEWAY, GATEWAY_SPIFFE)
}

fn certificate_authority(folder: &Path) -> Result<Issuer<'static, KeyPair>> {
    let (certificate, key_file) = (folder.join("ca.pem"), folder.join("ca.key"));
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, TRUST_DOMAIN);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    if certificate.is_file() && key_file.is_file() {
        let pem = fs::read_to_string(&key_file)
            .with_context(|| format!("{} cannot be read", key_file.display()))?;
        let key = KeyPair::from_pem(&pem)
            .with_context(|| format!("{} is damaged, remove {}", key_file.display(), folder.display()))?;
        return Ok(Issuer::new(params, key));
    }
    let key = KeyPair::generate().context("no key for the certificate authority")?;
    set_validity(&mut params, CA_LIFETIME)?;
    let signed = params.self_signed(&key).context("the certificate authority cannot be made")?;
    write_atomically(&key_file, key.serialize_pem().as_bytes(), 0o600)?;
    write_atomically(&certificate, signed.pem().as_bytes(), 0o644)?;
    Ok(Issuer::new(params, key))
}

fn leaf(folder: &Path, issuer: &Issuer<'_, KeyPair>, name: &str, identity: &str) -> Result<()> {
    let key = KeyPair::generate().with_context(|| format!("no key for {name}"))?;
    let mut params = CertificateParams::default();
    // An empty subject makes the name in the SAN the only one, as SPIFFE wants it.
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names =
        vec![SanType::URI(identity.try_into().with_context(|| format!("{identity} is no name"))?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, LEAF_LIFETIME)?;
    let signed = params.signed_by(&key, issuer).with_context(|| format!("no certificate for {identity}"))?;
    write_atomically(&folder.join(format!("{name}.key")), key.serialize_pem().as_bytes(), 0o600)?;
    write_atomically(&folder.join(format!("{name}.pem")), signed.pem().as_bytes(), 0o644)
}

fn set_validity(params: &mut CertificateParams, lifetime: Duration) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now - BACKDATED;
    params.not_after = epoch + now + lifetime;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_authority_signs_again() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        leaf(
            folder.path(),
            &certificate_authority(folder.path())?,
            "order-service",
            "spiffe://cluster.local/ns/a/sa/b",
        )?;
        let first = (read("ca.pem")?, read("ca.key")?, read("order-service.pem")?);
        leaf(
            folder.path(),
            &certificate_authority(folder.path())?,
            "order-service",
            "spiffe://cluster.local/ns/a/sa/b",
        )?;
        assert_eq!((read("ca.pem")?, read("ca.key")?), (first.0, first.1), "the authority is kept");
        assert_ne!(read("order-service.pem")?, first.2, "the leaf is new");
        Ok(())
    }
}
