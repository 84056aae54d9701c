//! The payment service: charges payers once and gives back once, whatever is repeated, and keeps a double-entry ledger.

pub mod config;
pub mod domain;
pub mod error;
mod routes;
mod standing;
pub mod store;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use kit::Database;
use kit::amounts::Rules;

use crate::config::Config;
use crate::error::Error;
use crate::standing::Auth;
use crate::store::{MIGRATIONS, Store};

/// The port in the cluster.
pub const PORT: u16 = 3002;

/// The very rules that the sidecar's amount filter has.
pub const AMOUNT_RULE: &[u8] = include_bytes!("amount-rule.json");

/// What the routes work with.
#[derive(Clone)]
pub struct State {
    /// Payments, ledger and keys.
    pub store: Store,
    auth: Auth,
    rules: Rules,
}

impl FromRef<State> for Rules {
    fn from_ref(state: &State) -> Self {
        state.rules.clone()
    }
}

/// Opens the store.
pub async fn start(config: &Config) -> Result<State, Error> {
    let store = Store(Database::open(&config.common, &MIGRATIONS).await?);
    let rules = Rules::new(AMOUNT_RULE).map_err(Error::Config)?;
    Ok(State { store, auth: Auth::new(config.auth_url.clone())?, rules })
}

/// All routes of the service.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/payment", post(routes::create))
        .route("/payment/{payment_id}", get(routes::read))
        .route("/payment/{payment_id}/refunds", post(routes::refund))
        .with_state(state)
}
