//! The complete Envoy of a filter's documentation, as a stranger would run it: what it talks to is the test's own, and
//! nothing of it is changed but ports and the module's path.
#![allow(dead_code, reason = "each test file takes what it needs")]

pub(crate) mod api;
pub(crate) mod document;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Result, bail};
use api::Api;
use axum::Router;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::issuer::{Pair, now};
use tests::jwt::with;
use tests::wait::until;
use tests::{Answer, envoy};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The ports in the documentation: the service's, the issuer's, and Envoy's own two.
pub(crate) const SERVICE_PORT: u64 = 8080;
const ISSUER_PORT: u64 = 8180;
const ENVOY_PORTS: [u64; 2] = [9901, 10000];

/// A server of the test's own, and its port in the documentation.
pub(crate) type Server = (u64, Router);

/// A token of the issuer of the documentation, with these claims besides.
pub(crate) fn token(pair: &Pair, claims: &Value) -> String {
    let usual = json!({
        "iss": "https://idp.example.com", "aud": "catalog", "sub": "mallory", "iat": now(), "exp": now() + 600,
    });
    pair.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": pair.kid}), &with(usual, claims))
}

/// The running example.
pub(crate) struct Example {
    /// Where clients come to.
    pub(crate) url: String,
    admin: String,
    client: Client,
    _process: Child,
    folder: TempDir,
}

impl Example {
    /// That of `docs/jwt-filter.md`, with what the issuer serves; `edit` changes the bootstrap beyond the documentation.
    pub(crate) async fn jwt(issuer: Router, edit: impl FnOnce(&mut Value)) -> Result<Option<Self>> {
        let service = Arc::new(Api::default()).router();
        Self::start("jwt-filter.md", vec![(SERVICE_PORT, service), (ISSUER_PORT, issuer)], edit).await
    }

    /// That of this file, with these servers. `None` (with a word) where there is no Envoy or no module.
    pub(crate) async fn start(
        file: &str,
        servers: Vec<Server>,
        edit: impl FnOnce(&mut Value),
    ) -> Result<Option<Self>> {
        let (Some(binary), Some(wasm)) = (envoy::binary(), envoy::wasm_dir()) else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let mut bootstrap: Value = serde_saphyr::from_str(&document::block(file, "yaml envoy")?)?;
        edit(&mut bootstrap);
        set_up(&mut bootstrap, &wasm, servers).await?;
        let (config, admin_file) = (folder.path().join("envoy.json"), folder.path().join("admin"));
        fs::write(&config, bootstrap.to_string())?;
        let log = fs::File::create(folder.path().join("log"))?;
        let mut process = Command::new(binary)
            .arg("-c")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--concurrency", "2", "--disable-hot-restart", "-l", "warning"])
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let client = Client::builder().no_proxy().build()?;
        let (admin, port) = until("the example listens", async || {
            if let Some(status) = process.try_wait()? {
                bail!("Envoy ended with {status}: {}", fs::read_to_string(folder.path().join("log"))?);
            }
            let Ok(admin) = fs::read_to_string(&admin_file) else { return Ok(None) };
            let Ok(answer) = client.get(format!("http://{admin}/listeners?format=json")).send().await else {
                return Ok(None);
            };
            let listeners: Value = answer.json().await?;
            let port = &listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"];
            Ok(port.as_u64().map(|port| (admin, port)))
        })
        .await?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Some(Self { url, admin, client, _process: process, folder }))
    }

    /// A request by this method, to this path, with these headers.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        Answer::to(self.request(method, path, headers)?).await
    }

    /// The same with a body, `application/json` unless a header says otherwise.
    pub(crate) async fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let mut request = self.request(method, path, headers)?;
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        Answer::to(request.body(body.to_owned())).await
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<RequestBuilder> {
        let request = self.client.request(method.parse()?, format!("{}{path}", self.url));
        Ok(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    /// The same as GET with a bearer token.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Result<Answer> {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// What Envoy has logged so far.
    pub(crate) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("log"))?)
    }

    /// What Prometheus would scrape.
    pub(crate) async fn metrics(&self) -> Result<String> {
        let answer = self.client.get(format!("http://{}/stats/prometheus", self.admin)).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}

/// Starts the servers, and puts free ports and the module's real path into the bootstrap.
async fn set_up(bootstrap: &mut Value, wasm: &Path, servers: Vec<Server>) -> Result<()> {
    let expected = servers.len() + ENVOY_PORTS.len() + 1;
    let mut ports: BTreeMap<u64, u16> = ENVOY_PORTS.map(|port| (port, 0)).into();
    for (port, router) in servers {
        ports.insert(port, serve(router).await?);
    }
    let mut replaced = 0;
    replace(bootstrap, &mut |name, value| {
        let port = value.as_u64().filter(|_| name == "port_value").and_then(|port| ports.get(&port));
        *value = match port {
            Some(port) => json!(port),
            None if name == "filename" => json!(module(wasm, value)),
            None => return,
        };
        replaced += 1;
    });
    assert!(replaced >= expected, "the documentation has other ports or another path: {bootstrap:#}");
    Ok(())
}

async fn serve(router: Router) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}

/// The module of this name in our folder.
fn module(folder: &Path, path: &Value) -> PathBuf {
    folder.join(path.as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default())
}

/// Calls for each member of all objects.
fn replace(value: &mut Value, with: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                with(name, member);
                replace(member, with);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, with)),
        _ => {}
    }
}
