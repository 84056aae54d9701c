//! Payment's store in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use kit::Answer;
use kit::amounts::Total;
use kit::idempotency::Attempt;
use kit::sqlite::{BEGIN, Sqlite};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Outcome, Store};
use crate::domain::{CAPTURED, NewPayment, Payment};
use crate::error::Error;

/// One file, shared by all replicas on the machine.
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Opens or creates it.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self(Sqlite::open(url, &sqlx::migrate!("migrations/sqlite")).await?))
    }
}

const FIND_KEY: &str =
    "SELECT fingerprint, status, content_type, location, body FROM idempotency_keys WHERE key = ?";

fn known(row: Option<SqliteRow>, attempt: &Attempt) -> Result<Option<Answer>, Error> {
    let Some(row) = row else { return Ok(None) };
    if row.try_get::<String, _>("fingerprint")? != attempt.fingerprint {
        return Err(Error::KeyReused);
    }
    Ok(Some(Answer {
        status: row.try_get("status")?,
        content_type: row.try_get("content_type")?,
        location: row.try_get("location")?,
        body: row.try_get("body")?,
    }))
}

async fn write_payment(connection: &mut SqliteConnection, payment: &Payment) -> Result<(), Error> {
    let Payment { payment_id, state, new, created_at, payer } = payment;
    let paid = sqlx::query(
        "INSERT INTO payments
             (payment_id, order_id, payer, state, amount_minor, currency, payment_method, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (payer, order_id) DO NOTHING",
    )
    .bind(payment_id)
    .bind(&new.order_id)
    .bind(payer)
    .bind(*state)
    .bind(new.total.amount)
    .bind(&new.total.currency)
    .bind(&new.payment_method)
    .bind(created_at)
    .execute(&mut *connection)
    .await?;
    if paid.rows_affected() == 0 {
        return Err(Error::OrderPaid);
    }
    let postings =
        payment.postings().ok_or_else(|| Error::Config("an amount without a negative".to_owned()))?;
    for (account, amount) in postings {
        sqlx::query(
            "INSERT INTO ledger (payment_id, account, amount_minor, currency, created_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(payment_id)
        .bind(account)
        .bind(amount)
        .bind(&new.total.currency)
        .bind(created_at)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_key(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    answer: &Answer,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO idempotency_keys (key, fingerprint, status, content_type, location, body, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(attempt.key.as_str())
    .bind(&attempt.fingerprint)
    .bind(answer.status)
    .bind(&answer.content_type)
    .bind(&answer.location)
    .bind(&answer.body)
    .bind(Timestamp::now().to_string())
    .execute(&mut *connection)
    .await?;
    Ok(())
}

#[async_trait]
impl Store for SqliteStore {
    async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.ready().await?)
    }

    async fn replay(&self, attempt: &Attempt) -> Result<Option<Answer>, Error> {
        let row = sqlx::query(FIND_KEY).bind(attempt.key.as_str()).fetch_optional(&self.0.reader).await?;
        known(row, attempt)
    }

    async fn decide(
        &self,
        attempt: &Attempt,
        payment: Option<&Payment>,
        answer: &Answer,
    ) -> Result<Outcome, Error> {
        let mut transaction = self.0.writer.begin_with(BEGIN).await?;
        // Asked again under the write lock: the same request may have come to the other replica at the same time.
        let row = sqlx::query(FIND_KEY).bind(attempt.key.as_str()).fetch_optional(&mut *transaction).await?;
        if let Some(answer) = known(row, attempt)? {
            return Ok(Outcome::Replayed(answer));
        }
        if let Some(payment) = payment {
            write_payment(&mut transaction, payment).await?;
        }
        write_key(&mut transaction, attempt, answer).await?;
        transaction.commit().await?;
        Ok(Outcome::Decided)
    }

    async fn payment(&self, payer: &str, payment_id: &str) -> Result<Payment, Error> {
        let row = sqlx::query("SELECT * FROM payments WHERE payment_id = ? AND payer = ?")
            .bind(payment_id)
            .bind(payer)
            .fetch_optional(&self.0.reader)
            .await?
            .ok_or(Error::NoSuchPayment)?;
        let currency: String = row.try_get("currency")?;
        let total = Total::stored(row.try_get("amount_minor")?, currency).map_err(Error::Config)?;
        Ok(Payment {
            payment_id: row.try_get("payment_id")?,
            state: CAPTURED,
            new: NewPayment {
                order_id: row.try_get("order_id")?,
                total,
                payment_method: row.try_get("payment_method")?,
            },
            created_at: row.try_get("created_at")?,
            payer: row.try_get("payer")?,
        })
    }
}
