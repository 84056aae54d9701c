//! What is wrong with a body: where, what, and what would be right.

use serde::Serialize;

/// What kind of refusal a fault is, and so its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: not JSON, or ambiguous.
    Malformed,
    /// 422: well-formed, but not acceptable.
    Invalid,
    /// 415: not `application/json`, or a content coding.
    MediaType,
    /// 413: above the limit.
    TooLarge,
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Invalid => 422,
            Self::MediaType => 415,
            Self::TooLarge => 413,
        }
    }

    /// The last segment of the problem's type.
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-body",
            Self::Invalid => "invalid-amount",
            Self::MediaType => "unsupported-media-type",
            Self::TooLarge => "body-too-large",
        }
    }

    /// The problem's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The body cannot be read",
            Self::Invalid => "The body is not acceptable",
            Self::MediaType => "The body's type is not application/json",
            Self::TooLarge => "The body is too large",
        }
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What kind of refusal.
    #[serde(skip)]
    pub kind: Kind,
    /// RFC 6901 pointer into the body; empty for the whole.
    pub pointer: String,
    /// A stable word for programs and metrics, from a closed set.
    pub code: &'static str,
    /// A sentence for people; never a value of the body.
    pub detail: String,
}

impl Fault {
    /// A fault of the whole body, 400.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Kind::Malformed, pointer: String::new(), code, detail: detail.into() }
    }

    /// A fault of one field, 422.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Kind::Invalid, pointer: pointer.into(), code, detail: detail.into() }
    }
}
