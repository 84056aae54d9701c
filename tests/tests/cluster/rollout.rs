//! Pods are replaced under load, and killed: no request fails, nothing is paid twice.

use std::collections::BTreeSet;
use std::env;
use std::time::{Duration, Instant};

use anyhow::Result;
use tests::cluster::Cluster;
use tests::load::{failures, orders_while};
use tests::{Answer, System};

const DEPLOYMENTS: [&str; 3] = ["auth-service", "payment-service", "order-service"];

/// Restarts all three deployments, again and again until the time is over; how often.
async fn restarts(cluster: &Cluster, time: Duration) -> Result<usize> {
    let start = Instant::now();
    let mut rounds = 0;
    while rounds == 0 || start.elapsed() < time {
        for deployment in DEPLOYMENTS {
            cluster.kubectl(&["rollout", "restart", &format!("deployment/{deployment}")]).await?;
        }
        for deployment in DEPLOYMENTS {
            cluster.rolled_out(deployment).await?;
        }
        rounds += 1;
    }
    Ok(rounds)
}

fn all_paid_once(answers: &[Answer]) {
    assert!(failures(answers).is_empty(), "{:?} of {}", failures(answers), answers.len());
    let payments: BTreeSet<_> =
        answers.iter().filter_map(|answer| answer.body["payment"]["paymentId"].as_str()).collect();
    assert_eq!(payments.len(), answers.len(), "one payment for each order");
}

/// `FINPAY_LONG=1`: for as long as 20,000 requests take.
#[tokio::test]
async fn rolling_restarts_fail_nothing() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let long = env::var_os("FINPAY_LONG").is_some();
    let user = system.new_user().await?;
    for (rate, requests) in [(20, 2_000), (100, 18_000)] {
        let count = if long { requests } else { requests / 10 };
        let time = Duration::from_secs(count / rate);
        let work = restarts(&cluster, if long { time } else { Duration::ZERO });
        let period = Duration::from_secs(1) / u32::try_from(rate)?;
        let (answers, rounds) = orders_while(&system, &user, period, usize::try_from(count)?, work).await?;
        all_paid_once(&answers);
        eprintln!("{rate}/s: {} orders during {rounds} restarts of all three, all 201", answers.len());
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_pod_costs_no_order() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let user = system.new_user().await?;
    for service in ["payment-service", "order-service"] {
        let kill = async {
            let pods = cluster.pods(service).await?;
            cluster.kubectl(&["delete", "pod", &pods[0], "--grace-period=0", "--force"]).await?;
            cluster.rolled_out(service).await
        };
        let (answers, ()) = orders_while(&system, &user, Duration::from_millis(33), 300, kill).await?;
        all_paid_once(&answers);
        eprintln!("{service}: a pod killed, {} orders, all 201", answers.len());
    }
    Ok(())
}
