//! order-service: takes orders and has them paid.

use std::process::ExitCode;

use order::config::Config;
use order::store::MIGRATIONS;
use order::{PORT, State, router, start};

#[tokio::main]
async fn main() -> ExitCode {
    let start = async |config: &Config| start(config).await;
    let parts = |state: State| (state.store.0.clone(), router(state));
    kit::server::main(PORT, &MIGRATIONS, start, parts).await
}
