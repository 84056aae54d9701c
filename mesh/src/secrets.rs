//! Passwords of the mesh's own users and of its database, kept readable by the owner only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::place::write_atomically;

/// The user of the seed system's order.
pub const DEMO_USER: &str = "user123";
/// The user with the scope `users:admin`.
pub const ADMIN: &str = "admin";

/// A user with the password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Credentials {
    /// The user's id.
    pub user_id: String,
    /// The password.
    pub password: String,
}

/// The folder of all of them.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("secrets")
}

/// The file with the administrator's password; auth reads it at its start.
pub fn admin_password_file(state_dir: &Path) -> PathBuf {
    folder(state_dir).join("admin-password")
}

/// Where a user's credentials are.
pub fn file(state_dir: &Path, user: &str) -> PathBuf {
    let name = if user == DEMO_USER { "demo-user.json".to_owned() } else { format!("user-{user}.json") };
    folder(state_dir).join(name)
}

/// Makes the administrator's password at the first start.
pub fn ensure_admin_password(state_dir: &Path) -> Result<()> {
    let file = admin_password_file(state_dir);
    if file.exists() { Ok(()) } else { write_atomically(&file, random_password().as_bytes(), 0o600) }
}

/// Keeps the address of the mesh's PostgreSQL server, which may hold a password; without one forgets the last.
pub fn keep_database_server(state_dir: &Path, server: Option<&Url>) -> Result<()> {
    let file = database_server_file(state_dir);
    match server {
        Some(url) => write_atomically(&file, url.as_str().as_bytes(), 0o600),
        None if file.exists() => {
            fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))
        }
        None => Ok(()),
    }
}

/// The address of the mesh's PostgreSQL server, or `None` where SQLite keeps the data.
pub fn database_server(state_dir: &Path) -> Result<Option<Url>> {
    let file = database_server_file(state_dir);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{} is damaged", file.display()))?)),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(problem).with_context(|| format!("{} cannot be read", file.display())),
    }
}

fn database_server_file(state_dir: &Path) -> PathBuf {
    folder(state_dir).join("database-server")
}

/// A user's credentials, made when there are none.
pub fn credentials(state_dir: &Path, user: &str) -> Result<Credentials> {
    if user == ADMIN {
        let file = admin_password_file(state_dir);
        let password =
            fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        return Ok(Credentials { user_id: user.to_owned(), password: password.trim().to_owned() });
    }
    let file = file(state_dir, user);
    if let Ok(text) = fs::read_to_string(&file) {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged, remove it", file.display()));
    }
    let made = Credentials { user_id: user.to_owned(), password: random_password() };
    write_atomically(&file, &serde_json::to_vec(&made)?, 0o600)?;
    Ok(made)
}

/// 122 random bits from the system's generator.
fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn passwords_are_made_once_and_only_the_owner_reads_them() -> Result<()> {
        let folder = tempfile::tempdir()?;
        ensure_admin_password(folder.path())?;
        for user in [ADMIN, DEMO_USER, "somebody"] {
            let first = credentials(folder.path(), user)?;
            assert_eq!(first.password, credentials(folder.path(), user)?.password);
            assert!(first.password.len() >= 32);
        }
        for entry in fs::read_dir(folder.path().join("secrets"))? {
            assert_eq!(entry?.metadata()?.permissions().mode() & 0o777, 0o600);
        }
        Ok(())
    }
}
