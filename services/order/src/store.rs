//! What order keeps: orders, each with the request that made it and the answer that it was given.

use kit::amounts::Total;
use kit::idempotency::Attempt;
use kit::store::{Migrations, Query, Row, Transaction, Tries};
use kit::{Answer, Database};

use crate::domain::{NewOrder, Order, PaymentSummary, State};
use crate::error::Error;

/// The tables.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: sqlx::migrate!("migrations/sqlite"),
    postgres: sqlx::migrate!("migrations/postgres"),
};

/// What a request finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The order that is to be paid: made just now, or by an earlier try that did not come to its end.
    Pending(Box<Order>),
    /// The answer that the request was given before.
    Answered(Answer),
}

/// The store of the order service; clones are the same.
#[derive(Debug, Clone)]
pub struct Store(pub Database);

impl Store {
    /// Finds the request's order or writes this one; [`Error::KeyReused`] when the payload was another.
    pub async fn begin(&self, attempt: &Attempt, new: Order) -> Result<Found, Error> {
        let items = serde_json::to_string(&new.new.items)?;
        let query = Query::new("SELECT * FROM orders WHERE request_key = $1").bind(attempt.key.as_str());
        let found = self.change_or_find(insert(attempt, &new, &items), query).await?;
        let Some(row) = found else { return Ok(Found::Pending(Box::new(new))) };
        if row.get::<String>("fingerprint")? != attempt.fingerprint {
            return Err(Error::KeyReused);
        }
        match answer(&row)? {
            Some(answer) => Ok(Found::Answered(answer)),
            None => Ok(Found::Pending(Box::new(order(&row)?))),
        }
    }

    /// Ends a pending order (paid or cancelled) with its answer. When another try has ended it already, that one's
    /// answer comes back.
    pub async fn finish(&self, ended: &Order, given: Answer) -> Result<Answer, Error> {
        let query = Query::new("SELECT * FROM orders WHERE order_id = $1").bind(&ended.order_id);
        let found = self.change_or_find(end(ended, &given), query).await?;
        let Some(row) = found else { return Ok(given) };
        answer(&row)?.ok_or_else(|| Error::Config("an ended order without an answer".to_owned()))
    }

    /// A user's order; [`Error::NoSuchOrder`].
    pub async fn order(&self, user_id: &str, order_id: &str) -> Result<Order, Error> {
        let query = Query::new("SELECT * FROM orders WHERE order_id = $1 AND user_id = $2")
            .bind(order_id)
            .bind(user_id);
        order(&self.0.fetch_optional(query).await?.ok_or(Error::NoSuchOrder)?)
    }

    async fn change_or_find(&self, change: Query, find: Query) -> Result<Option<Row>, Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = change_or_find(&mut transaction, change.clone(), find.clone()).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }
}

/// Makes the change; where it changes nothing, because another try was first, the row that this one finds.
async fn change_or_find(
    transaction: &mut Transaction,
    change: Query,
    find: Query,
) -> Result<Option<Row>, Error> {
    if transaction.execute(change).await? == 1 {
        return Ok(None);
    }
    transaction.fetch_optional(find).await?.map(Some).ok_or(Error::NoSuchOrder)
}

fn insert(attempt: &Attempt, new: &Order, items: &str) -> Query {
    Query::new(
        "INSERT INTO orders (order_id, user_id, state, items, total_minor, currency, payment_method, created_at,
                             request_key, fingerprint)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (request_key) DO NOTHING",
    )
    .bind(&new.order_id)
    .bind(&new.new.user_id)
    .bind(new.state.as_str())
    .bind(items)
    .bind(new.new.total.amount)
    .bind(new.new.total.currency.code())
    .bind(&new.new.payment_method)
    .bind(&new.created_at)
    .bind(attempt.key.as_str())
    .bind(&attempt.fingerprint)
}

fn end(ended: &Order, given: &Answer) -> Query {
    Query::new(
        "UPDATE orders SET state = $1, payment_id = $2, answer_status = $3, answer_content_type = $4,
                           answer_location = $5, answer_body = $6
         WHERE order_id = $7 AND state = 'pending'",
    )
    .bind(ended.state.as_str())
    .bind(ended.payment.as_ref().map(|payment| payment.payment_id.clone()))
    .bind(given.status)
    .bind(&given.content_type)
    .bind(given.location.clone())
    .bind(given.body.as_slice())
    .bind(&ended.order_id)
}

fn order(row: &Row) -> Result<Order, Error> {
    let corrupt = || Error::Config("the store holds an unknown state".to_owned());
    let state = State::stored(&row.get::<String>("state")?).ok_or_else(corrupt)?;
    let payment_id: Option<String> = row.get("payment_id")?;
    let payment = payment_id.map(|payment_id| PaymentSummary { payment_id, state: "captured".to_owned() });
    let total =
        Total::stored(row.get("total_minor")?, &row.get::<String>("currency")?).map_err(Error::Config)?;
    Ok(Order {
        order_id: row.get("order_id")?,
        state,
        new: NewOrder {
            user_id: row.get("user_id")?,
            items: serde_json::from_str(&row.get::<String>("items")?)?,
            total,
            payment_method: row.get("payment_method")?,
        },
        payment,
        created_at: row.get("created_at")?,
    })
}

fn answer(row: &Row) -> Result<Option<Answer>, Error> {
    let Some(status) = row.get::<Option<i64>>("answer_status")? else { return Ok(None) };
    Ok(Some(Answer {
        status: Answer::stored_status(status),
        content_type: row.get("answer_content_type")?,
        location: row.get("answer_location")?,
        body: row.get("answer_body")?,
    }))
}
