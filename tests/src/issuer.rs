//! An issuer under a test's control: its keys, its revocations, and its bad days.

mod pair;
mod serve;
mod signer;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

pub use self::pair::Pair;
use self::serve::{Feed, State, serve};
pub use self::signer::Signer;
use crate::envoy;
use crate::jwt::with;

/// `aud` of its tokens.
pub const AUDIENCE: &str = "finpay";
/// Where its keys are.
pub const JWKS: &str = "/.well-known/jwks.json";
/// Where its discovery document is.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where its revocations are.
pub const FEED: &str = "/.well-known/revocations";
/// How long a fetch of the filter may take.
pub const TIMEOUT: Duration = Duration::from_secs(1);

/// How it answers on a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Conduct {
    /// As it should.
    #[default]
    Well,
    /// As it should, so much later.
    Slowly(Duration),
    /// With this status and no body.
    Status(u16),
    /// With 200 and this.
    Says(String),
    /// Never.
    Silent,
}

/// A running issuer; it ends when this is dropped.
pub struct Issuer {
    /// Its address, which stays when it is down.
    pub address: SocketAddr,
    /// `iss` of its tokens.
    pub name: String,
    state: Arc<Mutex<State>>,
    server: Mutex<Option<JoinHandle<()>>>,
    /// Keeps the port while nobody listens.
    port: Mutex<Option<TcpSocket>>,
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Issuer {
    /// Serves one new key on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_as("https://issuer.example").await
    }

    /// The same under another name.
    pub async fn start_as(name: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = State::new(name, address, Pair::generate("key-1")?);
        let state = Arc::new(Mutex::new(state));
        let server = Mutex::new(Some(tokio::spawn(serve(listener, Arc::clone(&state)))));
        Ok(Self { address, name: name.to_owned(), state, server, port: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Stops to listen and cuts every connection. The port stays its own, however long that lasts.
    pub async fn go_down(&self) {
        let server = lock(&self.server).take();
        if let Some(server) = server {
            server.abort();
            let _ = server.await;
        }
        *lock(&self.port) = bound(self.address).ok();
    }

    /// Listens again on the same port.
    pub fn come_up(&self) -> Result<()> {
        let port = lock(&self.port).take().context("it went down")?;
        let listener = port.listen(1024).context("the issuer's port")?;
        *lock(&self.server) = Some(tokio::spawn(serve(listener, Arc::clone(&self.state))));
        Ok(())
    }

    /// Signs with a new key from now on; the old ones stay in the set if they are kept.
    pub fn rotate(&self, keeps_old: bool) -> Result<()> {
        let mut state = self.state();
        let pair = Pair::generate(&format!("key-{}", state.keys_made + 1))?;
        state.keys_made += 1;
        if !keeps_old {
            state.keys.clear();
        }
        state.keys.push(pair);
        Ok(())
    }

    /// The key that signs.
    pub fn pair(&self) -> Result<Pair> {
        self.state().keys.last().cloned().context("a signing key")
    }

    /// The key set as it is published.
    pub fn jwks(&self) -> Value {
        self.state().jwks()
    }

    /// How it answers on this path from now on.
    pub fn conduct(&self, path: &str, conduct: Conduct) {
        self.state().conducts.insert(path.to_owned(), conduct);
    }

    /// The key set's Cache-Control.
    pub fn cache_control(&self, value: &str) {
        self.state().cache_control = Some(value.to_owned());
    }

    /// How often a path was asked for, whatever came of it.
    pub fn asked(&self, path: &str) -> usize {
        self.asked_at(path).len()
    }

    /// When that was.
    pub fn asked_at(&self, path: &str) -> Vec<Instant> {
        self.state().asked.iter().filter(|asked| asked.path == path).map(|asked| asked.at).collect()
    }

    /// How often a path was answered with this status.
    pub fn answered(&self, path: &str, status: u16) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == path && asked.status == status).count()
    }

    /// Puts the key set to another path, as the discovery document then says.
    pub fn move_keys(&self, path: &str) {
        path.clone_into(&mut self.state().keys_at);
    }

    /// Changes the feed of revocations.
    pub fn feed(&self, change: impl FnOnce(&mut Feed)) {
        change(&mut self.state().feed);
    }

    /// Revokes the token with this `jti`.
    pub fn revoke(&self, jti: &str) {
        self.feed(|feed| feed.entries.push(json!({"jti": jti, "exp": now() + 900})));
    }

    /// Revokes the tokens of this subject that were issued before a second.
    pub fn revoke_subject(&self, sub: &str, not_before: u64) {
        let entry = json!({"sub": sub, "notBefore": not_before, "exp": now() + 900});
        self.feed(|feed| feed.entries.push(entry));
    }

    /// A token with these claims besides the usual ones; null takes one out.
    pub fn token(&self, changes: &Value) -> Result<String> {
        let pair = self.pair()?;
        Ok(pair.sign(&header(&pair), &self.claims(changes)))
    }

    /// The claims of such a token.
    pub fn claims(&self, changes: &Value) -> Value {
        let now = now();
        let usual = json!({
            "iss": self.name, "aud": AUDIENCE, "sub": "alice", "client_id": "finpay",
            "exp": now + 900, "iat": now, "jti": uuid::Uuid::now_v7().to_string(),
            "scope": "orders:read orders:write",
        });
        with(usual, changes)
    }

    /// The cluster by which an Envoy reaches it.
    pub fn cluster(&self) -> Value {
        envoy::cluster(&self.cluster_name(), self.address)
    }

    fn cluster_name(&self) -> String {
        format!("issuer-{}", self.address.port())
    }

    /// The filter's provider that fetches the keys from here.
    pub fn provider(&self) -> Value {
        let mut remote = self.target(JWKS);
        remote["minRefetchSeconds"] = 1.into();
        self.provider_with(&json!({"remote": remote}))
    }

    /// The same with the keys in the configuration.
    pub fn inline_provider(&self) -> Value {
        self.provider_with(&json!({"inline": self.jwks().to_string()}))
    }

    /// The same with this `jwks`.
    pub fn provider_with(&self, jwks: &Value) -> Value {
        json!({"issuer": self.name, "audiences": [AUDIENCE], "algorithms": ["ES256"], "jwks": jwks})
    }

    /// The filter's `revocations` that are fetched from here.
    pub fn revocations(&self) -> Value {
        self.target(FEED)
    }

    /// What the filter needs to know to fetch a path from here.
    pub fn target(&self, path: &str) -> Value {
        json!({
            "cluster": self.cluster_name(),
            "authority": self.address.to_string(),
            "path": path,
            "timeoutMs": u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(server) = lock(&self.server).take() {
            server.abort();
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever connects is told that nobody listens.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The usual header of a token by this key.
pub fn header(pair: &Pair) -> Value {
    json!({"alg": "ES256", "kid": pair.kid, "typ": "at+jwt"})
}
