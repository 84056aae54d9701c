//! What auth keeps.

pub mod sqlite;

use async_trait::async_trait;

use crate::domain::{Standing, UserId};
use crate::error::Error;

/// A user to be made, active and with the default limit.
#[derive(Debug)]
pub struct NewUser {
    /// Its id.
    pub user_id: UserId,
    /// Argon2id as a PHC string.
    pub password_hash: String,
    /// What its tokens may do, separated by spaces.
    pub scope: String,
}

/// What a login needs.
#[derive(Debug)]
pub struct Credentials {
    /// Argon2id as a PHC string.
    pub password_hash: String,
    /// What its tokens may do, separated by spaces.
    pub scope: String,
}

/// Whether a user may pay, and how much at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayerStanding {
    /// Whether.
    pub standing: Standing,
    /// How much, in minor units of `limit_currency`.
    pub limit_minor: i64,
    /// ISO 4217.
    pub limit_currency: String,
}

/// An ES256 key.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id in the key set.
    pub kid: String,
    /// The 32 bytes of the private scalar.
    pub private_key: Vec<u8>,
}

/// The store of the auth service.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether it answers.
    async fn ready(&self) -> Result<(), Error>;
    /// Makes a user; [`Error::UserExists`] when the id is taken.
    async fn create_user(&self, user: NewUser) -> Result<(), Error>;
    /// Makes a user, or replaces the password and scope of one that exists; its standing stays.
    async fn put_credentials(&self, user: NewUser) -> Result<(), Error>;
    /// A user's credentials.
    async fn credentials(&self, user_id: &UserId) -> Result<Option<Credentials>, Error>;
    /// A user's standing; [`Error::NoSuchUser`].
    async fn standing(&self, user_id: &UserId) -> Result<PayerStanding, Error>;
    /// Changes a user's standing; [`Error::NoSuchUser`].
    async fn set_standing(&self, user_id: &UserId, standing: Standing) -> Result<PayerStanding, Error>;
    /// The key that all replicas sign with: the stored one, or `candidate`, which is stored then.
    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, Error>;
}

#[async_trait]
impl kit::server::Ready for dyn Store {
    async fn ready(&self) -> Result<(), String> {
        Store::ready(self).await.map_err(|problem| problem.to_string())
    }
}
