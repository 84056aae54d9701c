//! The order service: takes an order, has it paid once, whatever is repeated or breaks in between.

pub mod config;
pub mod domain;
pub mod error;
mod payment;
mod routes;
pub mod store;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use kit::Database;
use kit::amounts::Rules;

use crate::config::Config;
use crate::error::Error;
use crate::payment::Payments;
use crate::store::{MIGRATIONS, Store};

/// The port in the cluster.
pub const PORT: u16 = 3003;

/// The very rule that the sidecar's amount filter has.
pub const AMOUNT_RULE: &[u8] = include_bytes!("amount-rule.json");

/// What the routes work with.
#[derive(Clone)]
pub struct State {
    /// Orders.
    pub store: Store,
    payments: Payments,
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
    Ok(State { store, payments: Payments::new(&config.payment_url)?, rules })
}

/// All routes of the service.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/order/create", post(routes::create))
        .route("/order/{order_id}", get(routes::read))
        .with_state(state)
}
