//! Keys that come, change and go, and an issuer with bad days.

mod arrival;
mod away;
mod discovery;
mod load;
mod outages;
mod pace;
mod waiting;

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use tests::envoy::Envoy;
use tests::issuer::{Issuer, JWKS};
use tests::jwt::configuration;
use tests::raw;
use tests::wait::until;
use tokio::task::JoinSet;

/// So many requests with this token at once: their verdicts.
async fn at_once(envoy: &Envoy, token: &str, count: usize) -> Result<Vec<String>> {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let (address, token) = (envoy.address, token.to_owned());
        requests.spawn(async move { raw::bearer(address, "/order/1", &token).await });
    }
    let mut verdicts = Vec::new();
    while let Some(reply) = requests.join_next().await {
        verdicts.push(reply??.verdict());
    }
    Ok(verdicts)
}

/// Waits until an unknown key may cost a fetch again.
async fn may_refetch(issuer: &Issuer, since: Instant) -> Result<()> {
    let asked = issuer.asked(JWKS);
    until("the time between two fetches has passed", async || {
        assert_eq!(issuer.asked(JWKS), asked, "nobody asked for anything");
        Ok((since.elapsed() > Duration::from_millis(1100)).then_some(()))
    })
    .await
}

/// A set that holds for longer than any test, so that every fetch has another cause than its age.
fn lasting(issuer: &Issuer) -> Value {
    configuration(&[issuer.provider()])
}
