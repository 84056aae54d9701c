//! payment-service: charges payers and keeps the ledger.

use std::process::ExitCode;
use std::sync::Arc;

use payment::config::Config;
use payment::{PORT, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = kit::config::read();
    if let Err(problem) = kit::telemetry::start(&config.common.log) {
        eprintln!("payment-service: {problem}");
        return ExitCode::from(kit::config::EX_USAGE);
    }
    match start(&config).await {
        Ok(state) => {
            let store = Arc::new(kit::server::StoreReady(Arc::clone(&state.store)));
            kit::server::run(&config.common, PORT, router(state), store).await
        }
        Err(problem) => {
            tracing::error!(%problem, "payment-service cannot start");
            ExitCode::FAILURE
        }
    }
}
