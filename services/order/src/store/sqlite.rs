//! Order's store in SQLite.

use async_trait::async_trait;
use kit::Answer;
use kit::amounts::Total;
use kit::idempotency::Attempt;
use kit::sqlite::{BEGIN, Sqlite};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Found, Store};
use crate::domain::{NewOrder, Order, PaymentSummary, State};
use crate::error::Error;

/// One file, shared by all replicas on the machine.
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Opens or creates it.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Self(Sqlite::open(url, &sqlx::migrate!("migrations/sqlite")).await?))
    }
}

fn order(row: &SqliteRow) -> Result<Order, Error> {
    let corrupt = || Error::Config("the store holds an unknown state".to_owned());
    let state = State::stored(row.try_get("state")?).ok_or_else(corrupt)?;
    let payment_id: Option<String> = row.try_get("payment_id")?;
    let payment = payment_id.map(|payment_id| PaymentSummary { payment_id, state: "captured".to_owned() });
    let total =
        Total::stored(row.try_get("total_minor")?, row.try_get("currency")?).map_err(Error::Config)?;
    Ok(Order {
        order_id: row.try_get("order_id")?,
        state,
        new: NewOrder {
            user_id: row.try_get("user_id")?,
            items: serde_json::from_str(row.try_get("items")?)?,
            total,
            payment_method: row.try_get("payment_method")?,
        },
        payment,
        created_at: row.try_get("created_at")?,
    })
}

fn answer(row: &SqliteRow) -> Result<Option<Answer>, Error> {
    let Some(status) = row.try_get("answer_status")? else { return Ok(None) };
    Ok(Some(Answer {
        status,
        content_type: row.try_get("answer_content_type")?,
        location: row.try_get("answer_location")?,
        body: row.try_get("answer_body")?,
    }))
}

#[async_trait]
impl Store for SqliteStore {
    async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.ready().await?)
    }

    async fn begin(&self, attempt: &Attempt, new: Order) -> Result<Found, Error> {
        let mut transaction = self.0.writer.begin_with(BEGIN).await?;
        let row = sqlx::query("SELECT * FROM orders WHERE request_key = ?")
            .bind(attempt.key.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            if row.try_get::<String, _>("fingerprint")? != attempt.fingerprint {
                return Err(Error::KeyReused);
            }
            return match answer(&row)? {
                Some(answer) => Ok(Found::Answered(answer)),
                None => Ok(Found::Pending(Box::new(order(&row)?))),
            };
        }
        sqlx::query(
            "INSERT INTO orders (order_id, user_id, state, items, total_minor, currency, payment_method, created_at,
                                 request_key, fingerprint)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&new.order_id)
        .bind(&new.new.user_id)
        .bind(new.state.as_str())
        .bind(serde_json::to_string(&new.new.items)?)
        .bind(new.new.total.amount)
        .bind(&new.new.total.currency)
        .bind(&new.new.payment_method)
        .bind(&new.created_at)
        .bind(attempt.key.as_str())
        .bind(&attempt.fingerprint)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Found::Pending(Box::new(new)))
    }

    async fn finish(&self, ended: &Order, given: Answer) -> Result<Answer, Error> {
        let changed = sqlx::query(
            "UPDATE orders SET state = ?, payment_id = ?, answer_status = ?, answer_content_type = ?,
                               answer_location = ?, answer_body = ?
             WHERE order_id = ? AND state = 'pending'",
        )
        .bind(ended.state.as_str())
        .bind(ended.payment.as_ref().map(|payment| &payment.payment_id))
        .bind(given.status)
        .bind(&given.content_type)
        .bind(&given.location)
        .bind(&given.body)
        .bind(&ended.order_id)
        .execute(&self.0.writer)
        .await?;
        if changed.rows_affected() == 1 {
            return Ok(given);
        }
        let row = sqlx::query("SELECT * FROM orders WHERE order_id = ?")
            .bind(&ended.order_id)
            .fetch_one(&self.0.writer)
            .await?;
        answer(&row)?.ok_or_else(|| Error::Config("an ended order without an answer".to_owned()))
    }

    async fn order(&self, user_id: &str, order_id: &str) -> Result<Order, Error> {
        let row = sqlx::query("SELECT * FROM orders WHERE order_id = ? AND user_id = ?")
            .bind(order_id)
            .bind(user_id)
            .fetch_optional(&self.0.reader)
            .await?;
        order(&row.ok_or(Error::NoSuchOrder)?)
    }
}
