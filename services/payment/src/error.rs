//! What can go wrong in payment, and what the client is told of it.

use axum::response::{IntoResponse, Response};
use kit::amounts::invalid;
use kit::problem::{Code, Problem};

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is not acceptable.
    #[error("the request is not acceptable")]
    Request(Problem),
    /// `Idempotency-Key` is due.
    #[error("no Idempotency-Key")]
    KeyMissing,
    /// The key came before with another payload.
    #[error("the Idempotency-Key came before with another payload")]
    KeyReused,
    /// Another request paid this order.
    #[error("the order is paid already")]
    OrderPaid,
    /// The payer is frozen, or there is none.
    #[error("the payer may not pay")]
    PayerFrozen,
    /// Above the payer's limit, or in another currency than it.
    #[error("the amount is above the payer's limit")]
    LimitExceeded,
    /// No such payment, or not the caller's.
    #[error("no such payment")]
    NoSuchPayment,
    /// A refund in another currency than the payment's.
    #[error("the refund has another currency than the payment")]
    CurrencyMismatch,
    /// A refund above what is left of the payment.
    #[error("the refund is above what is left of the payment")]
    RemainderExceeded,
    /// Auth gives no answer, or none of use.
    #[error("auth: {0}")]
    Auth(String),
    /// The store gives no answer.
    #[error("store: {0}")]
    Store(#[from] sqlx::Error),
    /// A value cannot be written as JSON.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    /// The HTTP client cannot be made.
    #[error("client: {0}")]
    Client(#[from] reqwest::Error),
    /// The configuration cannot be used.
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
            Error::KeyMissing => Self::new(
                Code::IdempotencyKeyMissing,
                "Send an Idempotency-Key, the same for every try of one payment or refund.",
            ),
            Error::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "Use a new key for another payment or refund.")
            }
            Error::OrderPaid => Self::new(Code::OrderAlreadyPaid, "Another request paid this order."),
            Error::PayerFrozen => Self::new(Code::PayerFrozen, "The payer's account is not active."),
            Error::LimitExceeded => Self::new(
                Code::LimitExceeded,
                "One payment may not exceed the payer's limit, nor have another currency.",
            ),
            Error::NoSuchPayment => Self::new(Code::NotFound, "No payment of yours has this id."),
            Error::CurrencyMismatch => {
                let code = amount_core::Code::CurrencyMismatch.as_str();
                invalid("/currency", code, "must be the payment's currency")
            }
            Error::RemainderExceeded => Self::new(
                Code::RemainderExceeded,
                "All refunds of a payment together may not exceed its amount.",
            ),
            Error::Auth(_) => Self::internal(Code::UpstreamUnavailable, &error),
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
