//! JSON bodies: `application/json` alone, and nothing unknown in them.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The bytes of an `application/json` body within the server's limit. axum's own `Json` would take `*+json` too,
/// which the amount filter does not.
async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    check_type(request.headers())?;
    Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let field = |name| headers.get(name).map(HeaderValue::as_bytes);
    amount_core::content_type::check(field(header::CONTENT_TYPE), field(header::CONTENT_ENCODING))
        .map_err(|fault| Problem::new(Code::UnsupportedMediaType, fault.detail))
}

pub(crate) fn unread(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Code::BodyTooLarge, format!("At most {} bytes.", crate::server::BODY_LIMIT_BYTES))
        }
        _ => Problem::new(Code::MalformedBody, "The body broke off."),
    }
}

/// A body as a typed value. The type says `deny_unknown_fields`; serde refuses duplicate fields by itself.
#[derive(Debug, Clone)]
pub struct Strict<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = json_bytes(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|problem| {
            // serde's own message can quote the body, which may hold a password: only the place is told.
            let place = format!("line {}, column {}", problem.line(), problem.column());
            let detail = match problem.classify() {
                serde_json::error::Category::Data => {
                    format!("A field is unknown, missing, doubled or of another type, at {place}.")
                }
                _ => format!("Not JSON as RFC 8259 has it, at {place}."),
            };
            Problem::new(Code::MalformedBody, detail)
        })
    }
}
