//! The auth service: register, log in, publish keys and revocations, tell a payer's standing.

pub mod config;
pub mod domain;
pub mod error;
pub mod keys;
mod password;
mod routes;
pub mod store;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use jiff::Timestamp;
use kit::Database;

use crate::config::Config;
use crate::domain::{Password, UserId};
use crate::error::Error;
use crate::password::Passwords;
use crate::store::{MIGRATIONS, NewUser, Store};
use crate::token::Issuer;

/// The port in the cluster.
pub const PORT: u16 = 3001;

/// The administrator's user id.
pub const ADMIN: &str = "admin";

/// What the routes work with.
#[derive(Clone)]
pub struct State {
    /// Users, keys and revocations.
    pub store: Store,
    issuer: Arc<Issuer>,
    passwords: Passwords,
    key_lifetime_days: u16,
}

/// Opens the store, agrees on the signing keys with the other replicas, and makes sure of the administrator.
pub async fn start(config: &Config) -> Result<State, Error> {
    let store = Store(Database::open(&config.common, &MIGRATIONS).await?);
    store.ensure_first_key(&token::generate(Timestamp::now().as_second())).await?;
    keys::tend(&store, config.key_lifetime_days).await?;
    let issuer = Arc::new(Issuer::new(config));
    let passwords = Passwords::new().await?;
    let state = State { store, issuer, passwords, key_lifetime_days: config.key_lifetime_days };
    if let Some(file) = &config.admin_password_file {
        ensure_admin(&state, file).await?;
    }
    Ok(state)
}

async fn ensure_admin(state: &State, file: &std::path::Path) -> Result<(), Error> {
    let unusable =
        |problem: String| Error::Config(format!("FINPAY_ADMIN_PASSWORD_FILE: {}: {problem}", file.display()));
    let text = tokio::fs::read_to_string(file).await.map_err(|problem| unusable(problem.to_string()))?;
    let password: Password =
        text.trim_end_matches(['\r', '\n']).parse().map_err(|problem| unusable(format!("{problem}")))?;
    let user_id: UserId = ADMIN.parse()?;
    let scope = format!("{} users:admin", domain::USER_SCOPE);
    let found = state.store.credentials(&user_id).await?.filter(|found| found.scope == scope);
    // The other replica, or an earlier start, may have made it. A changed file changes the password.
    if state.passwords.verify(password.clone(), found.map(|found| found.password_hash)).await? {
        return Ok(());
    }
    let password_hash = state.passwords.hash(password).await?;
    state.store.put_credentials(NewUser { user_id, password_hash, scope }).await
}

/// All routes of the service.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/auth/register", post(routes::register))
        .route("/auth/login", post(routes::login))
        .route("/auth/users/{user_id}/standing", get(routes::standing).put(routes::set_standing))
        .route("/auth/users/{user_id}/tokens", delete(routes::revocations::revoke_user))
        .route("/auth/logout", post(routes::revocations::logout))
        .route("/auth/revocations", post(routes::revocations::revoke))
        .route("/auth/keys", post(routes::keys::add))
        .route("/.well-known/jwks.json", get(routes::keys::jwks))
        .route("/.well-known/openid-configuration", get(routes::keys::openid_configuration))
        .route("/.well-known/revocations", get(routes::revocations::feed))
        .with_state(state)
}
