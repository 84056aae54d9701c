//! A replica that answers 503 is ejected by its callers, and comes back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tests::System;
use tests::cluster::Cluster;
use tests::load::{failures, orders_while};
use tests::wait::until_within;

const FAULT: &str = "envoyfilter/finpay-test-fault";

/// How many hosts the order sidecars leave out of their balance. (Istio's sidecars keep no statistics of it.)
async fn ejections(cluster: &Cluster) -> Result<usize> {
    let mut sum = 0;
    for pod in cluster.pods("order-service").await? {
        let page = cluster.sidecar(&pod, "clusters?format=json").await?;
        let clusters = page["cluster_statuses"].as_array().context("cluster_statuses")?.iter();
        let hosts = clusters.filter_map(|cluster| cluster["host_statuses"].as_array()).flatten();
        sum += hosts.filter(|host| host["health_status"]["failed_outlier_check"] == true).count();
    }
    Ok(sum)
}

async fn ejected_and_back(cluster: &Cluster) -> Result<()> {
    let limit = Duration::from_mins(2);
    until_within(limit, "the replica is ejected", async || Ok((ejections(cluster).await? > 0).then_some(())))
        .await?;
    let start = Instant::now();
    cluster.kubectl(&["delete", FAULT]).await?;
    until_within(limit, "the replica is back", async || Ok((ejections(cluster).await? == 0).then_some(())))
        .await?;
    eprintln!("ejected, and back {:.0} s later", start.elapsed().as_secs_f64());
    Ok(())
}

#[tokio::test]
async fn a_replica_that_answers_503_is_left_out_for_a_while() -> Result<()> {
    let (Some(system), Some(cluster)) = (System::from_env(), Cluster::from_env()) else { return Ok(()) };
    let user = system.new_user().await?;
    let pods = cluster.pods("payment-service").await?;
    let pod = pods.first().context("a pod")?;
    cluster.kubectl(&["label", "pod", pod, "finpay-test=faulty"]).await?;
    let fault = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
        "metadata": {"name": "finpay-test-fault"},
        "spec": {
            "workloadSelector": {"labels": {"finpay-test": "faulty"}},
            "configPatches": [{
                "applyTo": "HTTP_FILTER",
                "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": {
                    "name": "envoy.filters.network.http_connection_manager",
                    "subFilter": {"name": "envoy.filters.http.router"}}}}},
                "patch": {"operation": "INSERT_FIRST", "value": {
                    "name": "finpay.test.fault",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
                        "abort": {"http_status": 503, "percentage": {"numerator": 100}},
                    },
                }},
            }],
        },
    });
    let outcome = async {
        cluster.apply(&fault).await?;
        let period = Duration::from_millis(50);
        let (answers, ()) = orders_while(&system, &user, period, 100, ejected_and_back(&cluster)).await?;
        // The caller tries the other replica: no client sees the faulty one.
        assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
        anyhow::Ok(())
    }
    .await;
    cluster.kubectl(&["delete", FAULT, "--ignore-not-found"]).await?;
    cluster.kubectl(&["label", "pod", pod, "finpay-test-"]).await?;
    outcome
}
