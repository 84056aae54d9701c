//! The database behind every service's store: SQLite on one machine, PostgreSQL's protocol everywhere else. Both
//! get the same statements, which hold at READ COMMITTED already: what must be unique is claimed by
//! `INSERT … ON CONFLICT DO NOTHING`, what must not have changed is guarded in the `UPDATE`.

mod migrate;
mod postgres;
mod sql;
mod sqlite;

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;

pub use self::migrate::{Migrate, Migrations};
pub use self::sql::{Query, Row};
use self::sqlite::Sqlite;
use crate::config::Common;

/// How often a transaction that lost against another one is done again.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(5);

/// A service's database; clones are the same.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file that processes of one machine share.
    Sqlite(Sqlite),
    /// A server.
    Postgres(PgPool),
}

/// A transaction that writes: SQLite's has the write lock, PostgreSQL's the database's default isolation.
pub struct Transaction {
    inner: Inner,
    /// A statement lost against another transaction.
    conflict: bool,
}

enum Inner {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Database {
    /// Opens the database that `DATABASE_URL` names, its tables as `FINPAY_MIGRATE` says.
    pub async fn open(settings: &Common, migrations: &Migrations) -> Result<Self, sqlx::Error> {
        let url = settings.database_url.expose_secret();
        let database = match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("sqlite") => Self::Sqlite(Sqlite::open(url).await?),
            Some("postgres" | "postgresql") => {
                Self::Postgres(postgres::open(url, settings.database_connections, settings.migrate).await?)
            }
            _ => {
                let text = "DATABASE_URL must be postgres://USER@HOST/DATABASE or sqlite:///absolute/path.db";
                return Err(sqlx::Error::Configuration(text.into()));
            }
        };
        migrations.bring(&database, settings.migrate).await?;
        Ok(database)
    }

    /// Whether it answers.
    pub async fn ready(&self) -> Result<(), sqlx::Error> {
        self.fetch_optional(Query::new("SELECT 1 AS one")).await.map(|_| ())
    }

    /// Reads at most one row.
    pub async fn fetch_optional(&self, query: Query) -> Result<Option<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(sqlite) => query.fetch_sqlite(&sqlite.reader).await,
            Self::Postgres(pool) => query.fetch_postgres(pool).await,
        }
    }

    /// Reads every row: the statement says how many there can be.
    pub async fn fetch_all(&self, query: Query) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(sqlite) => query.fetch_all_sqlite(&sqlite.reader).await,
            Self::Postgres(pool) => query.fetch_all_postgres(pool).await,
        }
    }

    /// Writes one statement; the number of rows that it changed.
    pub async fn execute(&self, query: Query) -> Result<u64, sqlx::Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.begin().await?;
            let outcome = transaction.execute(query.clone()).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }

    /// Writes one statement with RETURNING; at most one row.
    pub async fn write_returning(&self, query: Query) -> Result<Option<Row>, sqlx::Error> {
        let mut tries = Tries::default();
        loop {
            let mut transaction = self.begin().await?;
            let outcome = transaction.fetch_optional(query.clone()).await;
            if let Some(outcome) = transaction.end(outcome, &mut tries).await {
                return outcome;
            }
        }
    }

    /// Begins a transaction that writes; see [`Transaction::end`].
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let inner = match self {
            Self::Sqlite(sqlite) => Inner::Sqlite(sqlite.writer.begin_with(sqlite::BEGIN).await?),
            Self::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Transaction { inner, conflict: false })
    }
}

/// How often a piece of work was tried.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Transaction {
    /// Reads, or writes with RETURNING, at most one row.
    pub async fn fetch_optional(&mut self, query: Query) -> Result<Option<Row>, sqlx::Error> {
        let outcome = match &mut self.inner {
            Inner::Sqlite(transaction) => query.fetch_sqlite(&mut **transaction).await,
            Inner::Postgres(transaction) => query.fetch_postgres(&mut **transaction).await,
        };
        self.watched(outcome)
    }

    /// Writes; the number of rows that it changed.
    pub async fn execute(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        let outcome = match &mut self.inner {
            Inner::Sqlite(transaction) => query.execute_sqlite(&mut **transaction).await,
            Inner::Postgres(transaction) => query.execute_postgres(&mut **transaction).await,
        };
        self.watched(outcome)
    }

    fn watched<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.conflict |= outcome.as_ref().is_err_and(postgres::is_conflict);
        outcome
    }

    /// Commits what succeeded, rolls back what failed. `None` when it lost against another transaction: the work is
    /// to be done again from its start, in a new transaction.
    pub async fn end<T, E: From<sqlx::Error>>(
        mut self,
        outcome: Result<T, E>,
        tries: &mut Tries,
    ) -> Option<Result<T, E>> {
        let outcome = match outcome {
            Ok(value) => {
                let committed = match self.inner {
                    Inner::Sqlite(transaction) => transaction.commit().await,
                    Inner::Postgres(transaction) => transaction.commit().await,
                };
                self.conflict |= committed.as_ref().is_err_and(postgres::is_conflict);
                committed.map(|()| value).map_err(E::from)
            }
            Err(problem) => Err(problem),
        };
        tries.0 += 1;
        if outcome.is_ok() || !self.conflict || tries.0 == TRIES {
            return Some(outcome);
        }
        tokio::time::sleep(PAUSE * tries.0).await;
        None
    }
}
