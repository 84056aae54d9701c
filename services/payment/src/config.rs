//! What the payment service can be told.

use clap::Parser;
use kit::config::Common;
use reqwest::Url;

/// payment-service: charges payers and keeps the ledger.
#[derive(Debug, Clone, Parser)]
#[command(name = "payment-service", version)]
pub struct Config {
    /// What every service can be told.
    #[command(flatten)]
    pub common: Common,
    /// The auth service.
    #[arg(long, env = "AUTH_URL", default_value = "http://auth-service.finpay.svc.cluster.local:3001")]
    pub auth_url: Url,
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
