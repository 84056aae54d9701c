//! An issuer that is away for long, and comes back with another key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::envoy::{Envoy, Setup};
use tests::issuer::{Issuer, JWKS, header};
use tests::jwt::{Tools, becomes, metric, verdict};
use tests::wait::{until, until_within};

use super::load::Load;
use super::{at_once, lasting};

/// Fetches that failed: where nobody listens, Envoy itself answers them.
async fn failed(envoy: &Envoy) -> Result<u64> {
    metric(envoy, "finpay_jwt_jwks.verdict=.=failed;.;reason=.=status;.;").await
}

/// An Envoy that knows the issuer's keys and asks for them all the time.
async fn asking(tools: &Tools, issuer: &Issuer, setup: Setup) -> Result<Envoy> {
    let mut configuration = lasting(issuer);
    configuration["providers"][0]["jwks"]["remote"]["refreshSeconds"] = 1.into();
    let envoy = tools.start_with(&configuration, &[issuer], setup).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    Ok(envoy)
}

/// All the first requests with the new key pass, and cost one fetch, however many workers they wait at.
async fn comes_back_with_a_new_key(issuer: &Issuer, envoy: &Envoy) -> Result<()> {
    issuer.rotate(true)?;
    let (asked, token) = (issuer.asked(JWKS), issuer.token(&json!({}))?);
    let before = failed(envoy).await?;
    until("another attempt has failed", async || Ok((failed(envoy).await? > before).then_some(()))).await?;
    issuer.come_up()?;
    assert_eq!(at_once(envoy, &token, 60).await?, vec!["200"; 60]);
    assert_eq!(issuer.asked(JWKS) - asked, 1, "fetches for 60 requests");
    Ok(())
}

/// However long the issuer was away, the first request with its new key waits for it, and is not refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_after_an_outage_finds_the_new_key() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for concurrency in [1, 2] {
        let issuer = Issuer::start().await?;
        let envoy = asking(&tools, &issuer, Setup { concurrency, ..Setup::default() }).await?;
        let old = issuer.token(&json!({}))?;
        issuer.go_down().await;
        until("the pauses between the attempts are long", async || {
            assert_eq!(verdict(&envoy, &old).await?, "200", "a known key");
            Ok((failed(&envoy).await? >= 5).then_some(()))
        })
        .await?;
        comes_back_with_a_new_key(&issuer, &envoy).await?;
    }
    Ok(())
}

/// Tokens that the filter remembers and tokens that are new to it, by turns, all by a key that it knows.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_under_load_costs_no_request() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let is_long = std::env::var_os("FINPAY_LONG").is_some();
    let length = Duration::from_secs(if is_long { 600 } else { 5 });
    let issuer = Arc::new(Issuer::start().await?);
    // Without a line in a log for each request.
    let envoy = asking(&tools, &issuer, Setup { concurrency: 2, plain: true, ..Setup::default() }).await?;
    let (pair, claims) = (issuer.pair()?, Arc::clone(&issuer));
    let fresh = move || pair.sign(&header(&pair), &claims.claims(&json!({})));
    let remembered = fresh();
    let token = move |count| Ok(if count % 2 == 0 { remembered.clone() } else { fresh() });
    let mut load = Load::start(envoy.address, token);
    issuer.go_down().await;
    let gone = Instant::now();
    until_within(length * 2, "the outage has lasted", async || load.has_lasted(gone, length)).await?;
    comes_back_with_a_new_key(&issuer, &envoy).await?;
    let (sent, slowest) = load.end().await?;
    let failed = failed(&envoy).await?;
    eprintln!(
        "{length:?} without an issuer: {sent} requests, the slowest {slowest:?}; {failed} fetches failed"
    );
    // At least one in two seconds, and a second until it is seen that it is time.
    assert!(failed > length.as_secs() / 3, "the issuer was asked all the time");
    assert!(sent > 100, "{sent} requests are no load");
    Ok(())
}
