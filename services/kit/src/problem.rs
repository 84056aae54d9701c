//! RFC 9457 problems: one closed table from code to status and title.

use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use problem_details::ProblemDetails;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;

/// What can go wrong, in the client's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Not JSON, or ambiguous.
    MalformedBody,
    /// Well-formed, but not acceptable.
    InvalidAmount,
    /// Above the limit.
    BodyTooLarge,
    /// Not `application/json`.
    UnsupportedMediaType,
    /// A field of the body or of the path is not acceptable.
    InvalidRequest,
    /// No such thing, or not the caller's.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed,
    /// The request did not come through the sidecar.
    IdentityMissing,
    /// The sidecar's filter has judged another amount than the one that is read.
    AmountMismatch,
    /// `Idempotency-Key` is due.
    IdempotencyKeyMissing,
    /// `Idempotency-Key` cannot be read.
    IdempotencyKeyInvalid,
    /// The key came with another payload before.
    IdempotencyKeyReused,
    /// The order was paid by another request.
    OrderAlreadyPaid,
    /// The payer may not pay.
    PayerFrozen,
    /// The payer may not pay that much.
    LimitExceeded,
    /// More is to be refunded than is left of the payment.
    RemainderExceeded,
    /// The body's user is not the token's subject.
    UserMismatch,
    /// The user id is taken.
    UserExists,
    /// The key set is full.
    TooManyKeys,
    /// Unknown user or wrong password.
    BadCredentials,
    /// The store gives no answer.
    StoreUnavailable,
    /// Another service gives no answer.
    UpstreamUnavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// The type's last segment, the status, and the title.
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedBody => ("malformed-body", S::BAD_REQUEST, "The body cannot be read"),
            Self::InvalidAmount => ("invalid-amount", S::UNPROCESSABLE_ENTITY, "The body is not acceptable"),
            Self::BodyTooLarge => ("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "The body's type is not application/json",
            ),
            Self::InvalidRequest => ("invalid-request", S::BAD_REQUEST, "The request is not acceptable"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", S::METHOD_NOT_ALLOWED, "The method is not known here")
            }
            Self::IdentityMissing => {
                ("identity-missing", S::INTERNAL_SERVER_ERROR, "The request did not come through the sidecar")
            }
            Self::AmountMismatch => {
                ("amount-mismatch", S::INTERNAL_SERVER_ERROR, "The sidecar has judged another amount")
            }
            Self::IdempotencyKeyMissing => {
                ("idempotency-key-missing", S::BAD_REQUEST, "The Idempotency-Key is missing")
            }
            Self::IdempotencyKeyInvalid => {
                ("idempotency-key-invalid", S::BAD_REQUEST, "The Idempotency-Key cannot be read")
            }
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                S::UNPROCESSABLE_ENTITY,
                "The Idempotency-Key came with another payload",
            ),
            Self::OrderAlreadyPaid => ("order-already-paid", S::CONFLICT, "The order is paid already"),
            Self::PayerFrozen => ("payer-frozen", S::FORBIDDEN, "The payer may not pay"),
            Self::LimitExceeded => ("limit-exceeded", S::FORBIDDEN, "The amount is above the payer's limit"),
            Self::RemainderExceeded => (
                "remainder-exceeded",
                S::UNPROCESSABLE_ENTITY,
                "The refund is above what is left of the payment",
            ),
            Self::UserMismatch => ("user-mismatch", S::FORBIDDEN, "The user is not the token's subject"),
            Self::UserExists => ("user-exists", S::CONFLICT, "The user id is taken"),
            Self::TooManyKeys => ("too-many-keys", S::CONFLICT, "The key set is full"),
            Self::BadCredentials => ("bad-credentials", S::UNAUTHORIZED, "Unknown user or wrong password"),
            Self::StoreUnavailable => {
                ("store-unavailable", S::SERVICE_UNAVAILABLE, "The store gives no answer")
            }
            Self::UpstreamUnavailable => {
                ("upstream-unavailable", S::SERVICE_UNAVAILABLE, "Another service gives no answer")
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "A fault of the service"),
        }
    }

    /// Its HTTP status.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }
}

/// One fault of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// RFC 6901 pointer into the body.
    pub pointer: String,
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people; never a value of the body.
    pub detail: String,
}

#[derive(Debug, Serialize)]
struct Errors {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

/// An answer that says what is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a sentence of its own.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// A fault of ours or of the store: told to the log, never to the client.
    pub fn internal(code: Code, cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, problem = code.row().0, "request failed");
        Self::new(code, "The same request may be repeated later.")
    }

    /// The faults, one by one.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// Another header field of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }
}

impl Problem {
    /// The same answer in a form that can be kept: a refusal that must stay one when its request comes again.
    pub fn into_answer(self) -> Result<Answer, serde_json::Error> {
        let status = self.code.status().as_u16();
        let body = serde_json::to_vec(&self.details())?;
        Ok(Answer { status, content_type: "application/problem+json".to_owned(), location: None, body })
    }

    fn details(self) -> ProblemDetails<Errors> {
        let (code, status, title) = self.code.row();
        let uri = Uri::try_from(format!("https://finpay.example/problems/{code}")).unwrap_or_default();
        ProblemDetails::new()
            .with_type(uri)
            .with_title(title)
            .with_status(status)
            .with_detail(self.detail)
            .with_extensions(Errors { errors: self.errors })
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let headers = std::mem::take(&mut self.headers);
        let status = self.code.status();
        let mut response = self.details().into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.headers_mut().extend(headers);
        response
    }
}
