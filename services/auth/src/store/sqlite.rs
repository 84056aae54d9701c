//! Auth's store in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use kit::sqlite::{BEGIN, Sqlite};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row};

use super::{Credentials, NewUser, PayerStanding, SigningKey, Store};
use crate::domain::{DEFAULT_LIMIT_CURRENCY, DEFAULT_LIMIT_MINOR, Standing, UserId};
use crate::error::Error;

/// One file, shared by all replicas on the machine.
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Opens or creates it.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self(Sqlite::open(url, &sqlx::migrate!("migrations/sqlite")).await?))
    }
}

fn standing(row: &SqliteRow) -> Result<PayerStanding, Error> {
    let text: String = row.try_get("standing")?;
    Ok(PayerStanding {
        standing: text.parse().map_err(|_| Error::Corrupt("an unknown standing"))?,
        limit_minor: row.try_get("limit_minor")?,
        limit_currency: row.try_get("limit_currency")?,
    })
}

/// Inserts a user, or does this where there is one; the number of rows written.
async fn insert(sqlite: &Sqlite, user: NewUser, otherwise: &'static str) -> Result<u64, Error> {
    let mut query = QueryBuilder::<sqlx::Sqlite>::new(
        "INSERT INTO users (user_id, password_hash, scope, standing, limit_minor, limit_currency, created_at) VALUES (",
    );
    let mut values = query.separated(", ");
    values
        .push_bind(user.user_id.as_str())
        .push_bind(user.password_hash)
        .push_bind(user.scope)
        .push_bind("active")
        .push_bind(DEFAULT_LIMIT_MINOR)
        .push_bind(DEFAULT_LIMIT_CURRENCY)
        .push_bind(Timestamp::now().as_second());
    query.push(") ON CONFLICT (user_id) ").push(otherwise);
    Ok(query.build().execute(&sqlite.writer).await?.rows_affected())
}

#[async_trait]
impl Store for SqliteStore {
    async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.ready().await?)
    }

    async fn create_user(&self, user: NewUser) -> Result<(), Error> {
        match insert(&self.0, user, "DO NOTHING").await? {
            1 => Ok(()),
            _ => Err(Error::UserExists),
        }
    }

    async fn put_credentials(&self, user: NewUser) -> Result<(), Error> {
        let replace = "DO UPDATE SET password_hash = excluded.password_hash, scope = excluded.scope";
        insert(&self.0, user, replace).await.map(|_| ())
    }

    async fn credentials(&self, user_id: &UserId) -> Result<Option<Credentials>, Error> {
        let row = sqlx::query("SELECT password_hash, scope FROM users WHERE user_id = ?")
            .bind(user_id.as_str())
            .fetch_optional(&self.0.reader)
            .await?;
        let read = |row: SqliteRow| {
            Ok(Credentials { password_hash: row.try_get("password_hash")?, scope: row.try_get("scope")? })
        };
        row.map(read).transpose()
    }

    async fn standing(&self, user_id: &UserId) -> Result<PayerStanding, Error> {
        let row = sqlx::query("SELECT standing, limit_minor, limit_currency FROM users WHERE user_id = ?")
            .bind(user_id.as_str())
            .fetch_optional(&self.0.reader)
            .await?;
        standing(&row.ok_or(Error::NoSuchUser)?)
    }

    async fn set_standing(&self, user_id: &UserId, new: Standing) -> Result<PayerStanding, Error> {
        let row = sqlx::query(
            "UPDATE users SET standing = ? WHERE user_id = ? RETURNING standing, limit_minor, limit_currency",
        )
        .bind(new.to_string())
        .bind(user_id.as_str())
        .fetch_optional(&self.0.writer)
        .await?;
        standing(&row.ok_or(Error::NoSuchUser)?)
    }

    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, Error> {
        let mut transaction = self.0.writer.begin_with(BEGIN).await?;
        let row = sqlx::query("SELECT kid, private_key FROM signing_keys ORDER BY created_at DESC LIMIT 1")
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            return Ok(SigningKey { kid: row.try_get("kid")?, private_key: row.try_get("private_key")? });
        }
        sqlx::query("INSERT INTO signing_keys (kid, private_key, created_at) VALUES (?, ?, ?)")
            .bind(&candidate.kid)
            .bind(&candidate.private_key)
            .bind(Timestamp::now().as_second())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(candidate)
    }
}
