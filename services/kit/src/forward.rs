//! What a request hands on when it calls another service: the token, the trace, the request id.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};

/// The mesh's own limits are no longer, so that a call ends even where no sidecar ends it.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The longest answer of another service that is read.
const ANSWER_LIMIT_BYTES: usize = 64 << 10;

/// W3C Trace Context, Envoy's request id, and the caller's own token, so that the next sidecar checks it itself.
const HANDED_ON: [&str; 4] = ["authorization", "traceparent", "tracestate", "x-request-id"];

/// The fields of a request that its calls to other services carry too.
#[derive(Debug, Clone, Default)]
pub struct Forward(HeaderMap);

impl Forward {
    /// Adds the fields to a call.
    pub fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        request.headers(self.0.clone())
    }

    /// Envoy's request id, the same for every try of one request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.get("x-request-id")?.to_str().ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Forward {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut fields = HeaderMap::new();
        for name in HANDED_ON.map(HeaderName::from_static) {
            if let Some(value) = parts.headers.get(&name) {
                let mut value: HeaderValue = value.clone();
                value.set_sensitive(name == "authorization");
                fields.insert(name, value);
            }
        }
        Ok(Self(fields))
    }
}

/// The client for calls to other services. It does no TLS and no retry (the sidecar does) and goes through
/// `HTTP_PROXY` where that is set.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().redirect(Policy::none()).timeout(CALL_LIMIT).build()
}

/// The whole body of another service's answer, at most 64 KiB. The error says what there is instead.
pub async fn read_answer(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|problem| problem.without_url().to_string())? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_LIMIT_BYTES {
            return Err(format!("answered more than {ANSWER_LIMIT_BYTES} bytes"));
        }
    }
    Ok(body)
}
