//! What can go wrong in auth, and what the client is told of it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kit::problem::{Code, Fault, Problem};

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field (RFC 6901 pointer) and what it must be.
    #[error("{0}: {1}")]
    Invalid(&'static str, &'static str),
    /// The user id is taken.
    #[error("the user id is taken")]
    UserExists,
    /// Unknown user or wrong password.
    #[error("unknown user or wrong password")]
    BadCredentials,
    /// No such user.
    #[error("no such user")]
    NoSuchUser,
    /// As many keys are published as may be.
    #[error("too many keys")]
    TooManyKeys,
    /// The identity headers tell no expiry of the token.
    #[error("the identity headers tell no expiry")]
    NoExpiry,
    /// The store gives no answer.
    #[error("store: {0}")]
    Store(#[from] sqlx::Error),
    /// What the store holds cannot be read.
    #[error("the store holds {0}")]
    Corrupt(&'static str),
    /// A cryptographic operation failed.
    #[error("cryptography: {0}")]
    Crypto(String),
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(String),
}

impl kit::server::StartError for Error {
    fn is_usage(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Store(sqlx::Error::Configuration(_)))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(pointer, detail) => {
                let fault = Fault {
                    pointer: pointer.to_owned(),
                    code: "invalid".to_owned(),
                    detail: detail.to_owned(),
                };
                Self::new(Code::InvalidRequest, "A field is not acceptable.").with_errors(vec![fault])
            }
            Error::UserExists => Self::new(Code::UserExists, "Choose another userId."),
            Error::BadCredentials => {
                // RFC 9110 section 15.5.2 wants a challenge with every 401.
                let challenge = HeaderValue::from_static("Bearer realm=\"finpay\"");
                Self::new(Code::BadCredentials, "No user has this userId and password.")
                    .with_header(header::WWW_AUTHENTICATE, challenge)
            }
            Error::NoSuchUser => Self::new(Code::NotFound, "No user has this id."),
            Error::TooManyKeys => Self::new(
                Code::TooManyKeys,
                "The oldest key leaves the set when a later one has signed for longer than tokens live.",
            ),
            Error::NoExpiry => {
                Self::new(Code::IdentityMissing, "The sidecar's identity headers lack the token's expiry.")
            }
            Error::Store(_) => Self::internal(Code::StoreUnavailable, &error),
            Error::Corrupt(_) | Error::Crypto(_) | Error::Config(_) => Self::internal(Code::Internal, &error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
