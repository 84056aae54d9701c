//! A client of the mesh's gateway, as any other.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::secrets::{self, Credentials, DEMO_USER};
use crate::topology::Topology;

const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// The way in.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// The gateway's address, `http://127.0.0.1:8080`.
    pub base: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body; null when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// Status and problem in one line.
    pub fn summary(&self) -> String {
        let problem = self.body["type"].as_str().unwrap_or_default();
        let detail = self.body["detail"].as_str().or_else(|| self.body["title"].as_str()).unwrap_or_default();
        format!("{} {problem} {detail}", self.status.as_u16()).trim_end().to_owned()
    }
}

impl Client {
    /// For this mesh.
    pub fn new(topology: &Topology) -> Result<Self> {
        let listener = topology.gateway.listeners.first().context("the Gateway manifest has no server")?;
        let mut address = listener.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let http =
            reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().context("no HTTP client")?;
        Ok(Self { http, base: format!("http://{address}") })
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Answer> {
        self.post_text(path, token, body.to_string()).await
    }

    /// POST of a text that is meant to be JSON.
    pub async fn post_text(&self, path: &str, token: Option<&str>, body: String) -> Result<Answer> {
        let mut request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response =
            request.send().await.with_context(|| format!("the gateway at {} gives no answer", self.base))?;
        answer(response).await
    }

    /// Registers a user; one that is there already is as good.
    pub async fn register(&self, user: &Credentials) -> Result<()> {
        let answer = self
            .post("/auth/register", None, &json!({"userId": user.user_id, "password": user.password}))
            .await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
            _ => bail!("{} cannot be registered: {}", user.user_id, answer.summary()),
        }
    }

    /// An access token.
    pub async fn login(&self, user: &Credentials) -> Result<String> {
        let answer = self
            .post("/auth/login", None, &json!({"userId": user.user_id, "password": user.password}))
            .await?;
        let token = answer.body["access_token"].as_str().map(str::to_owned);
        token.with_context(|| format!("{} cannot log in: {}", user.user_id, answer.summary()))
    }

    /// A token of one of the mesh's own users, who is registered when new.
    pub async fn token(&self, topology: &Topology, user: &str) -> Result<String> {
        let credentials = secrets::credentials(&topology.state_dir, user)?;
        match self.login(&credentials).await {
            // New, or an earlier registration broke off.
            Err(_) if user != secrets::ADMIN => self.register(&credentials).await?,
            outcome => return outcome,
        }
        self.login(&credentials).await
    }
}

async fn answer(response: Response) -> Result<Answer> {
    let status = response.status();
    let bytes = response.bytes().await.context("the gateway's answer broke off")?;
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

/// The seed system's order.
pub fn seed_order() -> Value {
    json!({
        "userId": DEMO_USER,
        "items": [{"id": "item456", "quantity": 1, "price": 100}],
        "totalAmount": 100,
        "paymentMethod": "credit_card",
    })
}
