//! The settings of PostgreSQL, or of a database that speaks its protocol (`CockroachDB`, `YugabyteDB`).

use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateDatabase as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool, Postgres};
use tokio::time::{Instant, sleep};

use super::Migrate;

/// How long a request waits for a free connection, or for a database that is away.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long a service that starts waits for its database.
const START_LIMIT: Duration = Duration::from_mins(1);
const START_PAUSE: Duration = Duration::from_secs(1);

// SQLSTATE codes, PostgreSQL's appendix A.
const STARTING: &str = "57P03";
const NO_DATABASE: &str = "3D000";
const DATABASE_EXISTS: &str = "42P04";

/// Opens a pool, and waits for a server that is not there yet: pods and their database often start together. Where
/// tables may be made, a database that does not exist is made too.
pub(super) async fn open(url: &str, connections: u32, migrate: Migrate) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|problem| sqlx::Error::Configuration(format!("DATABASE_URL: {problem}").into()))?;
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_LIMIT);
    let deadline = Instant::now() + START_LIMIT;
    loop {
        // One connection first: a pool would tell of the time that it waited, not of the reason.
        match options.connect().await {
            Err(problem) if is_away(&problem) && Instant::now() < deadline => {
                tracing::warn!(%problem, "the database gives no answer yet");
                sleep(START_PAUSE).await;
            }
            Err(problem) if has_code(&problem, NO_DATABASE) && migrate != Migrate::Never => {
                match Postgres::create_database(url).await {
                    // Another replica was first.
                    Err(problem) if !has_code(&problem, DATABASE_EXISTS) && !is_conflict(&problem) => {
                        return Err(problem);
                    }
                    _ => tracing::info!("the database was made"),
                }
            }
            Err(problem) => return Err(problem),
            Ok(_) => return pool.connect_with(options).await,
        }
    }
}

/// Whether waiting may help: a wrong password or certificate is no reason to wait.
fn is_away(problem: &sqlx::Error) -> bool {
    match problem {
        sqlx::Error::Io(problem) => problem.kind() != ErrorKind::InvalidData,
        sqlx::Error::PoolTimedOut => true,
        _ => has_code(problem, STARTING),
    }
}

/// Whether the transaction lost against another one and would succeed when done again: serialisation failure,
/// deadlock, or a row that another one inserted first.
pub(super) fn is_conflict(problem: &sqlx::Error) -> bool {
    ["40001", "40P01", "23505"].iter().any(|code| has_code(problem, code))
}

fn has_code(problem: &sqlx::Error, code: &str) -> bool {
    let found = problem.as_database_error().and_then(sqlx::error::DatabaseError::code);
    found.is_some_and(|found| found == code)
}
