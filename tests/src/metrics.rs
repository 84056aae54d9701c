//! Counters, read from the text that Prometheus scrapes, and Prometheus' own answers.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::Value;

use crate::cluster::{Cluster, NAMESPACE};

/// Who counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The service itself: `FINPAY_SERVICE_METRICS`.
    Service,
    /// Its sidecar: `FINPAY_SIDECAR_METRICS`.
    Sidecar,
}

/// The address of every replica's metrics, from the source's variable (`name=url,name=url`).
fn addresses(source: Source) -> Result<BTreeMap<String, String>> {
    let variable = match source {
        Source::Service => "FINPAY_SERVICE_METRICS",
        Source::Sidecar => "FINPAY_SIDECAR_METRICS",
    };
    let text =
        env::var(variable).with_context(|| format!("{variable} is not set; `cargo mesh test` sets it"))?;
    text.split(',')
        .map(|pair| {
            let (name, url) =
                pair.split_once('=').with_context(|| format!("{variable}: no '=' in {pair}"))?;
            Ok((name.to_owned(), url.to_owned()))
        })
        .collect()
}

/// The sum of all samples of `family` whose labels contain every text of `labels`.
pub fn sum(text: &str, family: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

/// What the replicas of one service counted of requests that reached their own code on one endpoint.
pub async fn requests_seen(client: &Client, service: &str, endpoint: &str) -> Result<f64> {
    let label = format!("endpoint=\"{endpoint}\"");
    let texts = scrape(client, service, Source::Service).await?;
    Ok(texts.iter().map(|text| sum(text, "finpay_http_requests_total", &[&label])).sum())
}

/// The metrics of each replica of `service`.
pub async fn scrape(client: &Client, service: &str, source: Source) -> Result<Vec<String>> {
    if let Ok(namespace) = env::var(NAMESPACE) {
        return merged(&Cluster { namespace }, service).await;
    }
    let mut texts = Vec::new();
    for (name, url) in addresses(source)? {
        if name.starts_with(service) {
            let response = client.get(url).send().await?.error_for_status()?;
            texts.push(response.text().await?);
        }
    }
    Ok(texts)
}

/// On a cluster: both sources in one text, from each pod's agent, through the API server.
async fn merged(cluster: &Cluster, service: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for pod in cluster.pods(service).await? {
        let path =
            format!("/api/v1/namespaces/{}/pods/{pod}:15020/proxy/stats/prometheus", cluster.namespace);
        texts.push(cluster.kubectl(&["get", "--raw", &path]).await?);
    }
    Ok(texts)
}

/// An instant query's result list, or `None` when no Prometheus runs.
pub async fn query(client: &Client, promql: &str) -> Result<Option<Vec<Value>>> {
    let Ok(prometheus) = env::var("FINPAY_PROMETHEUS") else { return Ok(None) };
    let request = client.get(format!("{prometheus}/api/v1/query")).query(&[("query", promql)]);
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    Ok(Some(answer["data"]["result"].as_array().cloned().unwrap_or_default()))
}
