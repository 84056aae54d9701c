//! Users, passwords, standing: values that are right once they exist.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What every user may do.
pub const USER_SCOPE: &str = "orders:read orders:write payments:read payments:write";

/// A new user's limit for one payment, in minor units of [`DEFAULT_LIMIT_CURRENCY`].
pub const DEFAULT_LIMIT_MINOR: i64 = 100_000_000;

/// The currency of a new user's limit.
pub const DEFAULT_LIMIT_CURRENCY: &str = "USD";

const USER_ID_LIMIT: usize = 64;
const TOKEN_ID_LIMIT: usize = 256;
const PASSWORD_LIMITS: std::ops::RangeInclusive<usize> = 8..=128;

/// A user's id, the `sub` of its tokens: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserId(String);

impl UserId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known =
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if text.is_empty() || text.len() > USER_ID_LIMIT || !known {
            return Err(Error::Invalid("/userId", "1 to 64 letters, digits, dots, underscores or hyphens"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A token's id (`jti`): 1 to 256 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenId(String);

impl TokenId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > TOKEN_ID_LIMIT || !visible {
            return Err(Error::Invalid("/jti", "1 to 256 visible ASCII characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A password of 8 to 128 characters that never prints.
#[derive(Debug, Clone)]
pub struct Password(pub(crate) SecretString);

impl FromStr for Password {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !PASSWORD_LIMITS.contains(&text.chars().count()) {
            return Err(Error::Invalid("/password", "8 to 128 characters"));
        }
        Ok(Self(text.into()))
    }
}

/// Whether a user may pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Yes.
    Active,
    /// No, whatever token it holds.
    Frozen,
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
        })
    }
}

impl FromStr for Standing {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "active" => Ok(Self::Active),
            "frozen" => Ok(Self::Frozen),
            _ => Err(Error::Invalid("/standing", "active or frozen")),
        }
    }
}
