//! Configuration by environment, read once, by one typed reader.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::str::FromStr;

use clap::{Args, Parser};
use secrecy::SecretString;

use crate::store::Migrate;

/// `EX_USAGE` of sysexits.h: the configuration cannot be used.
pub const EX_USAGE: u8 = 64;

const MIGRATE: &str = "FINPAY_MIGRATE";

/// What every service can be told. Each value is named like its variable, so that clap's errors name it.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Where to listen: `unix:/path/to.sock`, or an address and port.
    #[arg(long, env = "FINPAY_LISTEN", value_name = "FINPAY_LISTEN")]
    pub listen: Option<Listen>,
    /// The database: `postgres://USER@HOST/DATABASE`, or `sqlite:///absolute/path.db` for one machine.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The most connections to a PostgreSQL database.
    #[arg(
        long,
        env = "FINPAY_DATABASE_CONNECTIONS",
        value_name = "FINPAY_DATABASE_CONNECTIONS",
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub database_connections: u32,
    /// Whether to bring the tables up to date.
    #[arg(long, env = MIGRATE, value_name = "FINPAY_MIGRATE", value_enum, default_value_t = Migrate::Auto)]
    pub migrate: Migrate,
    /// The log filter, as tracing's `EnvFilter` reads it.
    #[arg(long, env = "FINPAY_LOG", value_name = "FINPAY_LOG", default_value = "info")]
    pub log: String,
    /// Seconds that running requests have to end after SIGTERM.
    #[arg(long, env = "FINPAY_DRAIN_SECONDS", value_name = "FINPAY_DRAIN_SECONDS", default_value_t = 10)]
    pub drain_seconds: u64,
}

/// A listening address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket, for a sidecar on the same machine.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err("the socket's path must be absolute, as in unix:/run/order.sock".to_owned()),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| "neither unix:/path nor ADDRESS:PORT, as in 0.0.0.0:3003".to_owned()),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// What a service needs that only brings its tables up to date.
#[derive(Debug, Parser)]
pub struct MigrateOnly {
    /// What every service can be told.
    #[command(flatten)]
    pub common: Common,
}

/// The configuration of a service that is to bring its tables up to date and nothing else: the container that does
/// it knows nothing of the service's other settings.
pub fn migrate_only() -> Option<MigrateOnly> {
    let asked = std::env::var(MIGRATE).is_ok_and(|value| value == "only");
    asked.then(read)
}

/// Reads the configuration, or ends the process: with 0 after `--help`, with 64 (sysexits' `EX_USAGE`) and the
/// variable's name after anything unusable.
pub fn read<C: Parser>() -> C {
    C::try_parse().unwrap_or_else(|problem| {
        let usable = !problem.use_stderr();
        // Nothing is left to tell when even this cannot be written.
        let _ = problem.print();
        process::exit(if usable { 0 } else { EX_USAGE.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds_of_address_and_refuses_the_rest() {
        assert_eq!("unix:/run/a.sock".parse(), Ok(Listen::Unix("/run/a.sock".into())));
        assert_eq!("0.0.0.0:3003".parse(), Ok(Listen::Tcp(([0, 0, 0, 0], 3003).into())));
        for wrong in ["unix:a.sock", "3003", "localhost", ""] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
