//! Argon2id, off the async threads and never too many at once: each takes 19 MiB.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::domain::Password;
use crate::error::Error;

const AT_ONCE: usize = 4;

/// Hashes and verifies.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified in place of an unknown user's, so that both take the same time.
    dummy: Arc<str>,
}

impl Passwords {
    pub(crate) async fn new() -> Result<Self, Error> {
        let unhashed = Self { permits: Arc::new(Semaphore::new(AT_ONCE)), dummy: "".into() };
        let nobody: Password = uuid::Uuid::now_v7().to_string().parse()?;
        let dummy = unhashed.hash(nobody).await?.into();
        Ok(Self { dummy, ..unhashed })
    }

    /// The PHC string of a password: argon2id, 19 MiB, t=2, p=1 (the library's and OWASP's default).
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Error> {
        self.off_thread(move || {
            let hash = Argon2::default().hash_password(password.0.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|problem| Error::Crypto(problem.to_string()))
        })
        .await
    }

    /// Whether the password is this hash's; without one (an unknown user) no, after the same work.
    pub(crate) async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let right = self
            .off_thread(move || {
                let parsed =
                    PasswordHash::new(&hash).map_err(|_| Error::Corrupt("a password hash that is none"))?;
                Ok(Argon2::default().verify_password(password.0.expose_secret().as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(right && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let crypto = |problem: &dyn std::fmt::Display| Error::Crypto(problem.to_string());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|problem| crypto(&problem))?;
        // The permit goes with the work, which runs on when the client has gone and this future is dropped.
        let work = move || {
            let _permit = permit;
            work()
        };
        spawn_blocking(work).await.map_err(|problem| crypto(&problem))?
    }
}
