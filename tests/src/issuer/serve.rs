//! The issuer's side of HTTP.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Conduct, DISCOVERY, FEED, JWKS, Pair, lock};

/// What it has and what it saw.
pub(super) struct State {
    pub(super) keys: Vec<Pair>,
    pub(super) keys_made: usize,
    pub(super) cache_control: Option<String>,
    pub(super) conducts: HashMap<String, Conduct>,
    pub(super) asked: Vec<Asked>,
    pub(super) feed: Feed,
    /// Where the key set is.
    pub(super) keys_at: String,
    name: String,
    address: SocketAddr,
}

/// A request.
pub(super) struct Asked {
    /// Without its query.
    pub(super) path: String,
    pub(super) at: Instant,
    /// What was answered; 0 for nothing.
    pub(super) status: u16,
}

/// Its feed of revocations.
#[derive(Debug, Clone)]
pub struct Feed {
    /// In their order.
    pub entries: Vec<Value>,
    /// The cursor before the first entry.
    pub start: usize,
    /// Entries on a page.
    pub page: usize,
}

impl State {
    pub(super) fn new(name: &str, address: SocketAddr, pair: Pair) -> Self {
        Self {
            keys: vec![pair],
            keys_made: 1,
            cache_control: None,
            conducts: HashMap::new(),
            asked: Vec::new(),
            // As of a service that has been running for a while.
            feed: Feed { entries: Vec::new(), start: 1000, page: 100 },
            keys_at: JWKS.to_owned(),
            name: name.to_owned(),
            address,
        }
    }

    pub(super) fn jwks(&self) -> Value {
        json!({"keys": self.keys.iter().map(|pair| &pair.jwk).collect::<Vec<_>>()})
    }

    fn document(&self, path: &str, query: &str) -> Option<Value> {
        match path {
            path if path == self.keys_at => Some(self.jwks()),
            DISCOVERY => {
                let uri = format!("http://{}{}", self.address, self.keys_at);
                Some(json!({"issuer": self.name, "jwks_uri": uri}))
            }
            FEED => {
                let after = query.strip_prefix("after=")?.parse().ok()?;
                Some(self.feed.page_after(after))
            }
            _ => None,
        }
    }
}

impl Feed {
    fn page_after(&self, after: usize) -> Value {
        let end = self.start + self.entries.len();
        // A cursor that was never given out: whoever has it knows another history.
        let is_foreign = after != 0 && !(self.start..=end).contains(&after);
        let from = if is_foreign { self.start } else { after.max(self.start) };
        let to = end.min(from + self.page);
        let entries = &self.entries[from - self.start..to - self.start];
        let mut page = json!({"cursor": to, "more": to < end, "entries": entries});
        if is_foreign {
            page["reset"] = true.into();
        }
        page
    }
}

/// Serves until it is aborted, which cuts all connections.
pub(super) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let (conduct, number) = arrive(&state, &path);
    if let Conduct::Slowly(by) = &conduct {
        tokio::time::sleep(*by).await;
    }
    match tell(&state, conduct, number, &request) {
        Some(response) => Ok(response),
        None => std::future::pending().await,
    }
}

/// Notes that a path is asked for.
fn arrive(state: &Mutex<State>, path: &str) -> (Conduct, usize) {
    let mut state = lock(state);
    state.asked.push(Asked { path: path.to_owned(), at: Instant::now(), status: 0 });
    (state.conducts.get(path).cloned().unwrap_or_default(), state.asked.len() - 1)
}

fn tell(
    state: &Mutex<State>,
    conduct: Conduct,
    number: usize,
    request: &Request<Incoming>,
) -> Option<Response<Full<Bytes>>> {
    let mut state = lock(state);
    let response = match conduct {
        Conduct::Silent => return None,
        Conduct::Status(status) => response(status, String::new()),
        Conduct::Says(text) => response(200, text),
        Conduct::Well | Conduct::Slowly(_) => well(&state, request),
    };
    state.asked[number].status = response.status().as_u16();
    Some(response)
}

fn well(state: &State, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let Some(document) = state.document(path, request.uri().query().unwrap_or_default()) else {
        return response(404, String::new());
    };
    let text = document.to_string();
    let digest = Sha256::digest(&text);
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
    let known =
        request.headers().get("if-none-match").is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if known { response(304, String::new()) } else { response(200, text) };
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("etag", &etag);
    if let Some(value) = state.cache_control.as_deref().filter(|_| path == state.keys_at) {
        set("cache-control", value);
    }
    response
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    response
}
