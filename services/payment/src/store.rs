//! What payment keeps: payments with what was given back of them, the ledger, and the answers that were given.

use jiff::Timestamp;
use kit::amounts::Total;
use kit::idempotency::Attempt;
use kit::store::{Migrations, Query, Row, Transaction, Tries};
use kit::{Answer, Database};

use crate::domain::{NewPayment, Payment, Refund, postings};
use crate::error::Error;

/// The tables.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: sqlx::migrate!("migrations/sqlite"),
    postgres: sqlx::migrate!("migrations/postgres"),
};

/// What a decision changes beside the key that it is kept under.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Nothing: it is a refusal.
    Nothing,
    /// A payment is made.
    Payment(&'a Payment),
    /// A part of a payment is given back, unless less than that is left of it.
    Refund(&'a Refund),
}

/// How a decision was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Now, by this request.
    Decided(Answer),
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

    /// Writes a decision in one transaction, unless the key is known already: key and answer, and with a payment or a
    /// refund its row and the ledger's. A refusal is kept too, so that two tries of one request, of which one is refused
    /// and the other would not be, cannot part. The answer of a refund is the refusal, for where too little is left.
    ///
    /// [`Error::OrderPaid`], [`Error::NoSuchPayment`] and [`Error::CurrencyMismatch`] leave the key free.
    pub async fn decide(
        &self,
        attempt: &Attempt,
        change: Change<'_>,
        answer: &Answer,
    ) -> Result<Outcome, Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = decide(&mut transaction, attempt, change, answer).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }

    /// A payer's payment; [`Error::NoSuchPayment`].
    pub async fn payment(&self, payer: &str, payment_id: &str) -> Result<Payment, Error> {
        let row = self.0.fetch_optional(find_payment(payer, payment_id)).await?;
        payment(&row.ok_or(Error::NoSuchPayment)?)
    }
}

/// The answer to whom a payment was made or changed: what it is now, and where.
pub(crate) fn made(payment: &Payment) -> Result<Answer, Error> {
    Ok(Answer::created(format!("/payment/{}", payment.payment_id), payment)?)
}

async fn decide(
    transaction: &mut Transaction,
    attempt: &Attempt,
    change: Change<'_>,
    answer: &Answer,
) -> Result<Outcome, Error> {
    // First of all: the same request waits here for its other tries, and then finds what they came to.
    if transaction.execute(claim(attempt, answer)).await? == 0 {
        // The same request came to another replica at the same time, and was first.
        let row = transaction.fetch_optional(find_key(attempt)).await?;
        let row = row.ok_or_else(|| Error::Config("a key that is there and is not".to_owned()))?;
        return kept(&row, attempt).map(Outcome::Replayed);
    }
    match change {
        Change::Nothing => {}
        Change::Payment(payment) => write_payment(transaction, payment).await?,
        Change::Refund(refund) => {
            if let Some(payment) = write_refund(transaction, refund).await? {
                let answer = made(&payment)?;
                transaction.execute(replace_answer(attempt, &answer)).await?;
                return Ok(Outcome::Decided(answer));
            }
        }
    }
    Ok(Outcome::Decided(answer.clone()))
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

/// The answer in place of the one that the key was claimed with.
fn replace_answer(attempt: &Attempt, answer: &Answer) -> Query {
    Query::new(
        "UPDATE idempotency_keys SET status = $1, content_type = $2, location = $3, body = $4 WHERE key = $5",
    )
    .bind(answer.status)
    .bind(&answer.content_type)
    .bind(answer.location.clone())
    .bind(answer.body.as_slice())
    .bind(attempt.key.as_str())
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

fn find_payment(payer: &str, payment_id: &str) -> Query {
    Query::new("SELECT * FROM payments WHERE payment_id = $1 AND payer = $2").bind(payment_id).bind(payer)
}

fn payment(row: &Row) -> Result<Payment, Error> {
    let currency: String = row.get("currency")?;
    let new = NewPayment {
        order_id: row.get("order_id")?,
        total: Total::stored(row.get("amount_minor")?, &currency).map_err(Error::Config)?,
        payment_method: row.get("payment_method")?,
    };
    let (payment_id, created_at, payer) = (row.get("payment_id")?, row.get("created_at")?, row.get("payer")?);
    Ok(Payment::new(payment_id, new, row.get("refunded_minor")?, created_at, payer))
}

async fn write_payment(transaction: &mut Transaction, payment: &Payment) -> Result<(), Error> {
    let Payment { payment_id, new, created_at, payer, .. } = payment;
    let insert = Query::new(
        "INSERT INTO payments
             (payment_id, order_id, payer, state, amount_minor, currency, payment_method, created_at)
         VALUES ($1, $2, $3, 'captured', $4, $5, $6, $7) ON CONFLICT (payer, order_id) DO NOTHING",
    )
    .bind(payment_id)
    .bind(&new.order_id)
    .bind(payer)
    .bind(new.total.amount)
    .bind(new.total.currency.code())
    .bind(&new.payment_method)
    .bind(created_at);
    if transaction.execute(insert).await? == 0 {
        return Err(Error::OrderPaid);
    }
    write_postings(transaction, payment, new.total.amount, created_at).await
}

/// Takes a refund from what is left of its payment; the payment as it then is, or none where too little is left.
async fn write_refund(transaction: &mut Transaction, refund: &Refund) -> Result<Option<Payment>, Error> {
    let Refund { payment_id, payer, total } = refund;
    // What is left is compared where it is taken from: of refunds that come at once, only those that fit pass.
    let update = Query::new(
        "UPDATE payments SET refunded_minor = refunded_minor + $1
         WHERE payment_id = $2 AND payer = $3 AND currency = $4 AND refunded_minor + $1 <= amount_minor
         RETURNING *",
    )
    .bind(total.amount)
    .bind(payment_id)
    .bind(payer)
    .bind(total.currency.code());
    let Some(row) = transaction.fetch_optional(update).await? else {
        let row = transaction.fetch_optional(find_payment(payer, payment_id)).await?;
        let found = payment(&row.ok_or(Error::NoSuchPayment)?)?;
        // There is never more left than there was a moment ago, so it is still too little.
        return if found.new.total.currency == total.currency {
            Ok(None)
        } else {
            Err(Error::CurrencyMismatch)
        };
    };
    let payment = payment(&row)?;
    let back = total.amount.checked_neg().ok_or_else(without_negative)?;
    write_postings(transaction, &payment, back, &Timestamp::now().to_string()).await?;
    Ok(Some(payment))
}

/// Writes the ledger's rows of so many minor units from the payer to the merchant, or back where they are negative.
async fn write_postings(
    transaction: &mut Transaction,
    payment: &Payment,
    amount: i64,
    created_at: &str,
) -> Result<(), Error> {
    for (account, amount) in postings(&payment.payer, amount).ok_or_else(without_negative)? {
        let insert = Query::new(
            "INSERT INTO ledger (payment_id, account, amount_minor, currency, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&payment.payment_id)
        .bind(account)
        .bind(amount)
        .bind(payment.new.total.currency.code())
        .bind(created_at);
        transaction.execute(insert).await?;
    }
    Ok(())
}

fn without_negative() -> Error {
    Error::Config("an amount without a negative".to_owned())
}
