//! The end-to-end suite's reach: a system under test is known by its gateway's address and an administrator's
//! token, so the same suite runs against the one-machine mesh and against a cluster. What only the one-machine
//! mesh can show (its processes, certificates and logs) goes through [`local::Local`].

pub mod amount;
pub mod bodies;
pub mod client;
pub mod cluster;
pub mod dice;
pub mod envoy;
pub mod http2;
pub mod issuer;
pub mod jwt;
pub mod load;
pub mod local;
pub mod metrics;
pub mod orders;
pub mod post;
pub mod raw;
pub mod tokens;
pub mod upstream;
pub mod wait;

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Where problem types live.
pub const PROBLEMS: &str = "https://finpay.example/problems/";

/// The system under test.
#[derive(Debug, Clone)]
pub struct System {
    /// The gateway, for example `http://127.0.0.1:8080`.
    pub gateway: String,
    /// The file with the administrator's password. A token would expire while the tests are still compiled.
    admin_password_file: PathBuf,
    /// A client that goes straight to the address, whatever proxy the environment names.
    pub client: Client,
}

/// What came back: all that a test looks at.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON, or null when it is none.
    pub body: Value,
}

impl Answer {
    /// Sends, and reads the answer whole.
    pub async fn to(request: RequestBuilder) -> Result<Self> {
        let response = request.send().await.context("no answer")?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?;
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// The last segment of the problem's `type`, or an empty string.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|uri| uri.strip_prefix(PROBLEMS)).unwrap_or_default()
    }

    /// Status and problem in one line, as the tests print and compare them.
    pub fn verdict(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.problem()).trim_end().to_owned()
    }

    /// A header field as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl System {
    /// The system that the environment names, or `None` (with a word on how to get one) when it names none.
    pub fn from_env() -> Option<Self> {
        let gateway = env::var("FINPAY_GATEWAY").ok();
        let admin_password_file = env::var_os("FINPAY_ADMIN_PASSWORD_FILE").map(PathBuf::from);
        let (Some(gateway), Some(admin_password_file)) = (gateway, admin_password_file) else {
            eprintln!(
                "skipped: FINPAY_GATEWAY and FINPAY_ADMIN_PASSWORD_FILE are not set; `cargo mesh test` sets them"
            );
            return None;
        };
        let client = Client::builder().no_proxy().build().ok()?;
        Some(Self { gateway: gateway.trim_end_matches('/').to_owned(), admin_password_file, client })
    }

    /// Where the gateway listens, for requests that no client library sends.
    pub async fn address(&self) -> Result<SocketAddr> {
        let host = self.gateway.trim_start_matches("http://");
        tokio::net::lookup_host(host).await?.next().with_context(|| format!("no address of {host}"))
    }

    /// A request to the gateway.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.gateway))
    }

    /// Sends, and reads the answer whole.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        Answer::to(request).await
    }

    /// POST of a JSON body with a bearer token.
    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(reqwest::Method::POST, path).bearer_auth(token).json(body)).await
    }

    /// GET with a bearer token.
    pub async fn get(&self, path: &str, token: &str) -> Result<Answer> {
        self.send(self.request(reqwest::Method::GET, path).bearer_auth(token)).await
    }

    /// Registers a user of its own for the calling test and logs in.
    pub async fn new_user(&self) -> Result<User> {
        let id = format!("test-{}", uuid::Uuid::now_v7().simple());
        let password = format!("pw-{}", uuid::Uuid::now_v7());
        let user = User { id, password, token: String::new() };
        let register = self.request(reqwest::Method::POST, "/auth/register").json(&user.credentials());
        let registered = self.send(register).await?;
        if registered.status != StatusCode::CREATED {
            bail!("register: {registered:?}");
        }
        self.log_in(&user).await
    }

    /// The user with a new token.
    pub async fn log_in(&self, user: &User) -> Result<User> {
        let login = self.request(reqwest::Method::POST, "/auth/login").json(&user.credentials());
        let login = self.send(login).await?;
        let token =
            login.body["access_token"].as_str().with_context(|| format!("login: {}", login.status))?;
        Ok(User { token: token.to_owned(), ..user.clone() })
    }

    /// The administrator, whose token has the scope `users:admin`.
    pub async fn admin(&self) -> Result<User> {
        let file = &self.admin_password_file;
        let password = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let (id, password) = ("admin".to_owned(), password.trim().to_owned());
        self.log_in(&User { id, password, token: String::new() }).await
    }

    /// Sets a user's standing (`active` or `frozen`) as the administrator.
    pub async fn set_standing(&self, user: &str, standing: &str) -> Result<Answer> {
        let path = format!("/auth/users/{user}/standing");
        let admin = self.admin().await?;
        let request = self.request(reqwest::Method::PUT, &path).bearer_auth(&admin.token);
        self.send(request.json(&json!({"standing": standing}))).await
    }
}

/// A registered user with a valid token.
#[derive(Debug, Clone)]
pub struct User {
    /// The subject.
    pub id: String,
    password: String,
    /// The access token.
    pub token: String,
}

impl User {
    fn credentials(&self) -> Value {
        json!({"userId": self.id, "password": self.password})
    }
}
