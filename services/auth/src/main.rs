//! auth-service: users, tokens and keys.

use std::process::ExitCode;
use std::sync::Arc;

use auth::config::Config;
use auth::{PORT, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = kit::config::read();
    let parts = |state: auth::State| (Arc::clone(&state.store), router(state));
    kit::server::main(&config.common, PORT, start(&config), parts).await
}
