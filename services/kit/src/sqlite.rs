//! The SQLite store's settings: one writer, many readers, nothing acknowledged before it is on the disk.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::fs::OpenOptions;

/// How long a writer waits for the other replica's transaction.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// The statement that starts every writing transaction: a deferred one that reads first would fail with
/// `SQLITE_BUSY_SNAPSHOT` when the other replica has written since, whatever the busy limit.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// The pools of one database file, which several processes may share.
#[derive(Debug, Clone)]
pub struct Sqlite {
    /// The one connection that writes.
    pub writer: SqlitePool,
    /// Connections that only read.
    pub reader: SqlitePool,
}

impl Sqlite {
    /// Opens (or creates) the file of a `sqlite://` address and brings its tables up to date.
    pub async fn open(url: &str, migrations: &Migrator) -> Result<Self, sqlx::Error> {
        if !url.starts_with("sqlite:///") {
            return Err(sqlx::Error::Configuration("DATABASE_URL must be sqlite:///absolute/path.db".into()));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_LIMIT);
        create_private(options.get_filename()).await?;
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrate(&writer, migrations).await?;
        let reader =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, reader })
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1").execute(&self.reader).await.map(|_| ())
    }
}

/// The file holds password hashes and keys: its owner's alone. SQLite gives the files beside it the same mode.
async fn create_private(path: &Path) -> Result<(), sqlx::Error> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).await?;
    Ok(())
}

/// Two replicas may start at once on an empty file. SQLite has no lock that spans a whole migration run, so the one
/// that comes second can find a table made under its hands: it looks again, and then finds nothing left to do.
async fn migrate(writer: &SqlitePool, migrations: &Migrator) -> Result<(), sqlx::Error> {
    const TRIES: u32 = 5;
    let mut tries = 0;
    loop {
        tries += 1;
        match migrations.run(writer).await {
            Err(problem) if tries == TRIES => return Err(problem.into()),
            Err(problem) => {
                tracing::info!(%problem, "migration tried again");
                tokio::time::sleep(Duration::from_millis(100) * tries).await;
            }
            Ok(()) => return Ok(()),
        }
    }
}
