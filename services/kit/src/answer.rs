//! An answer that is kept, and given again byte for byte when its request comes again.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

const JSON: &str = "application/json";

/// What a request was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body's type.
    pub content_type: String,
    /// The `Location` field.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// 201 with the JSON of what was made, and where it is.
    pub fn created(location: String, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            status: StatusCode::CREATED.as_u16(),
            content_type: JSON.to_owned(),
            location: Some(location),
            body: serde_json::to_vec(value)?,
        })
    }

    /// A status as a database has it.
    pub fn stored_status(status: i64) -> u16 {
        u16::try_from(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR.as_u16())
    }

    /// The same answer again, and a header field that says so.
    pub fn replayed(self) -> Response {
        let mut response = self.into_response();
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        response
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(value) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if let Some(value) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }
}
