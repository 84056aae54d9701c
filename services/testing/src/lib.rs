//! A database of a test's own, of either kind, so that one suite says what holds on both.

use std::env;

use tempfile::TempDir;
use uuid::Uuid;

/// The kinds of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A server's, which `FINPAY_POSTGRES` names (`postgres://USER@HOST:PORT`).
    Postgres,
}

/// An address under which there is no database yet: the service that gets it makes one.
#[derive(Debug)]
pub struct Database {
    /// For `DATABASE_URL`.
    pub url: String,
    _folder: Option<TempDir>,
}

impl Database {
    /// A new one, or `None` (with a word) where there is no server for it.
    pub fn new(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Sqlite => {
                let folder = TempDir::new().ok()?;
                let url = format!("sqlite://{}/test.db", folder.path().display());
                Some(Self { url, _folder: Some(folder) })
            }
            Kind::Postgres => {
                let Ok(server) = env::var("FINPAY_POSTGRES") else {
                    eprintln!("skipped: FINPAY_POSTGRES is not set; `cargo mesh test` sets it");
                    return None;
                };
                let url = format!("{}/test_{}", server.trim_end_matches('/'), Uuid::now_v7().simple());
                Some(Self { url, _folder: None })
            }
        }
    }
}
