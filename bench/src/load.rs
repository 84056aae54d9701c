//! A closed loop over kept connections: the next request leaves when an answer has come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections per Envoy.
const CONNECTIONS: usize = 8;
/// What a client of FinPay sends beside its token.
const HEADERS: [(&str, &str); 9] = [
    ("host", "payment-service.finpay.svc.cluster.local:3002"),
    ("user-agent", "finpay-bench/0.1"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("content-type", "application/json"),
    ("x-request-id", "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f10"),
    ("x-forwarded-for", "203.0.113.7"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("idempotency-key", "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f11"),
];

/// What is sent: the same request, with one token after another.
#[derive(Debug)]
pub struct Traffic {
    uri: Uri,
    headers: HeaderMap,
    tokens: Vec<HeaderValue>,
    expected: StatusCode,
}

impl Traffic {
    /// GET of this path, with these tokens in turn.
    pub fn new(path: &'static str, tokens: &[String]) -> Result<Self> {
        let headers = HEADERS
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let tokens = tokens.iter().map(|token| HeaderValue::try_from(format!("Bearer {token}")));
        let tokens = tokens.collect::<Result<Vec<_>, _>>().context("a token is no header value")?;
        if tokens.is_empty() {
            bail!("a traffic needs a token");
        }
        Ok(Self { uri: Uri::from_static(path), headers, tokens, expected: StatusCode::OK })
    }

    /// The same, to be refused as unauthorised.
    #[must_use]
    pub fn refused(self) -> Self {
        Self { expected: StatusCode::UNAUTHORIZED, ..self }
    }

    /// The status that every answer must have: the time of any other says nothing.
    pub fn expected(&self) -> StatusCode {
        self.expected
    }

    /// How many tokens differ.
    pub fn distinct(&self) -> u64 {
        self.tokens.len() as u64
    }

    fn request(&self, number: u64) -> Result<Request<Empty<Bytes>>> {
        let mut request = Request::get(self.uri.clone()).body(Empty::new())?;
        *request.headers_mut() = self.headers.clone();
        let token = usize::try_from(number % self.distinct())?;
        request.headers_mut().insert(AUTHORIZATION, self.tokens[token].clone());
        Ok(request)
    }
}

/// Connections to one Envoy.
#[derive(Debug)]
pub struct Load {
    traffic: Arc<Traffic>,
    connections: Vec<SendRequest<Empty<Bytes>>>,
    /// The next request's number; it goes on over the rounds, so that all tokens have their turn.
    next: u64,
}

impl Load {
    /// Connects.
    pub async fn new(address: SocketAddr, traffic: Arc<Traffic>) -> Result<Self> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await.context("Envoy takes no connection")?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            connections.push(sender);
        }
        Ok(Self { traffic, connections, next: 0 })
    }

    /// The status that every answer must have.
    pub fn expected(&self) -> StatusCode {
        self.traffic.expected()
    }

    /// Sends one request and gives its status, whatever it is.
    pub async fn probe(&mut self) -> Result<StatusCode> {
        let connection = self.connections.first_mut().context("no connection")?;
        connection.ready().await?;
        let answer = connection.send_request(self.traffic.request(self.next)?).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        Ok(status)
    }

    /// Sends so many requests. An answer of another status than expected is an error.
    pub async fn send(&mut self, requests: u64) -> Result<()> {
        let end = self.next + requests;
        let next = Arc::new(AtomicU64::new(self.next));
        let mut running = JoinSet::new();
        for connection in self.connections.drain(..) {
            running.spawn(run(connection, Arc::clone(&self.traffic), Arc::clone(&next), end));
        }
        while let Some(connection) = running.join_next().await {
            self.connections.push(connection??);
        }
        self.next = end;
        Ok(())
    }
}

async fn run(
    mut connection: SendRequest<Empty<Bytes>>,
    traffic: Arc<Traffic>,
    next: Arc<AtomicU64>,
    end: u64,
) -> Result<SendRequest<Empty<Bytes>>> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return Ok(connection);
        }
        connection.ready().await.context("Envoy closed a connection")?;
        let answer = connection.send_request(traffic.request(number)?).await.context("no answer")?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status != traffic.expected() {
            bail!("request {number} was answered with {status}: {}", String::from_utf8_lossy(&body));
        }
    }
}
