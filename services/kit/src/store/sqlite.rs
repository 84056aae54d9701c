//! SQLite's settings: one writer, many readers, nothing acknowledged before it is on the disk.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::fs::OpenOptions;

/// How long a writer waits for the other replica's transaction.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;
/// `SQLITE_BUSY`
const BUSY: &str = "5";
const PAUSE_TO_OPEN: Duration = Duration::from_millis(20);
/// Set by the kubelet in every container.
const KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";

/// The statement that starts every writing transaction: a deferred one that reads first would fail with
/// `SQLITE_BUSY_SNAPSHOT` when the other replica has written since, whatever the busy limit.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// The pools of one database file, which several processes of one machine may share.
#[derive(Debug, Clone)]
pub struct Sqlite {
    /// The one connection that writes.
    pub(super) writer: SqlitePool,
    /// Connections that only read.
    pub(super) reader: SqlitePool,
}

impl Sqlite {
    /// Opens the file of a `sqlite://` address, or creates it.
    pub(super) async fn open(url: &str) -> Result<Self, sqlx::Error> {
        if std::env::var_os(KUBERNETES).is_some() {
            return Err(sqlx::Error::Configuration(
                "DATABASE_URL is sqlite://, and pods cannot share a file: give the service a postgres:// address"
                    .into(),
            ));
        }
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
        let writer = writer(&options).await?;
        // Opened at the first read, when the tables are there.
        let reader =
            SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options.read_only(true));
        Ok(Self { writer, reader })
    }
}

/// The connection that writes. Who first opens a new file makes it a write-ahead one, and SQLite tells whoever comes in
/// that very moment that it is busy, without waiting for the limit.
async fn writer(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await {
            Err(sqlx::Error::Database(problem))
                if tries < super::TRIES && problem.code().as_deref() == Some(BUSY) =>
            {
                tokio::time::sleep(PAUSE_TO_OPEN * tries).await;
            }
            outcome => return outcome,
        }
    }
}

/// The file holds password hashes and keys: its owner's alone. SQLite gives the files beside it the same mode.
async fn create_private(path: &Path) -> Result<(), sqlx::Error> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).await?;
    Ok(())
}
