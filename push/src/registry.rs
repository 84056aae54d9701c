//! Pushes images to a registry.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use docker_credential::{CredentialRetrievalError as NoCredential, DockerCredential};
use mesh::images::image::Image;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use reqwest::header::HeaderValue;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const READ_LIMIT: Duration = Duration::from_mins(1);
/// What `docker login` without a name writes.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// A registry, and the path before the images' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port.
    pub host: String,
    /// Without slashes at its ends; empty when there is none.
    pub prefix: String,
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        const WANTED: &str = "wanted is HOST, HOST:PORT or either with a path, as in ghcr.io/finpay";
        if text.contains("://") {
            bail!("{WANTED}, without a scheme");
        }
        let (host, prefix) = text.split_once('/').unwrap_or((text, ""));
        let prefix = prefix.trim_end_matches('/');
        let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let in_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let part = |part: &str| !part.is_empty() && part.bytes().all(in_part);
        if host.is_empty()
            || !host.bytes().all(in_host)
            || !(prefix.is_empty() || prefix.split('/').all(part))
        {
            bail!("{WANTED}; a path has lower-case letters, digits, `.`, `_` and `-`");
        }
        Ok(Self { host: host.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(formatter, "{}{slash}{}", self.host, self.prefix)
    }
}

impl Address {
    /// An image's full name there, without a tag.
    pub fn image(&self, name: &str) -> String {
        format!("{self}/{name}")
    }

    fn reference(&self, image: &Image) -> Reference {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let repository = format!("{}{slash}{}", self.prefix, image.name);
        Reference::with_tag(self.host.clone(), repository, image.tag.clone())
    }

    /// Whether it is on this machine, out of others' sight.
    pub fn is_loopback(&self) -> bool {
        let bracketed = self.host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let name = bracketed.map_or_else(
            || self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name),
            |(address, _)| address,
        );
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// A registry that is pushed to.
pub struct Registry {
    address: Address,
    client: Client,
    auth: RegistryAuth,
}

impl Registry {
    /// Prepares; nothing is sent yet.
    pub fn new(address: &Address, insecure: bool, auth: RegistryAuth) -> Result<Self> {
        let plain = insecure || address.is_loopback();
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(CONNECT_LIMIT),
            read_timeout: Some(READ_LIMIT),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).context("no client for registries can be made")?;
        Ok(Self { address: address.clone(), client, auth })
    }

    /// Pushes an image, and asks the registry whether it has it under its digest.
    pub async fn push(&self, image: &Image) -> Result<()> {
        let reference = self.address.reference(image);
        let host = &self.address.host;
        self.send(&reference, image).await.with_context(|| {
            format!(
                "{reference} cannot be pushed, is the registry there, and do you need `docker login {host}`?"
            )
        })?;
        let found = self.client.fetch_manifest_digest(&reference, &self.auth).await;
        let found = found.with_context(|| format!("{reference} cannot be read back after the push"))?;
        if found != image.manifest.digest {
            bail!("{reference} was pushed as {}, the registry has {found}", image.manifest.digest);
        }
        Ok(())
    }

    async fn send(&self, reference: &Reference, image: &Image) -> Result<()> {
        self.client.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        for blob in [&image.config, &image.layer] {
            self.client.push_blob(reference, blob.data.clone(), &blob.digest).await?;
        }
        let media_type = HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE);
        // The very bytes whose digest is printed and pinned; the client's own types would write others.
        self.client.push_manifest_raw(reference, image.manifest.data.clone(), media_type).await?;
        Ok(())
    }
}

/// What `docker login` left for the registry; without that, nobody's name.
pub fn credentials(address: &Address) -> Result<RegistryAuth> {
    let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
    let Some(file) = folder.map(|folder| folder.join("config.json")) else {
        return Ok(RegistryAuth::Anonymous);
    };
    match File::open(&file) {
        Ok(config) => credentials_in(BufReader::new(config), address)
            .with_context(|| format!("{} has no usable credentials", file.display())),
        Err(problem) if problem.kind() == ErrorKind::NotFound => Ok(RegistryAuth::Anonymous),
        Err(problem) => Err(problem).with_context(|| format!("{} cannot be read", file.display())),
    }
}

/// What a configuration of docker's has for the registry. An error never repeats a secret.
fn credentials_in(config: impl Read, address: &Address) -> Result<RegistryAuth> {
    let host = address.host.as_str();
    let server = if host == "docker.io" { DOCKER_HUB } else { host };
    match docker_credential::get_credential_from_reader(config, server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(RegistryAuth::Basic(user, password)),
        Ok(DockerCredential::IdentityToken(_)) => {
            bail!("an identity token for {host} cannot be used, log in by name and access token")
        }
        Err(NoCredential::NoCredentialConfigured) => Ok(RegistryAuth::Anonymous),
        // A helper says so, on one of its two outputs, for every registry that it does not know.
        Err(NoCredential::HelperFailure { stdout, stderr, .. })
            if [&stdout, &stderr].iter().any(|text| text.contains("credentials not found")) =>
        {
            Ok(RegistryAuth::Anonymous)
        }
        Err(NoCredential::HelperFailure { helper, .. }) => {
            bail!("the credential helper `{helper}` failed for {host}, try `docker login {host}`")
        }
        Err(problem) => bail!("{problem}, for {host}: try `docker login {host}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, RegistryAuth, credentials_in};

    #[test]
    fn addresses_are_read() {
        let read = |text: &str| text.parse::<Address>().map(|address| (address.host, address.prefix));
        assert_eq!(read("ghcr.io/finpay/").expect("an address"), ("ghcr.io".into(), "finpay".into()));
        assert_eq!(read("localhost:5000").expect("an address"), ("localhost:5000".into(), String::new()));
        for wrong in ["", "https://ghcr.io", "ghcr.io//x", "ghcr.io/Fin", "user@ghcr.io", "ghcr.io/a:b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let address: Address = "ghcr.io".parse().expect("an address");
        assert_eq!(address.image("jwt"), "ghcr.io/jwt");
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        let loopback = |text: &str| text.parse::<Address>().expect("an address").is_loopback();
        for here in ["localhost", "localhost:5000", "127.0.0.1:5000/x", "127.9.9.9", "[::1]:5000"] {
            assert!(loopback(here), "{here}");
        }
        for elsewhere in
            ["localhost.example:5000", "10.0.0.1:5000", "ghcr.io", "127.0.0.1.example", "[fe80::1]"]
        {
            assert!(!loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn credentials_are_of_their_registry_and_stay_out_of_errors() {
        let config = r#"{"auths": {
            "ghcr.io": {"auth": "bWU6c2VjcmV0"}, "bad.example": {"auth": "c2VjcmV0"},
            "token.example": {"identitytoken": "secret"}}}"#;
        let find = |host: &str| credentials_in(config.as_bytes(), &host.parse().expect("an address"));
        assert!(find("ghcr.io/finpay").expect("read") == RegistryAuth::Basic("me".into(), "secret".into()));
        assert!(find("other.example").expect("read") == RegistryAuth::Anonymous);
        for host in ["bad.example", "token.example"] {
            let problem = find(host).expect_err("no credentials").to_string();
            assert!(problem.contains(host) && !problem.contains("secret"), "{problem}");
        }
    }
}
