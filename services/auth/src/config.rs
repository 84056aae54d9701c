//! What the auth service can be told.

use std::path::PathBuf;

use clap::Parser;
use kit::config::Common;

/// auth-service: users, tokens and keys.
#[derive(Debug, Clone, Parser)]
#[command(name = "auth-service", version)]
pub struct Config {
    /// What every service can be told.
    #[command(flatten)]
    pub common: Common,
    /// The tokens' `iss`.
    #[arg(long, env = "FINPAY_ISSUER", value_name = "FINPAY_ISSUER")]
    pub issuer: String,
    /// The tokens' `aud`.
    #[arg(long, env = "FINPAY_AUDIENCE", value_name = "FINPAY_AUDIENCE")]
    pub audience: String,
    /// The file that holds the administrator's password; without it no administrator is made.
    #[arg(long, env = "FINPAY_ADMIN_PASSWORD_FILE", value_name = "FINPAY_ADMIN_PASSWORD_FILE")]
    pub admin_password_file: Option<PathBuf>,
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
