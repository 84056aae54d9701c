//! What this filter fetches: the key set, and feeds of revocations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::origin::Origin;

/// The path of the key set.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// The feed's own limit.
const PAGE: usize = 5_000;
/// Every so many entries one is of a user, not of a token.
const PER_USER: usize = 10;
const LIFETIME_SECONDS: u64 = 12 * 3600;

/// A server of both.
#[derive(Debug)]
pub struct Documents {
    origin: Origin,
    feeds: Arc<Vec<Feed>>,
}

#[derive(Debug)]
struct Feed {
    entries: Vec<Value>,
    /// The highest cursor that was asked for.
    read: AtomicUsize,
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: usize,
}

impl Documents {
    /// Serves this key set, and a feed for each of these sizes.
    pub async fn start(jwks: &str, feeds: &[usize]) -> Result<Self> {
        let feeds = Arc::new(feeds.iter().map(|size| Feed::new(*size)).collect::<Result<Vec<_>>>()?);
        let jwks: Arc<str> = jwks.into();
        let keys = async move || ([("content-type", "application/json")], jwks.to_string());
        let router = Router::new()
            .route(JWKS_PATH, get(keys))
            .route("/revocations/{size}", get(page))
            .with_state(Arc::clone(&feeds));
        Ok(Self { origin: Origin::start(router).await?, feeds })
    }

    /// The path of the feed of this size.
    pub fn feed_path(size: usize) -> String {
        format!("/revocations/{size}")
    }

    /// The cluster by which an Envoy reaches it.
    pub fn cluster(&self) -> Value {
        self.origin.cluster()
    }

    /// The size of a feed whose end nobody has asked for.
    pub fn unread(&self) -> Option<usize> {
        let unread = |feed: &&Feed| feed.read.load(Ordering::Relaxed) < feed.entries.len();
        self.feeds.iter().find(unread).map(|feed| feed.entries.len())
    }
}

impl Feed {
    fn new(size: usize) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let exp = now + LIFETIME_SECONDS;
        let entry = |number: usize| {
            let id = Uuid::now_v7();
            if number.is_multiple_of(PER_USER) {
                json!({"sub": id, "notBefore": now, "exp": exp})
            } else {
                json!({"jti": id, "exp": exp})
            }
        };
        Ok(Self { entries: (0..size).map(entry).collect(), read: AtomicUsize::new(0) })
    }
}

async fn page(
    State(feeds): State<Arc<Vec<Feed>>>,
    Path(size): Path<usize>,
    Query(After { after }): Query<After>,
) -> Result<Json<Value>, StatusCode> {
    let feed = feeds.iter().find(|feed| feed.entries.len() == size).ok_or(StatusCode::NOT_FOUND)?;
    feed.read.fetch_max(after, Ordering::Relaxed);
    let start = after.min(size);
    let cursor = (start + PAGE).min(size);
    let entries = &feed.entries[start..cursor];
    Ok(Json(json!({"cursor": cursor, "more": cursor < size, "entries": entries})))
}
