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
    /// Days that a signing key is the newest before the next one is made; 0: none is made but on request.
    #[arg(
        long,
        env = "FINPAY_KEY_LIFETIME_DAYS",
        value_name = "FINPAY_KEY_LIFETIME_DAYS",
        default_value_t = 90,
        value_parser = clap::value_parser!(u16).range(..=3650)
    )]
    pub key_lifetime_days: u16,
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
