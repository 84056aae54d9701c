//! HTTP/1.1 by hand: requests that a client library would not send, and answers as they come.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PROBLEMS;

/// No answer may take longer.
const LIMIT: Duration = Duration::from_secs(30);
const MAX_HEAD_BYTES: usize = 256 << 10;

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Reply {
    /// A header field, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Whether the field is there.
    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Status and the problem's name, such as `401 invalid-token`.
    pub fn verdict(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let problem = body["type"].as_str().and_then(|uri| uri.strip_prefix(PROBLEMS)).unwrap_or_default();
        format!("{} {problem}", self.status).trim_end().to_owned()
    }

    /// Whether this text is anywhere in the answer.
    pub fn mentions(&self, text: &str) -> bool {
        self.body.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }
}

/// A request without a body: whatever bytes are given, they are sent.
pub fn request(method: &str, target: &[u8], headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"].concat();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"host")) {
        bytes.extend_from_slice(b"host: finpay.example\r\n");
    }
    for (name, value) in headers {
        bytes.extend_from_slice(&[*name, b": ", value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// One request on a connection of its own.
pub async fn send(address: SocketAddr, bytes: &[u8]) -> Result<Reply> {
    Connection::open(address).await?.send(bytes).await
}

/// GET with these headers.
pub async fn get(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Result<Reply> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    send(address, &request("GET", target.as_bytes(), &headers)).await
}

/// GET with a bearer token.
pub async fn bearer(address: SocketAddr, target: &str, token: &str) -> Result<Reply> {
    get(address, target, &[("authorization", &format!("Bearer {token}"))]).await
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
    is_closing: bool,
}

impl Connection {
    /// A new one.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream, unread: Vec::new(), is_closing: false })
    }

    /// Sends, and reads the answer whole; on a new connection if the last answer said that it was the last.
    pub async fn send(&mut self, request: &[u8]) -> Result<Reply> {
        if self.is_closing {
            *self = Self::open(self.address).await?;
        }
        self.start(request).await?;
        timeout(LIMIT, self.read()).await.context("no answer in time")?
    }

    /// Sends, and leaves it at that.
    pub async fn start(&mut self, request: &[u8]) -> Result<()> {
        // A server may answer and close before it has read all: the answer counts, not this.
        let _ = timeout(LIMIT, self.stream.write_all(request)).await.context("nobody reads")?;
        Ok(())
    }

    /// The next answer.
    pub async fn read(&mut self) -> Result<Reply> {
        let mut reply = self.read_head().await?;
        let length = reply.header("content-length").parse().unwrap_or(0);
        while self.unread.len() < length {
            self.more().await?;
        }
        reply.body = String::from_utf8_lossy(&self.unread[..length]).into_owned();
        self.unread.drain(..length);
        Ok(reply)
    }

    /// The next answer to HEAD, which has no body whatever length it tells.
    pub async fn read_head(&mut self) -> Result<Reply> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.unread.len() > MAX_HEAD_BYTES {
                bail!("an endless head");
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        self.unread.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let reply = Reply { status: status.parse()?, headers: headers.collect(), body: String::new() };
        self.is_closing = reply.header("connection") == "close";
        Ok(reply)
    }

    /// Whether the server has ended the connection; waits until it says something otherwise.
    pub async fn is_ended(&mut self) -> Result<bool> {
        Ok(self.unread.is_empty() && self.next().await?.is_err())
    }

    async fn more(&mut self) -> Result<()> {
        self.next().await?.context("the connection was closed")
    }

    /// The inner error: the connection has ended. The outer one: it hangs.
    async fn next(&mut self) -> Result<io::Result<()>> {
        let mut chunk = [0; 4096];
        let read = timeout(LIMIT, self.stream.read(&mut chunk)).await.context("no more in time")?;
        Ok(read.and_then(|count| {
            self.unread.extend_from_slice(&chunk[..count]);
            if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        }))
    }
}
