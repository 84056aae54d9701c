//! What can go wrong in order, and what the client is told of it.

use axum::response::{IntoResponse, Response};
use kit::problem::{Code, Problem};

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is not acceptable.
    #[error("the request is not acceptable")]
    Request(Problem),
    /// Neither `Idempotency-Key` nor `x-request-id`.
    #[error("no Idempotency-Key and no x-request-id")]
    KeyMissing,
    /// The key came before with another payload.
    #[error("the Idempotency-Key came before with another payload")]
    KeyReused,
    /// The body's user is not the token's subject.
    #[error("the userId is not the token's subject")]
    UserMismatch,
    /// No such order, or not the caller's.
    #[error("no such order")]
    NoSuchOrder,
    /// Payment gives no answer, or none of use.
    #[error("payment: {0}")]
    Payment(String),
    /// The store gives no answer.
    #[error("store: {0}")]
    Store(#[from] sqlx::Error),
    /// A value cannot be written or read as JSON.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    /// The HTTP client cannot be made.
    #[error("client: {0}")]
    Client(#[from] reqwest::Error),
    /// The configuration cannot be used, or the store holds what cannot be.
    #[error("{0}")]
    Config(String),
}

impl kit::server::StartError for Error {
    fn is_usage(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Store(sqlx::Error::Configuration(_)))
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Request(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Request(problem) => problem,
            Error::KeyMissing => {
                Self::new(Code::IdempotencyKeyMissing, "Send an Idempotency-Key: no x-request-id came.")
            }
            Error::KeyReused => Self::new(Code::IdempotencyKeyReused, "Use a new key for another order."),
            Error::UserMismatch => Self::new(Code::UserMismatch, "userId must be the token's subject."),
            Error::NoSuchOrder => Self::new(Code::NotFound, "No order of yours has this id."),
            Error::Payment(_) => Self::internal(Code::UpstreamUnavailable, &error),
            Error::Store(_) => Self::internal(Code::StoreUnavailable, &error),
            Error::Json(_) | Error::Client(_) | Error::Config(_) => Self::internal(Code::Internal, &error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
