//! Servers in this process: of documents that filters fetch, or of the requests behind them.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The name of its cluster in every Envoy.
pub const CLUSTER: &str = "bench-origin";

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Origin {
    /// Serves on a free port of the loopback address.
    pub async fn start(router: Router) -> Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cluster by which an Envoy reaches it.
    pub fn cluster(&self) -> Value {
        tests::envoy::cluster(CLUSTER, self.address)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}
