//! What is pushed is pinned, and a real registry has it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mesh::images::image::{Image, digest};
use oci_client::secrets::RegistryAuth;
use push::pinned;
use push::registry::{Address, Registry};
use reqwest::header::ACCEPT;
use serde_json::Value;

const REGISTRY: &str = "docker-registry";

fn service() -> Image {
    Image::service("order-service", "0.1.0", "amd64", b"\x7fELF, not really").expect("an image")
}

fn filter() -> Image {
    Image::filter("jwt", "0.1.0", b"\0asm, not really").expect("an image")
}

#[test]
fn a_push_pins_what_it_pushed_and_keeps_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pinned/kustomization.yaml");
    let read = || -> Value {
        serde_saphyr::from_str(&fs::read_to_string(&file).expect("the component")).expect("YAML")
    };
    let first: Address = "registry.example/a".parse().expect("an address");
    let second: Address = "other.example".parse().expect("an address");
    pinned::write(&file, &first, &[service(), filter()]).expect("written");
    let newer = Image::filter("jwt", "0.2.0", b"\0asm, newer").expect("an image");
    pinned::write(&file, &second, std::slice::from_ref(&newer)).expect("written");
    let component = read();
    assert_eq!(component["kind"], "Component");
    let pin = serde_json::json!({
        "name": "ghcr.io/finpay/order-service",
        "newName": "registry.example/a/order-service",
        "digest": service().manifest.digest,
    });
    assert_eq!(component["images"], serde_json::json!([pin]));
    let patches = component["patches"].as_array().expect("patches");
    assert_eq!(patches.len(), 1, "{patches:?}");
    assert_eq!(patches[0]["target"]["name"], "jwt");
    let patch: Value = serde_saphyr::from_str(patches[0]["patch"].as_str().expect("text")).expect("YAML");
    assert_eq!(patch[0]["path"], "/spec/url");
    assert_eq!(patch[0]["value"], format!("oci://other.example/jwt:0.2.0@{}", newer.manifest.digest));
}

/// A registry that ends with the test.
struct RealRegistry {
    child: Child,
    port: u16,
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RealRegistry {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let config = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '127.0.0.1:{port}', secret: test}}\n",
            folder.join("data").display()
        );
        fs::write(&config, text).expect("a configuration");
        let mut command = Command::new(REGISTRY);
        command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("the registry starts"), port }
    }

    async fn ready(&self, client: &reqwest::Client) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while client.get(format!("http://127.0.0.1:{}/v2/", self.port)).send().await.is_err() {
            assert!(Instant::now() < deadline, "the registry does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_real_registry_has_what_was_pushed() {
    if mesh::plan::on_path(REGISTRY).is_none() {
        mesh::console::line(format!("skipped: {REGISTRY} is missing, run `apt-get install docker-registry`"));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let real = RealRegistry::start(folder.path());
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    real.ready(&client).await;
    let address: Address = format!("127.0.0.1:{}/finpay", real.port).parse().expect("an address");
    let registry = Registry::new(&address, false, RegistryAuth::Anonymous).expect("a client");
    for image in [service(), filter()] {
        registry.push(&image).await.expect("the push");
        // The second time everything is there.
        registry.push(&image).await.expect("the push");
        let url = format!("http://127.0.0.1:{}/v2/finpay/{}", real.port, image.name);
        let get = async |path: &str| {
            let answer =
                client.get(format!("{url}/{path}")).header(ACCEPT, image.manifest.media_type).send().await;
            let answer = answer.expect("an answer").error_for_status().expect("what was pushed");
            let named = answer.headers().get("docker-content-digest").cloned().expect("a digest");
            (named, answer.bytes().await.expect("the content"))
        };
        for path in ["manifests/0.1.0", &format!("manifests/{}", image.manifest.digest)] {
            let (named, body) = get(path).await;
            assert_eq!(named.to_str().expect("text"), image.manifest.digest);
            assert_eq!(digest(&body), image.manifest.digest);
        }
        for blob in [&image.config, &image.layer] {
            assert!(get(&format!("blobs/{}", blob.digest)).await.1 == blob.data, "{}", blob.media_type);
        }
    }
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_named_with_what_to_do() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address: Address =
        format!("127.0.0.1:{}", free.local_addr().expect("an address").port()).parse().expect("an address");
    drop(free);
    let registry = Registry::new(&address, false, RegistryAuth::Anonymous).expect("a client");
    let problem = format!("{:#}", registry.push(&filter()).await.expect_err("nobody listens"));
    assert!(
        problem.contains(&format!("{address}/jwt:0.1.0")) && problem.contains("docker login"),
        "{problem}"
    );
}
