//! Keys that are new to the filter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::envoy::Setup;
use tests::issuer::{self, Conduct, DISCOVERY, Issuer, JWKS};
use tests::jwt::{Tools, becomes, configuration, verdict};
use tests::wait::until;

use super::load::Load;
use super::{at_once, lasting, may_refetch};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_costs_one_fetch_and_no_refusal() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for concurrency in [1, 2] {
        let issuer = Issuer::start().await?;
        let setup = Setup { concurrency, ..Setup::default() };
        let envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
        becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
        assert_eq!(issuer.asked(JWKS), 1, "{concurrency} workers load the keys once");
        may_refetch(&issuer, Instant::now()).await?;
        issuer.rotate(true)?;
        let verdicts = at_once(&envoy, &issuer.token(&json!({}))?, 60).await?;
        assert_eq!(verdicts, vec!["200"; 60], "{concurrency} workers");
        assert_eq!(issuer.asked(JWKS), 2, "{concurrency} workers fetch the new key once");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_has_costs_one_fetch_in_a_time() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    let foreign = issuer::Pair::generate("nobody-has-it")?;
    let started = Instant::now();
    let before = issuer.asked(JWKS);
    let mut refused = 0;
    while started.elapsed() < Duration::from_secs(4) {
        let token = foreign.sign(&issuer::header(&foreign), &issuer.claims(&json!({})));
        assert_eq!(verdict(&envoy, &token).await?, "401 invalid-token");
        refused += 1;
    }
    let fetches = issuer.asked(JWKS) - before;
    eprintln!("{refused} requests with an unknown key in 4 s: {fetches} fetches");
    assert!((3..=6).contains(&fetches), "{fetches} fetches with one allowed per second, and one more");
    assert!(refused > 20, "refusals between the fetches do not wait: {refused}");
    Ok(())
}

/// What was fetched a moment ago, in vain or because it was due, is no reason to refuse a key that came since.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_counts_at_once_after_a_fetch_that_did_not_find_it() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for concurrency in [1, 2] {
        let issuer = Issuer::start().await?;
        let mut configuration = lasting(&issuer);
        configuration["providers"][0]["jwks"]["remote"]["minRefetchSeconds"] = 60.into();
        let setup = Setup { concurrency, ..Setup::default() };
        let envoy = tools.start_with(&configuration, &[&issuer], setup).await?;
        becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
        let foreign = issuer::Pair::generate("nobody-has-it")?;
        let token = foreign.sign(&issuer::header(&foreign), &issuer.claims(&json!({})));
        issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(500)));
        assert_eq!(at_once(&envoy, &token, 20).await?, vec!["401 invalid-token"; 20]);
        issuer.conduct(JWKS, Conduct::Well);
        assert_eq!(issuer.asked(JWKS), 2, "it costs one fetch, and those who wait for it cost no other");
        issuer.rotate(true)?;
        assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200", "{concurrency} workers");
        assert_eq!(issuer.asked(JWKS), 3);
        issuer.rotate(true)?;
        assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "401 invalid-token", "the third");
        assert_eq!(issuer.asked(JWKS), 3);
    }
    Ok(())
}

/// Workers that did not fetch the key have it as soon as it is asked for, whatever else was asked for in vain before.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_worker_has_every_worker_has() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = lasting(&issuer);
    configuration["providers"][0]["jwks"]["remote"]["minRefetchSeconds"] = 60.into();
    let setup = Setup { concurrency: 2, ..Setup::default() };
    let envoy = tools.start_with(&configuration, &[&issuer], setup).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    let foreign = issuer::Pair::generate("nobody-has-it")?;
    let token = foreign.sign(&issuer::header(&foreign), &issuer.claims(&json!({})));
    assert_eq!(verdict(&envoy, &token).await?, "401 invalid-token");
    issuer.rotate(true)?;
    assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200");
    assert_eq!(issuer.asked(JWKS), 3, "no fetch for an unknown key is left");
    assert_eq!(at_once(&envoy, &issuer.token(&json!({}))?, 60).await?, vec!["200"; 60]);
    assert_eq!(issuer.asked(JWKS), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_under_load_costs_no_request() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Arc::new(Issuer::start().await?);
    let setup = Setup { concurrency: 2, ..Setup::default() };
    let envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
    let old = issuer.token(&json!({}))?;
    becomes(&envoy, &old, "200").await?;
    let fresh = Arc::clone(&issuer);
    let token = move |count| if count % 2 == 0 { fresh.token(&json!({})) } else { Ok(old.clone()) };
    let mut load = Load::start(envoy.address, token);
    let half = Duration::from_millis(2_500);
    let started = Instant::now();
    until("half of the time is over", async || load.has_lasted(started, half)).await?;
    let before = issuer.asked(JWKS);
    issuer.rotate(true)?;
    until("all of the time is over", async || load.has_lasted(started, 2 * half)).await?;
    let (sent, slowest) = load.end().await?;
    let fetches = issuer.asked(JWKS) - before;
    eprintln!("{sent} requests over a rotation, the slowest {slowest:?}, {fetches} fetches for it");
    assert_eq!(fetches, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_document_leads_to_the_keys() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut discovery = issuer.target(DISCOVERY);
    discovery["minRefetchSeconds"] = 1.into();
    let provider = issuer.provider_with(&json!({"discovery": discovery}));
    let envoy = tools.start(&configuration(&[provider]), &[&issuer]).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(JWKS)), (1, 1));
    may_refetch(&issuer, Instant::now()).await?;
    issuer.rotate(true)?;
    let verdicts = at_once(&envoy, &issuer.token(&json!({}))?, 20).await?;
    assert_eq!(verdicts, vec!["200"; 20]);
    assert_eq!((issuer.asked(DISCOVERY), issuer.asked(JWKS)), (2, 2));

    // A document of somebody else says nothing of this issuer's keys.
    let foreign = json!({"issuer": "https://other.example", "jwks_uri": "http://other.example/keys"});
    issuer.conduct(DISCOVERY, Conduct::Says(foreign.to_string()));
    may_refetch(&issuer, Instant::now()).await?;
    issuer.rotate(true)?;
    assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "401 invalid-token");
    assert!(issuer.asked(DISCOVERY) > 2);
    assert_eq!(issuer.asked(JWKS), 2);
    Ok(())
}
