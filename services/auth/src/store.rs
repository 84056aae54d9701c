//! What auth keeps: users here, signing keys and revocations in the files beside.

mod keys;
mod revocations;

use jiff::Timestamp;
use kit::Database;
use kit::store::{Migrations, Query, Row};

pub use self::keys::SigningKey;
pub use self::revocations::{Entry, Feed};
use crate::domain::{DEFAULT_LIMIT_CURRENCY, DEFAULT_LIMIT_MINOR, Standing, UserId};
use crate::error::Error;

/// The tables.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: sqlx::migrate!("migrations/sqlite"),
    postgres: sqlx::migrate!("migrations/postgres"),
};

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

/// The store of the auth service; clones are the same.
#[derive(Debug, Clone)]
pub struct Store(pub Database);

impl Store {
    /// Makes a user; [`Error::UserExists`] when the id is taken.
    pub async fn create_user(&self, user: NewUser) -> Result<(), Error> {
        let query = bind_user(
            Query::new(
                "INSERT INTO users (user_id, password_hash, scope, standing, limit_minor, limit_currency, created_at)
                 VALUES ($1, $2, $3, 'active', $4, $5, $6) ON CONFLICT (user_id) DO NOTHING",
            ),
            &user,
        );
        match self.0.execute(query).await? {
            1 => Ok(()),
            _ => Err(Error::UserExists),
        }
    }

    /// Makes a user, or replaces the password and scope of one that exists; its standing stays.
    pub async fn put_credentials(&self, user: NewUser) -> Result<(), Error> {
        let query = bind_user(
            Query::new(
                "INSERT INTO users (user_id, password_hash, scope, standing, limit_minor, limit_currency, created_at)
                 VALUES ($1, $2, $3, 'active', $4, $5, $6) ON CONFLICT (user_id) DO UPDATE
                 SET password_hash = excluded.password_hash, scope = excluded.scope",
            ),
            &user,
        );
        self.0.execute(query).await?;
        Ok(())
    }

    /// A user's credentials.
    pub async fn credentials(&self, user_id: &UserId) -> Result<Option<Credentials>, Error> {
        let query = Query::new("SELECT password_hash, scope FROM users WHERE user_id = $1");
        let row = self.0.fetch_optional(query.bind(user_id.as_str())).await?;
        let read =
            |row: Row| Ok(Credentials { password_hash: row.get("password_hash")?, scope: row.get("scope")? });
        row.map(read).transpose()
    }

    /// The time before which the user's tokens are refused, 0 if there is none; [`Error::NoSuchUser`].
    pub async fn tokens_not_before(&self, user_id: &UserId) -> Result<i64, Error> {
        let query = Query::new("SELECT tokens_not_before FROM users WHERE user_id = $1");
        let row = self.0.fetch_optional(query.bind(user_id.as_str())).await?;
        Ok(row.ok_or(Error::NoSuchUser)?.get("tokens_not_before")?)
    }

    /// A user's standing; [`Error::NoSuchUser`].
    pub async fn standing(&self, user_id: &UserId) -> Result<PayerStanding, Error> {
        let query = Query::new("SELECT standing, limit_minor, limit_currency FROM users WHERE user_id = $1");
        let row = self.0.fetch_optional(query.bind(user_id.as_str())).await?;
        standing(&row.ok_or(Error::NoSuchUser)?)
    }

    /// Changes a user's standing; [`Error::NoSuchUser`].
    pub async fn set_standing(&self, user_id: &UserId, new: Standing) -> Result<PayerStanding, Error> {
        let query = Query::new(
            "UPDATE users SET standing = $1 WHERE user_id = $2 RETURNING standing, limit_minor, limit_currency",
        );
        let row = self.0.write_returning(query.bind(new.to_string()).bind(user_id.as_str())).await?;
        standing(&row.ok_or(Error::NoSuchUser)?)
    }
}

fn bind_user(query: Query, user: &NewUser) -> Query {
    query
        .bind(user.user_id.as_str())
        .bind(&user.password_hash)
        .bind(&user.scope)
        .bind(DEFAULT_LIMIT_MINOR)
        .bind(DEFAULT_LIMIT_CURRENCY)
        .bind(Timestamp::now().as_second())
}

fn standing(row: &Row) -> Result<PayerStanding, Error> {
    let text: String = row.get("standing")?;
    Ok(PayerStanding {
        standing: text.parse().map_err(|_| Error::Corrupt("an unknown standing"))?,
        limit_minor: row.get("limit_minor")?,
        limit_currency: row.get("limit_currency")?,
    })
}
