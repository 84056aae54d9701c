//! A closed loop over connections: the next request leaves when an answer has come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::traffic::Traffic;

/// Connections per Envoy.
const CONNECTIONS: usize = 8;

/// Connections to one Envoy.
#[derive(Debug)]
pub struct Load {
    traffic: Arc<Traffic>,
    connections: Vec<Connection>,
    /// The next request's number; it goes on over the rounds, so that all tokens have their turn.
    next: u64,
}

/// A connection, which is kept unless the traffic is cut short.
#[derive(Debug)]
struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    /// It has had a request that ended it.
    is_spent: bool,
}

impl Load {
    /// Connects.
    pub async fn new(address: SocketAddr, traffic: Arc<Traffic>) -> Result<Self> {
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let sender = connect(address).await?;
            connections.push(Connection { address, sender, is_spent: false });
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
        Ok(connection.ask(&self.traffic, self.next).await?.0)
    }

    /// Sends so many requests. An answer of another status than expected is an error.
    pub async fn send(&mut self, requests: u64) -> Result<()> {
        let end = self.next + requests;
        let next = Arc::new(AtomicU64::new(self.next));
        let mut running = JoinSet::new();
        for connection in self.connections.drain(..) {
            running.spawn(connection.run(Arc::clone(&self.traffic), Arc::clone(&next), end));
        }
        while let Some(connection) = running.join_next().await {
            self.connections.push(connection??);
        }
        self.next = end;
        Ok(())
    }
}

impl Connection {
    async fn run(mut self, traffic: Arc<Traffic>, next: Arc<AtomicU64>, end: u64) -> Result<Self> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return Ok(self);
            }
            let (status, body) = self.ask(&traffic, number).await?;
            if status != traffic.expected() {
                bail!("request {number} was answered with {status}: {}", String::from_utf8_lossy(&body));
            }
        }
    }

    async fn ask(&mut self, traffic: &Traffic, number: u64) -> Result<(StatusCode, Bytes)> {
        if self.is_spent {
            self.sender = connect(self.address).await?;
        }
        self.sender.ready().await.context("Envoy closed a connection")?;
        let answer = self.sender.send_request(traffic.request(number)?).await.context("no answer")?;
        self.is_spent = traffic.is_cut_short();
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.context("Envoy takes no connection")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
