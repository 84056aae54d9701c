//! Counters, read from the text that Prometheus scrapes, and Prometheus' own answers.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::Value;

/// The metrics address of every replica's sidecar, from `FINPAY_METRICS` (`name=url,name=url`).
pub fn addresses() -> Result<BTreeMap<String, String>> {
    let text = env::var("FINPAY_METRICS").context("FINPAY_METRICS is not set; `cargo mesh test` sets it")?;
    text.split(',')
        .map(|pair| {
            let (name, url) =
                pair.split_once('=').with_context(|| format!("FINPAY_METRICS: no '=' in {pair}"))?;
            Ok((name.to_owned(), url.trim_end_matches('/').to_owned()))
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
    let texts = scrape(client, service, "/metrics").await?;
    Ok(texts.iter().map(|text| sum(text, "finpay_http_requests_total", &[&label])).sum())
}

/// The text behind `path` at each replica of `service`.
pub async fn scrape(client: &Client, service: &str, path: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for (name, url) in addresses()? {
        if name.starts_with(service) {
            let response = client.get(format!("{url}{path}")).send().await?.error_for_status()?;
            texts.push(response.text().await?);
        }
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
