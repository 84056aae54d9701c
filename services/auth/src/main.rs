//! auth-service: users, tokens and keys.

use std::process::ExitCode;

use auth::config::Config;
use auth::store::MIGRATIONS;
use auth::{PORT, State, keys, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let start = async |config: &Config| start(config).await;
    let parts = |state: State| {
        tokio::spawn(keys::keep(state.clone()));
        (state.store.0.clone(), router(state))
    };
    kit::server::main(PORT, &MIGRATIONS, start, parts).await
}
