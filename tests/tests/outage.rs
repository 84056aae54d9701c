//! A replica dies under load (one-machine mesh only): the mesh hides it, and every order is paid exactly once.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mesh::proxies;
use serde_json::Value;
use tests::load::{failures, orders_while};
use tests::local::Local;
use tests::wait::until;
use tests::{System, User, metrics};
use tokio::process::Command;

const ORDERS: usize = 300;
const KILL_AT: usize = 60;
const PERIOD: Duration = Duration::from_millis(33);

fn pid_of(status: &Value, process: &str) -> Result<u64> {
    let processes = status["processes"].as_array().context("processes")?;
    let found = processes.iter().find(|row| row["name"] == process);
    found.and_then(|row| row["pid"].as_u64()).with_context(|| format!("{process} has no pid in {status}"))
}

/// Kills the process with -9 once some orders are paid, and sees that `status` tells of its ejection.
async fn kill_on_the_way(local: &Local, user: &User, process: &str) -> Result<()> {
    until("a fifth of the orders are paid", async || {
        Ok((payments(local, user).await?.0 >= KILL_AT).then_some(()))
    })
    .await?;
    let pid = pid_of(&local.status().await?, process)?;
    ensure!(Command::new("kill").args(["-9", &pid.to_string()]).status().await?.success(), "kill {pid}");
    let sidecar = format!("{}.sidecar", process.trim_end_matches(".sidecar"));
    until("a caller has ejected the dead replica", async || {
        Ok(proxies::ejections(&local.topology).await.contains_key(&sidecar).then_some(()))
    })
    .await?;
    until(&format!("{process} runs again"), async || {
        Ok(pid_of(&local.status().await?, process).ok().filter(|now| *now != pid).map(|_| ()))
    })
    .await
}

/// Payments in the store, and how many different orders they pay.
async fn payments(local: &Local, user: &User) -> Result<(usize, usize)> {
    let url = format!("sqlite://{}?mode=ro", local.topology.database("payment-service").display());
    let pool = sqlx::SqlitePool::connect(&url).await?;
    let rows: Vec<(String,)> = sqlx::query_as("SELECT order_id FROM payments WHERE payer = ?")
        .bind(&user.id)
        .fetch_all(&pool)
        .await?;
    pool.close().await;
    Ok((rows.len(), rows.into_iter().collect::<BTreeSet<_>>().len()))
}

async fn ejections(system: &System) -> Result<f64> {
    let texts = metrics::scrape(&system.client, "order-service", metrics::Source::Sidecar).await?;
    let cluster = ["payment-service.finpay.svc.cluster.local"];
    let family = "envoy_cluster_outlier_detection_ejections_enforced_total";
    Ok(texts.iter().map(|text| metrics::sum(text, family, &cluster)).sum())
}

async fn survives(process: &str) -> Result<()> {
    let (Some(system), Some(local)) = (System::from_env(), Local::from_env()?) else { return Ok(()) };
    let user = system.new_user().await?;
    let ejected_before = ejections(&system).await?;
    let kill = kill_on_the_way(&local, &user, process);
    let (answers, ()) = orders_while(&system, &user, PERIOD, ORDERS, kill).await?;
    assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
    let paid = (answers.len(), answers.len());
    assert_eq!(payments(&local, &user).await?, paid, "payments, and orders that they pay");
    assert!(ejections(&system).await? > ejected_before, "the dead replica was never ejected");
    until("both payment replicas are back in the balance", async || {
        Ok(proxies::ejections(&local.topology).await.is_empty().then_some(()))
    })
    .await
}

/// No client saw an error, so what Prometheus knows of 5xx are tries that the mesh repeated: counted where they
/// failed (by the payment sidecar, whose service was dead), never by a caller.
async fn only_the_dead_replica_s_tries_failed(system: &System) -> Result<()> {
    let promql = r#"sum(increase(istio_requests_total{response_code=~"5.*"}[5m])) by (destination_service, reporter) > 0"#;
    let Some(rows) = metrics::query(&system.client, promql).await? else { return Ok(()) };
    eprintln!("5xx of the last 5 minutes: {rows:?}");
    for row in &rows {
        let labels = &row["metric"];
        let payment = labels["destination_service"] == "payment-service.finpay.svc.cluster.local";
        assert!(payment && labels["reporter"] == "destination", "{row}");
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_replica_costs_no_order() -> Result<()> {
    survives("payment-service-0").await?;
    survives("payment-service-1.sidecar").await?;
    let Some(system) = System::from_env() else { return Ok(()) };
    only_the_dead_replica_s_tries_failed(&system).await
}
