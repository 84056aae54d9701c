//! The service behind an Envoy, as a test needs it: it counts what reaches it and keeps the last request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// The header field that tells its answers from Envoy's own.
pub const MARK: &str = "x-upstream";

/// What has reached it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Requests whose header fields came.
    pub arrived: u64,
    /// Requests whose bodies came to their end.
    pub complete: u64,
    /// Bytes of all bodies.
    pub body_bytes: u64,
    /// The method of the last request.
    pub method: String,
    /// Its target.
    pub target: String,
    /// Its header fields, in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The last body that came to its end.
    pub body: Bytes,
    /// The trailers that came last.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Complete requests that its judge found unfit, the first few of them.
    pub unfit: Vec<String>,
}

/// Whether a complete request should have come: its header fields, with `:method`, `:path` and `:authority`, and its
/// body.
pub type Judge = dyn Fn(&[(&[u8], &[u8])], &[u8]) -> bool + Send + Sync;

const UNFIT_LIMIT: usize = 5;

impl Seen {
    /// All values of one header field of the last request.
    pub fn values(&self, name: &str) -> Vec<String> {
        let of_name = self.headers.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

/// A running service; it ends when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// Starts it on a port of its own.
    pub async fn start() -> Result<Self> {
        Self::start_with(Arc::new(|_, _| true)).await
    }

    /// The same, with a judge of all that comes.
    pub async fn start_with(judge: Arc<Judge>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let task = tokio::spawn(serve(listener, Arc::clone(&seen), judge));
        Ok(Self { address, seen, task })
    }

    /// What has reached it so far.
    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Seen>>, judge: Arc<Judge>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (seen, judge) = (Arc::clone(&seen), Arc::clone(&judge));
        connections.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&seen), Arc::clone(&judge), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

fn owned(fields: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

/// Reads the body to its end, as a handler that extracts it does.
async fn answer(
    seen: Arc<Mutex<Seen>>,
    judge: Arc<Judge>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    {
        let mut seen = lock(&seen);
        seen.arrived += 1;
        seen.method = head.method.to_string();
        seen.target = head.uri.to_string();
        seen.headers = owned(&head.headers);
    }
    let mut whole = Vec::new();
    let mut is_whole = true;
    while let Some(frame) = body.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => {
                lock(&seen).body_bytes += data.len() as u64;
                whole.extend_from_slice(&data);
            }
            Ok(Err(frame)) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                lock(&seen).trailers = owned(&trailers);
            }
            Err(_) => is_whole = false,
        }
    }
    if is_whole {
        let is_fit = is_fit(&*judge, &head, &whole);
        let mut seen = lock(&seen);
        seen.complete += 1;
        if !is_fit && seen.unfit.len() < UNFIT_LIMIT {
            seen.unfit.push(format!("{head:?}: {}", String::from_utf8_lossy(&whole)));
        }
        seen.body = whole.into();
    }
    let mut response = Response::new(Full::from("{}"));
    response.headers_mut().insert(MARK, HeaderValue::from_static("1"));
    Ok(response)
}

fn is_fit(judge: &Judge, head: &Parts, body: &[u8]) -> bool {
    let target = head.uri.to_string();
    let host = head.headers.get("host").map(HeaderValue::as_bytes).unwrap_or_default();
    let mut fields = vec![
        (b":method".as_slice(), head.method.as_str().as_bytes()),
        (b":path", target.as_bytes()),
        (b":authority", host),
    ];
    fields.extend(head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())));
    judge(&fields, body)
}
