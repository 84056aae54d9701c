//! Brings tables up to date, also when several replicas start at once.

use std::time::Duration;

use clap::ValueEnum;
use sqlx::migrate::{MigrateError, Migrator};

use super::{Database, Query};

const TRIES: u32 = 5;

/// What `FINPAY_MIGRATE` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Migrate {
    /// Bring the tables up to date, then serve.
    Auto,
    /// Bring the tables up to date, then end: for an init container with a role that may change tables.
    Only,
    /// Serve; the tables must be up to date.
    Never,
}

/// The migrations of one service for both databases, with the same versions.
#[derive(Debug)]
pub struct Migrations {
    /// SQLite's.
    pub sqlite: Migrator,
    /// PostgreSQL's.
    pub postgres: Migrator,
}

impl Migrations {
    /// Brings the tables up to date, or checks that they are.
    pub(super) async fn bring(&self, database: &Database, migrate: Migrate) -> Result<(), sqlx::Error> {
        if migrate == Migrate::Never {
            return self.check(database).await;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.run(database).await {
                Ok(()) => return Ok(()),
                Err(MigrateError::VersionMismatch(version)) => {
                    let text = format!(
                        "the tables are of another build (its migration {version} differs), this one needs an empty database"
                    );
                    return Err(sqlx::Error::Configuration(text.into()));
                }
                Err(problem) if tries == TRIES => return Err(problem.into()),
                // Every migration is a transaction, but no lock spans the run: SQLite has none, and PostgreSQL's
                // advisory locks are missing in its relatives. A replica that comes second can find a table made
                // under its hands: it looks again, and then finds nothing left to do.
                Err(problem) => {
                    tracing::info!(%problem, "migration tried again");
                    tokio::time::sleep(Duration::from_millis(100) * tries).await;
                }
            }
        }
    }

    async fn run(&self, database: &Database) -> Result<(), MigrateError> {
        match database {
            Database::Sqlite(sqlite) => ours(&self.sqlite).run(&sqlite.writer).await,
            Database::Postgres(pool) => ours(&self.postgres).run(pool).await,
        }
    }

    async fn check(&self, database: &Database) -> Result<(), sqlx::Error> {
        let newest = self.postgres.iter().map(|migration| migration.version).max();
        let query = Query::new("SELECT MAX(version) AS version FROM _sqlx_migrations WHERE success = TRUE");
        let found: Option<i64> = match database.fetch_optional(query).await {
            Ok(Some(row)) => row.get("version")?,
            Ok(None) => None,
            Err(problem) => {
                tracing::error!(%problem, "the table of migrations cannot be read");
                None
            }
        };
        if found < newest {
            let text = "the tables are not up to date, run this version once with FINPAY_MIGRATE=only";
            return Err(sqlx::Error::Configuration(text.into()));
        }
        Ok(())
    }
}

/// During a rolling upgrade the old version meets tables of the new one: it does not mind.
fn ours(migrator: &Migrator) -> Migrator {
    let mut ours = Migrator { migrations: migrator.migrations.clone(), ..Migrator::DEFAULT };
    ours.set_ignore_missing(true).set_locking(false);
    ours
}
