//! What payment keeps: payments, the ledger, and the answers that were given.

use jiff::Timestamp;
use kit::amounts::Total;
use kit::idempotency::Attempt;
use kit::store::{Migrations, Query, Row, Transaction, Tries};
use kit::{Answer, Database};

use crate::domain::{CAPTURED, NewPayment, Payment};
use crate::error::Error;

/// The tables.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: sqlx::migrate!("migrations/sqlite"),
    postgres: sqlx::migrate!("migrations/postgres"),
};

/// How a decision was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Now, by this request.
    Decided,
    /// Earlier, by the same request: its answer.
    Replayed(Answer),
}

/// The store of the payment service; clones are the same.
#[derive(Debug, Clone)]
pub struct Store(pub Database);

impl Store {
    /// The answer that this request was given before; [`Error::KeyReused`] when the payload was another.
    pub async fn replay(&self, attempt: &Attempt) -> Result<Option<Answer>, Error> {
        let row = self.0.fetch_optional(find_key(attempt)).await?;
        row.map(|row| kept(&row, attempt)).transpose()
    }

    /// Writes a decision in one transaction, unless the key or the order is known already: key and answer, and with
    /// a payment its row and the ledger's. A refusal (no payment) is kept too, so that two tries of one request, of
    /// which one is refused and the other would be captured, cannot part.
    pub async fn decide(
        &self,
        attempt: &Attempt,
        payment: Option<&Payment>,
        answer: &Answer,
    ) -> Result<Outcome, Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = decide(&mut transaction, attempt, payment, answer).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }

    /// A payer's payment; [`Error::NoSuchPayment`].
    pub async fn payment(&self, payer: &str, payment_id: &str) -> Result<Payment, Error> {
        let query = Query::new("SELECT * FROM payments WHERE payment_id = $1 AND payer = $2")
            .bind(payment_id)
            .bind(payer);
        let row = self.0.fetch_optional(query).await?.ok_or(Error::NoSuchPayment)?;
        let total = Total::stored(row.get("amount_minor")?, row.get("currency")?).map_err(Error::Config)?;
        Ok(Payment {
            payment_id: row.get("payment_id")?,
            state: CAPTURED,
            new: NewPayment {
                order_id: row.get("order_id")?,
                total,
                payment_method: row.get("payment_method")?,
            },
            created_at: row.get("created_at")?,
            payer: row.get("payer")?,
        })
    }
}

async fn decide(
    transaction: &mut Transaction,
    attempt: &Attempt,
    payment: Option<&Payment>,
    answer: &Answer,
) -> Result<Outcome, Error> {
    if transaction.execute(claim(attempt, answer)).await? == 0 {
        // The same request came to another replica at the same time, and was first.
        let row = transaction.fetch_optional(find_key(attempt)).await?;
        let row = row.ok_or_else(|| Error::Config("a key that is there and is not".to_owned()))?;
        return kept(&row, attempt).map(Outcome::Replayed);
    }
    if let Some(payment) = payment {
        write_payment(transaction, payment).await?;
    }
    Ok(Outcome::Decided)
}

fn find_key(attempt: &Attempt) -> Query {
    Query::new(
        "SELECT fingerprint, status, content_type, location, body FROM idempotency_keys WHERE key = $1",
    )
    .bind(attempt.key.as_str())
}

fn claim(attempt: &Attempt, answer: &Answer) -> Query {
    Query::new(
        "INSERT INTO idempotency_keys (key, fingerprint, status, content_type, location, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
    )
    .bind(attempt.key.as_str())
    .bind(&attempt.fingerprint)
    .bind(answer.status)
    .bind(&answer.content_type)
    .bind(answer.location.clone())
    .bind(answer.body.as_slice())
    .bind(Timestamp::now().to_string())
}

fn kept(row: &Row, attempt: &Attempt) -> Result<Answer, Error> {
    if row.get::<String>("fingerprint")? != attempt.fingerprint {
        return Err(Error::KeyReused);
    }
    Ok(Answer {
        status: Answer::stored_status(row.get("status")?),
        content_type: row.get("content_type")?,
        location: row.get("location")?,
        body: row.get("body")?,
    })
}

async fn write_payment(transaction: &mut Transaction, payment: &Payment) -> Result<(), Error> {
    let Payment { payment_id, state, new, created_at, payer } = payment;
    let insert = Query::new(
        "INSERT INTO payments
             (payment_id, order_id, payer, state, amount_minor, currency, payment_method, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (payer, order_id) DO NOTHING",
    )
    .bind(payment_id)
    .bind(&new.order_id)
    .bind(payer)
    .bind(*state)
    .bind(new.total.amount)
    .bind(&new.total.currency)
    .bind(&new.payment_method)
    .bind(created_at);
    if transaction.execute(insert).await? == 0 {
        return Err(Error::OrderPaid);
    }
    let postings =
        payment.postings().ok_or_else(|| Error::Config("an amount without a negative".to_owned()))?;
    for (account, amount) in postings {
        let insert = Query::new(
            "INSERT INTO ledger (payment_id, account, amount_minor, currency, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(payment_id)
        .bind(account)
        .bind(amount)
        .bind(&new.total.currency)
        .bind(created_at);
        transaction.execute(insert).await?;
    }
    Ok(())
}
