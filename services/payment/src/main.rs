//! payment-service: charges payers and keeps the ledger.

use std::process::ExitCode;

use payment::config::Config;
use payment::store::MIGRATIONS;
use payment::{PORT, State, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let start = async |config: &Config| start(config).await;
    let parts = |state: State| (state.store.0.clone(), router(state));
    kit::server::main(PORT, &MIGRATIONS, start, parts).await
}
