//! auth-service: users, tokens and keys.

use std::process::ExitCode;
use std::sync::Arc;

use auth::config::Config;
use auth::{PORT, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = kit::config::read();
    if let Err(problem) = kit::telemetry::start(&config.common.log) {
        eprintln!("auth-service: {problem}");
        return ExitCode::from(kit::config::EX_USAGE);
    }
    match start(&config).await {
        Ok(state) => {
            let store = Arc::new(kit::server::StoreReady(Arc::clone(&state.store)));
            kit::server::run(&config.common, PORT, router(state), store).await
        }
        Err(problem) => {
            tracing::error!(%problem, "auth-service cannot start");
            if problem.is_usage() { ExitCode::from(kit::config::EX_USAGE) } else { ExitCode::FAILURE }
        }
    }
}
