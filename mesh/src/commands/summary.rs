//! What `up` says at the end.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::client::Client;
use crate::console::line;
use crate::control::Control;
use crate::secrets::{self, DEMO_USER};
use crate::topology::Topology;

/// Addresses, the demo user, the order with its way, and what to try next.
pub async fn print(topology: &Topology, order: &Value, first_up: bool, took: Duration) -> Result<()> {
    let memory: u64 = match Control::new(topology)?.status().await? {
        Some(status) => status.processes.iter().map(|process| process.memory_bytes).sum(),
        None => 0,
    };
    line("");
    line(format!(
        "The mesh `{}` runs after {:.1} s, in {} MiB.",
        topology.name,
        took.as_secs_f64(),
        memory / (1024 * 1024)
    ));
    addresses(topology)?;
    let user = secrets::credentials(&topology.state_dir, DEMO_USER)?;
    let kept = secrets::file(&topology.state_dir, DEMO_USER);
    if first_up {
        line(format!(
            "Demo user     {} with the password {} (kept in {})",
            user.user_id,
            user.password,
            kept.display()
        ));
    } else {
        line(format!("Demo user     {} (password in {})", user.user_id, kept.display()));
    }
    let text = |pointer: &str| order.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    line(format!(
        "Order         {} is {}, payment {} is {}",
        text("/orderId"),
        text("/state"),
        text("/payment/paymentId"),
        text("/payment/state")
    ));
    line(
        "Its way       client > gateway > [jwt, amount] order > [jwt, amount] payment > [jwt] auth, mutual TLS between all",
    );
    line("");
    let name = if topology.name == "default" { String::new() } else { format!(" --name {}", topology.name) };
    line(format!("Try           cargo mesh order{name}"));
    line(format!("              cargo mesh load{name} --rate 30 --duration 10"));
    line(format!("              cargo mesh status{name}"));
    Ok(())
}

/// Where the mesh is.
pub fn addresses(topology: &Topology) -> Result<()> {
    line(format!("Gateway       {}", Client::new(topology)?.base));
    let others =
        topology.gateway.listeners.iter().skip(1).map(|listener| format!("http://{}", listener.address));
    line(format!("              {}", others.collect::<Vec<_>>().join("  ")));
    match secrets::database_server(&topology.state_dir)? {
        Some(server) => line(format!(
            "Data          in PostgreSQL at {}:{}",
            server.host_str().unwrap_or("?"),
            server.port().unwrap_or(5432)
        )),
        None => line(format!("Data          in {}", topology.state_dir.join("data").display())),
    }
    match topology.prometheus {
        Some(address) => line(format!("Prometheus    http://{address}")),
        None => line("Prometheus    is not on this machine: sudo apt-get install prometheus"),
    }
    Ok(())
}
