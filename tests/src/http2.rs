//! HTTP/2 with prior knowledge, frame by frame.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::post::Post;
use crate::raw::Reply;
use crate::wait::until;

/// No answer may take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A connection that is kept until this is dropped.
#[derive(Debug)]
pub struct Http2 {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<()>,
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// A request that was begun.
#[derive(Debug)]
pub struct Begun {
    /// Takes the body's frames.
    pub stream: SendStream<Bytes>,
    response: ResponseFuture,
}

impl Http2 {
    /// A new one.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::handshake(stream).await?;
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { sender, connection })
    }

    /// Sends it in frames of its pieces, the last of which ends it.
    pub async fn send(&mut self, post: &Post) -> Result<Reply> {
        let mut begun = self.begin(post, post.body.is_empty()).await?;
        let mut pieces = post.pieces().peekable();
        while let Some(piece) = pieces.next() {
            begun.piece(piece, pieces.peek().is_none());
        }
        begun.reply().await
    }

    /// The same with trailers, which end it.
    pub async fn send_with_trailers(&mut self, post: &Post, trailers: HeaderMap) -> Result<Reply> {
        let mut begun = self.begin(post, false).await?;
        post.pieces().for_each(|piece| begun.piece(piece, false));
        let _ = begun.stream.send_trailers(trailers);
        begun.reply().await
    }

    /// Sends the header fields alone.
    pub async fn begin(&mut self, post: &Post, is_end: bool) -> Result<Begun> {
        self.start(post, None, is_end).await
    }

    /// CONNECT for a protocol (RFC 8441).
    pub async fn connect(&mut self, post: &Post, protocol: &'static str) -> Result<Begun> {
        // The server's settings say that it may be asked for, once they have come.
        let is_offered = async || Ok(self.sender.is_extended_connect_protocol_enabled().then_some(()));
        until("extended CONNECT is offered", is_offered).await?;
        self.start(post, Some(protocol), false).await
    }

    async fn start(&mut self, post: &Post, protocol: Option<&'static str>, is_end: bool) -> Result<Begun> {
        let sender = timeout(LIMIT, self.sender.clone().ready()).await.context("no stream is free")?;
        self.sender = sender?;
        let target = str::from_utf8(&post.target)?;
        let method = Method::from_bytes(post.method.as_bytes())?;
        // CONNECT names an authority alone, unless it names a protocol.
        let has_path = method != Method::CONNECT || protocol.is_some();
        let uri = if has_path { format!("http://finpay.example{target}") } else { target.to_owned() };
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(protocol) = protocol {
            request = request.extension(Protocol::from_static(protocol));
        }
        for (name, value) in &post.fields {
            request = request.header(name.as_str(), value.as_slice());
        }
        let (response, stream) = self.sender.send_request(request.body(())?, is_end)?;
        Ok(Begun { stream, response })
    }
}

impl Begun {
    /// One DATA frame. An answer may come before all of them are sent: it counts, not this.
    pub fn piece(&mut self, piece: &[u8], is_end: bool) {
        let _ = self.stream.send_data(Bytes::copy_from_slice(piece), is_end);
    }

    /// The answer, whole.
    pub async fn reply(self) -> Result<Reply> {
        let response = timeout(LIMIT, self.response).await.context("no answer in time")??;
        let fields = response.headers().iter();
        let headers = fields
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let mut reply =
            Reply { status: response.status().as_u16(), headers: headers.collect(), body: String::new() };
        let mut stream = response.into_body();
        let mut body = Vec::new();
        while let Some(piece) = timeout(LIMIT, stream.data()).await.context("no end of the answer")? {
            let piece = piece?;
            stream.flow_control().release_capacity(piece.len())?;
            body.extend_from_slice(&piece);
        }
        reply.body = String::from_utf8_lossy(&body).into_owned();
        Ok(reply)
    }
}
