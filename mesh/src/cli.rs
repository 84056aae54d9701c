//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reqwest::Url;

use crate::images::Images;

/// FinPay on one machine: real Envoy sidecars, mutual TLS, the two filters, no Kubernetes.
///
/// 'cargo mesh up' builds everything, starts it and places one order. All other commands work on the running
/// mesh. Every command exits with 0 when it did what it says, with 1 and one line on standard error when it did
/// not, and with 2 when the command line is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "cargo mesh",
    bin_name = "cargo mesh",
    version,
    arg_required_else_help = true,
    max_term_width = 110
)]
pub struct Cli {
    /// Which mesh.
    #[command(flatten)]
    pub at: At,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Names one of several meshes.
#[derive(Debug, Clone, Args)]
pub struct At {
    /// The mesh's name; every name but default gets free ports
    #[arg(long, global = true, default_value = "default", env = "FINPAY_MESH")]
    pub name: String,
    /// The folder of its data, logs, certificates and Envoy files [default: target/mesh/NAME]
    #[arg(long, global = true)]
    pub state_dir: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build all, start the mesh and place one order; on a running mesh only print where it is
    Up(Up),
    /// Stop the mesh, the gateway first; data stay for the next up
    Down {
        /// Delete the data too, and the users' passwords with them: the next up begins anew
        #[arg(long)]
        purge: bool,
    },
    /// List the processes: health, ports, memory, restarts, and which Envoys have ejected one
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a process's log (all of them without a name)
    Logs {
        /// A process as in status, mesh for the supervisor, or how names begin
        process: Option<String>,
        /// Go on with what is written from now on
        #[arg(short, long)]
        follow: bool,
    },
    /// Drain, stop and start again, one replica at a time
    ///
    /// No request to a service fails. There is one gateway: its restart is seen by its clients.
    Restart {
        /// order-service (both replicas), order-service-0, gateway or prometheus
        process: String,
    },
    /// Change the running mesh: replace documents of its manifests by those in a file
    ///
    /// The documents keep kind and name (a WasmPlugin named jwt replaces that of the mesh). The result is
    /// checked by Envoy itself (--mode validate), written by atomic rename, and the command ends when every Envoy has
    /// taken it. What an Envoy refuses is taken back. The next up starts from k8s/base again.
    Apply {
        /// YAML with one or more documents
        #[arg(short, long)]
        file: PathBuf,
    },
    /// Print the Envoy configuration that the manifests give
    Config {
        /// gateway, or the replica whose sidecar it is (order-service-0)
        process: String,
    },
    /// Print an access token, for curl -H "authorization: Bearer $(cargo mesh token)"
    Token {
        /// The demo user by default; admin has the scope users:admin; any other name is registered when new
        user: Option<String>,
    },
    /// Place an order as the demo user
    Order {
        /// A JSON body, - for standard input [default: one item456 at 1.00 USD]
        file: Option<PathBuf>,
    },
    /// Place many orders and print rates and times beside the seed system's
    Load(Load),
    /// Measure the filters beside Envoy's own
    #[command(disable_help_flag = true)]
    Bench {
        /// See cargo mesh bench --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Run all tests: a mesh of its own is started for the end-to-end ones, and taken down whatever happens
    Test {
        /// Passed on to cargo test, after --
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Say what this machine has, what is missing, and the command that mends it
    Doctor,
    /// Make the container images of the services and filters, as archives, without Docker
    ///
    /// The same sources give the same digests. `ctr images import`, skopeo and `docker load` read the archives.
    Images(Images),
    /// Push the images to a registry, and pin the manifests to their digests
    #[command(disable_help_flag = true)]
    Push {
        /// See cargo mesh push --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Runs the processes of a prepared mesh
    #[command(hide = true)]
    Supervise,
    /// Runs a command that ends with its parent
    #[command(hide = true)]
    ExecChild {
        /// The process that must live
        #[arg(long)]
        parent: i32,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
}

/// `up`.
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// Stay in the foreground; Ctrl-C stops the mesh, and nothing outlives this process, however it ends
    #[arg(long)]
    pub foreground: bool,
    /// The gateway's first port
    #[arg(long, default_value_t = 8080, conflicts_with = "free_ports")]
    pub gateway_port: u16,
    /// Take free ports instead of 8080 and 3001 to 3003
    #[arg(long)]
    pub free_ports: bool,
    /// Worker threads per Envoy
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub concurrency: u32,
    /// The gateway's address; the default is reached from this machine only
    #[arg(long, default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Trust what is built already
    #[arg(long)]
    pub no_build: bool,
    /// Keep the data in a PostgreSQL server, postgres://USER:PASSWORD@HOST:PORT[/PREFIX] [default: SQLite files]
    ///
    /// Each service makes a database of its own there: PREFIX_auth, PREFIX_payment, PREFIX_order. PREFIX is the mesh's
    /// name unless given.
    #[arg(long, env = "FINPAY_DATABASE", hide_env_values = true, value_name = "URL", value_parser = database)]
    pub database: Option<Url>,
}

fn database(text: &str) -> Result<Url, String> {
    let example = "a URL such as postgres://finpay:PASSWORD@localhost:5432";
    let url: Url = text.parse().map_err(|problem| format!("{problem}: {example}"))?;
    let prefix = url.path().trim_start_matches('/');
    let plain = prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !matches!(url.scheme(), "postgres" | "postgresql") || !url.has_host() || !plain {
        return Err(format!("not {example}, with a prefix of a-z, 0-9 and _ as its path or none"));
    }
    Ok(url)
}

/// `load`.
#[derive(Debug, Clone, Args)]
pub struct Load {
    /// Orders in all [default: 50, or what --duration gives]
    #[arg(long)]
    pub orders: Option<u64>,
    /// Orders per second
    #[arg(long, default_value_t = 2.0)]
    pub rate: f64,
    /// Seconds
    #[arg(long, conflicts_with = "orders")]
    pub duration: Option<u64>,
    /// Orders under way at once, at most
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: u32,
}
