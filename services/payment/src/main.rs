//! payment-service: charges payers and keeps the ledger.

use std::process::ExitCode;
use std::sync::Arc;

use payment::config::Config;
use payment::{PORT, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = kit::config::read();
    let parts = |state: payment::State| (Arc::clone(&state.store), router(state));
    kit::server::main(&config.common, PORT, start(&config), parts).await
}
