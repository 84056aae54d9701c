//! The signing keys: in the store, so that all replicas publish and use the same ones.

use jiff::Timestamp;
use kit::store::{Query, Row, Transaction, Tries};

use super::Store;
use crate::error::Error;
use crate::token::AFTERLIFE_SECONDS;

/// The most keys at once, well below the 100 that a filter reads.
const KEYS_LIMIT: i64 = 16;

/// An ES256 key.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id in the key set.
    pub kid: String,
    /// The 32 bytes of the private scalar.
    pub private_key: Vec<u8>,
    /// The time, in seconds since 1970, from which it signs, until a later key's time comes.
    pub signs_from: i64,
}

impl Store {
    /// All keys, in the order in which they sign. Some may be past their time: each
    /// [`Store::add_key`] drops those, and there is one an hour.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        // The limit that was checked when they were added, and one more of a replica of the version before.
        let query = Query::new(
            "SELECT kid, private_key, signs_from FROM signing_keys ORDER BY signs_from, generation LIMIT $1",
        );
        let rows = self.0.fetch_all(query.bind(KEYS_LIMIT + 1)).await?;
        rows.iter().map(key).collect()
    }

    /// Makes `candidate` the first key of a store that has none.
    pub async fn ensure_first_key(&self, candidate: &SigningKey) -> Result<(), Error> {
        if !self.signing_keys().await?.is_empty() {
            return Ok(());
        }
        // One row alone can be the first generation, so of two replicas that start at once one is first.
        let insert = Query::new(
            "INSERT INTO signing_keys (kid, private_key, signs_from, created_at, generation, in_use)
             VALUES ($1, $2, $3, $4, 1, 1) ON CONFLICT DO NOTHING",
        );
        self.0.execute(bind_key(insert, candidate)).await?;
        Ok(())
    }

    /// Adds a key and drops those whose tokens are all past, unless the newest key's time is later than
    /// `newest_at_most`: another replica may have added the next key already. Whether it was added;
    /// [`Error::TooManyKeys`].
    pub async fn add_key(&self, next: &SigningKey, newest_at_most: i64) -> Result<bool, Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.0.begin().await?;
            let outcome = add(&mut transaction, next, newest_at_most).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }
}

async fn add(transaction: &mut Transaction, next: &SigningKey, newest_at_most: i64) -> Result<bool, Error> {
    let retire = Query::new(
        "DELETE FROM signing_keys WHERE EXISTS (
             SELECT 1 FROM signing_keys AS later WHERE later.signs_from <= $1
             AND (later.signs_from, later.generation) > (signing_keys.signs_from, signing_keys.generation))",
    );
    transaction.execute(retire.bind(Timestamp::now().as_second() - AFTERLIFE_SECONDS)).await?;
    let query = Query::new(
        "SELECT COUNT(*) AS keys, COALESCE(MAX(generation), 0) AS generation,
         COALESCE(MAX(signs_from), 0) AS signs_from FROM signing_keys",
    );
    let row = transaction.fetch_optional(query).await?.ok_or(Error::Corrupt("no count of keys"))?;
    let (keys, generation, newest): (i64, i64, i64) =
        (row.get("keys")?, row.get("generation")?, row.get("signs_from")?);
    if newest > newest_at_most {
        return Ok(false);
    }
    if keys >= KEYS_LIMIT {
        return Err(Error::TooManyKeys);
    }
    // The generation is unique: who comes second begins again, and then finds the other one's key.
    let insert = Query::new(
        "INSERT INTO signing_keys (kid, private_key, signs_from, created_at, generation)
         VALUES ($1, $2, $3, $4, $5)",
    );
    transaction.execute(bind_key(insert, next).bind(generation + 1)).await?;
    Ok(true)
}

fn bind_key(query: Query, key: &SigningKey) -> Query {
    query
        .bind(&key.kid)
        .bind(key.private_key.as_slice())
        .bind(key.signs_from)
        .bind(Timestamp::now().as_second())
}

fn key(row: &Row) -> Result<SigningKey, Error> {
    Ok(SigningKey {
        kid: row.get("kid")?,
        private_key: row.get("private_key")?,
        signs_from: row.get("signs_from")?,
    })
}
