//! What the mesh tells: Istio's metrics in Prometheus, the filters' verdicts, one trace over three hops.

use std::cell::Cell;

use anyhow::{Context, Result};
use reqwest::Method;
use tests::local::Local;
use tests::wait::until;
use tests::{System, metrics, orders};

#[tokio::test]
async fn prometheus_answers_the_seed_system_s_query() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let promql = r#"sum(rate(istio_requests_total{connection_security_policy="mutual_tls"}[5m])) by (destination_service) > 0"#;
    let hosts = ["auth-service", "payment-service", "order-service"]
        .map(|service| format!("{service}.finpay.svc.cluster.local"));
    let running = until("a rate of each service's mutual TLS requests", async || {
        // A rate needs a series that grew between two scrapes, so it is kept growing.
        system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
        let Some(rows) = metrics::query(&system.client, promql).await? else { return Ok(Some(false)) };
        let seen =
            |host: &String| rows.iter().any(|row| row["metric"]["destination_service"] == host.as_str());
        Ok(hosts.iter().all(seen).then_some(true))
    })
    .await?;
    if !running {
        eprintln!("skipped: no Prometheus runs in this mesh (FINPAY_PROMETHEUS is not set)");
    }
    Ok(())
}

#[tokio::test]
async fn verdicts_are_counted_by_reason() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let count = async |family: &str, labels: &[&str]| -> Result<f64> {
        let texts = metrics::scrape(&system.client, "order-service", metrics::Source::Sidecar).await?;
        Ok(texts.iter().map(|text| metrics::sum(text, family, labels)).sum())
    };
    let verdicts = async || -> Result<[f64; 3]> {
        Ok([
            count("finpay_jwt_requests_total", &["verdict=\"deny\"", "reason=\"missing_token\""]).await?,
            count("finpay_amount_requests_total", &["verdict=\"deny\"", "reason=\"sum_mismatch\""]).await?,
            count("finpay_jwt_requests_total", &["verdict=\"allow\"", "reason=\"ok\""]).await?,
        ])
    };
    let before = verdicts().await?;
    system.send(system.request(Method::POST, "/order/create").json(&orders::seed(&user.id))).await?;
    let mut wrong_sum = orders::seed(&user.id);
    wrong_sum["totalAmount"] = 101.into();
    system.post("/order/create", &user.token, &wrong_sum).await?;
    let last = Cell::new(before);
    until("one more of each verdict", async || {
        last.set(verdicts().await?);
        Ok(last.get().iter().zip(before).all(|(now, then)| *now > then).then_some(()))
    })
    .await
    .with_context(|| format!("before {before:?}, last {:?}", last.get()))
}

#[tokio::test]
async fn one_trace_goes_over_three_hops() -> Result<()> {
    let (Some(system), Some(local)) = (System::from_env(), Local::from_env()?) else { return Ok(()) };
    let user = system.new_user().await?;
    let trace = uuid::Uuid::now_v7().simple().to_string();
    let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let paid = system.send(request.json(&orders::seed(&user.id))).await?;
    assert_eq!(paid.status, 201, "{paid:?}");
    for service in ["order-service", "payment-service", "auth-service"] {
        until(&format!("trace {trace} in {service}'s access log"), async || {
            let mut lines = Vec::new();
            for replica in local.replicas(service) {
                lines.extend(local.log_lines(&replica.sidecar())?);
            }
            Ok(lines.iter().any(|line| line.to_string().contains(&trace)).then_some(()))
        })
        .await?;
    }
    Ok(())
}
