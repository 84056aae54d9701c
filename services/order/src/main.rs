//! order-service: takes orders and has them paid.

use std::process::ExitCode;
use std::sync::Arc;

use order::config::Config;
use order::{PORT, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let config: Config = kit::config::read();
    let parts = |state: order::State| (Arc::clone(&state.store), router(state));
    kit::server::main(&config.common, PORT, start(&config), parts).await
}
