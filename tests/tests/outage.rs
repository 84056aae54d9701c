//! A replica dies under load (one-machine mesh only): the mesh hides it, and every order is paid exactly once.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::Value;
use tests::local::Local;
use tests::wait::until;
use tests::{Answer, System, User, metrics, orders};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

const ORDERS: usize = 300;
const KILL_AT: usize = 60;
const PERIOD: Duration = Duration::from_millis(33);

fn pid_of(status: &Value, process: &str) -> Result<u64> {
    let processes = status["processes"].as_array().context("processes")?;
    let found = processes.iter().find(|row| row["name"] == process);
    found.and_then(|row| row["pid"].as_u64()).with_context(|| format!("{process} has no pid in {status}"))
}

/// `ORDERS` orders at about 30/s; `process` is killed with -9 on the way.
async fn orders_while_killed(
    system: &System,
    local: &Local,
    user: &User,
    process: &str,
) -> Result<Vec<Answer>> {
    let pid = pid_of(&local.status().await?, process)?;
    let mut running = JoinSet::new();
    let mut tick = interval(PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..ORDERS {
        tick.tick().await;
        if number == KILL_AT {
            ensure!(
                Command::new("kill").args(["-9", &pid.to_string()]).status().await?.success(),
                "kill {pid}"
            );
        }
        let (system, user) = (system.clone(), user.clone());
        running.spawn(async move {
            let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
            system.send(request.json(&orders::seed(&user.id))).await
        });
    }
    let answers = running.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    until(&format!("{process} runs again"), async || {
        Ok(pid_of(&local.status().await?, process).ok().filter(|now| *now != pid).map(|_| ()))
    })
    .await?;
    Ok(answers)
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
    let texts = metrics::scrape(&system.client, "order-service", "/stats/prometheus").await?;
    let cluster = ["payment-service.finpay.svc.cluster.local"];
    let family = "envoy_cluster_outlier_detection_ejections_enforced_total";
    Ok(texts.iter().map(|text| metrics::sum(text, family, &cluster)).sum())
}

async fn survives(process: &str) -> Result<()> {
    let (Some(system), Some(local)) = (System::from_env(), Local::from_env()?) else { return Ok(()) };
    let user = system.new_user().await?;
    let ejected_before = ejections(&system).await?;
    let answers = orders_while_killed(&system, &local, &user, process).await?;
    let failed: Vec<_> = answers.iter().filter(|answer| answer.status != 201).map(Answer::verdict).collect();
    assert!(failed.is_empty(), "{} of {ORDERS} failed: {failed:?}", failed.len());
    assert_eq!(payments(&local, &user).await?, (ORDERS, ORDERS), "payments, and orders that they pay");
    assert!(ejections(&system).await? > ejected_before, "the dead replica was never ejected");
    until("both payment replicas are back in the balance", async || {
        let texts = metrics::scrape(&system.client, "order-service", "/stats/prometheus").await?;
        let family = "envoy_cluster_outlier_detection_ejections_active";
        let active: f64 = texts
            .iter()
            .map(|text| metrics::sum(text, family, &["payment-service.finpay.svc.cluster.local"]))
            .sum();
        Ok((active == 0.0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_killed_replica_costs_no_order() -> Result<()> {
    survives("payment-service-0").await?;
    survives("payment-service-1.sidecar").await
}
