//! What the order service can be told.

use clap::Parser;
use kit::config::Common;
use reqwest::Url;

/// order-service: takes orders and has them paid.
#[derive(Debug, Clone, Parser)]
#[command(name = "order-service", version)]
pub struct Config {
    /// What every service can be told.
    #[command(flatten)]
    pub common: Common,
    /// The payment service.
    #[arg(long, env = "PAYMENT_URL", default_value = "http://payment-service.finpay.svc.cluster.local:3002")]
    pub payment_url: Url,
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
