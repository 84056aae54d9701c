//! A service that knows nothing of us, and what came to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// What came to the service.
#[derive(Debug, Default)]
pub(crate) struct Api {
    /// Requests whose headers came.
    begun: AtomicUsize,
    /// Requests that came to their end.
    complete: AtomicUsize,
}

impl Api {
    /// A JSON API that takes anything, and answers with what it got.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(take).with_state(Arc::clone(self))
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn complete(&self) -> usize {
        self.complete.load(Ordering::SeqCst)
    }
}

async fn take(State(api): State<Arc<Api>>, request: Request) -> Result<String, StatusCode> {
    api.begun.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    api.complete.fetch_add(1, Ordering::SeqCst);
    let mut headers = Map::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        // One that comes twice is seen to come twice.
        let known =
            headers.get(name.as_str()).and_then(Value::as_str).map(|known| format!("{known}, {value}"));
        headers.insert(name.to_string(), known.unwrap_or_else(|| value.into_owned()).into());
    }
    Ok(json!({"headers": headers, "body": String::from_utf8_lossy(&body)}).to_string())
}
