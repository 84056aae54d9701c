//! The revocations, in the order in which they became visible.

use jiff::Timestamp;
use kit::store::{Query, Row, Transaction, Tries};
use serde::Serialize;

use super::Store;
use crate::domain::{TokenId, UserId};
use crate::error::Error;
use crate::token::{AFTERLIFE_SECONDS, LEEWAY_SECONDS};

/// How many forgotten entries one new entry clears away: more than one, so that they never pile up, and few enough
/// not to be felt.
const PURGE_LIMIT: i64 = 100;

/// What is refused, and the time after which no token is left that it could touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// The token with this id.
    Token {
        /// Its id.
        jti: String,
        /// Seconds since 1970.
        exp: i64,
    },
    /// The subject's tokens that were issued before a time.
    Subject {
        /// The subject.
        sub: String,
        /// Seconds since 1970.
        #[serde(rename = "notBefore")]
        not_before: i64,
        /// Seconds since 1970.
        exp: i64,
    },
}

/// What was revoked after a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// To be asked with next.
    pub cursor: i64,
    /// The cursor asked with was never given out: the entries are from the start, and whatever came before is void.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// There is more to be asked for at once.
    pub more: bool,
    /// Oldest first.
    pub entries: Vec<Entry>,
}

impl Store {
    /// At most `limit` entries that came after the cursor and still matter.
    pub async fn revocations(&self, after: i64, limit: u16) -> Result<Feed, Error> {
        let page = self.page(after, limit).await?;
        if after <= page.cursor {
            return Ok(page);
        }
        Ok(Feed { reset: true, ..self.page(0, limit).await? })
    }

    async fn page(&self, after: i64, limit: u16) -> Result<Feed, Error> {
        // One statement, so that counter and entries are of one moment. Without entries it still has a row.
        let query = Query::new(
            "SELECT newest, number, jti, subject, not_before, exp FROM revocation_counter
             LEFT JOIN revocations ON number > $1 AND exp > $2 ORDER BY number LIMIT $3",
        );
        let query = query.bind(after).bind(Timestamp::now().as_second()).bind(i64::from(limit) + 1);
        let rows = self.0.fetch_all(query).await?;
        let newest = rows.first().ok_or(Error::Corrupt("no revocation counter"))?.get("newest")?;
        let more = rows.len() > usize::from(limit);
        let mut cursor = newest;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows.iter().take(limit.into()) {
            if let Some(number) = row.get::<Option<i64>>("number")? {
                cursor = if more { number } else { newest };
                entries.push(entry(row)?);
            }
        }
        Ok(Feed { cursor, reset: false, more, entries })
    }

    /// Revokes one token that ends at `expires_at`. Again: nothing changes, unless it ends later than was thought.
    pub async fn revoke_token(&self, token_id: &TokenId, expires_at: i64) -> Result<(), Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = revoke_token(&mut transaction, token_id, expires_at).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }

    /// Revokes all tokens that the user was issued until now; [`Error::NoSuchUser`].
    pub async fn revoke_user(&self, user_id: &UserId) -> Result<(), Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = revoke_user(&mut transaction, user_id).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }
}

async fn revoke_token(
    transaction: &mut Transaction,
    token_id: &TokenId,
    expires_at: i64,
) -> Result<(), Error> {
    let number = next_number(transaction).await?;
    let insert = Query::new(
        "INSERT INTO revocations (number, jti, exp) VALUES ($1, $2, $3) ON CONFLICT (jti) DO UPDATE
         SET number = excluded.number, exp = excluded.exp WHERE revocations.exp < excluded.exp",
    );
    let exp = expires_at.saturating_add(LEEWAY_SECONDS);
    transaction.execute(insert.bind(number).bind(token_id.as_str()).bind(exp)).await?;
    Ok(())
}

async fn revoke_user(transaction: &mut Transaction, user_id: &UserId) -> Result<(), Error> {
    let number = next_number(transaction).await?;
    // After the wait for the counter. `iat` has whole seconds: a token of this very second is one issued until now.
    let not_before = Timestamp::now().as_second() + 1;
    let update = Query::new(
        "UPDATE users SET tokens_not_before = CASE WHEN tokens_not_before < $1 THEN $1 ELSE tokens_not_before END
         WHERE user_id = $2 RETURNING tokens_not_before",
    );
    let row = transaction.fetch_optional(update.bind(not_before).bind(user_id.as_str())).await?;
    let not_before: i64 = row.ok_or(Error::NoSuchUser)?.get("tokens_not_before")?;
    let insert = Query::new(
        "INSERT INTO revocations (number, subject, not_before, exp) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject) DO UPDATE
         SET number = excluded.number, not_before = excluded.not_before, exp = excluded.exp",
    );
    let insert = insert.bind(number).bind(user_id.as_str()).bind(not_before);
    transaction.execute(insert.bind(not_before + AFTERLIFE_SECONDS)).await?;
    Ok(())
}

/// The number of an entry that this transaction adds, and a little clearing away. First in the transaction: from here
/// to the commit all others wait.
async fn next_number(transaction: &mut Transaction) -> Result<i64, Error> {
    let query = Query::new("UPDATE revocation_counter SET newest = newest + 1 WHERE id = 1 RETURNING newest");
    let row = transaction.fetch_optional(query).await?.ok_or(Error::Corrupt("no revocation counter"))?;
    let purge = Query::new(
        "DELETE FROM revocations WHERE number IN
         (SELECT number FROM revocations WHERE exp <= $1 ORDER BY exp LIMIT $2)",
    );
    transaction.execute(purge.bind(Timestamp::now().as_second()).bind(PURGE_LIMIT)).await?;
    Ok(row.get("newest")?)
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let exp = row.get("exp")?;
    if let Some(jti) = row.get("jti")? {
        return Ok(Entry::Token { jti, exp });
    }
    Ok(Entry::Subject { sub: row.get("subject")?, not_before: row.get("not_before")?, exp })
}
