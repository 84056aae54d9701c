//! How often the issuer is asked.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tests::envoy::{Options, Setup};
use tests::issuer::{Conduct, FEED, Issuer, JWKS};
use tests::jwt::{Tools, becomes, configuration, with};
use tests::wait::until;

use super::lasting;

/// A clock of milliseconds may round a pause down.
const GRAIN: Duration = Duration::from_millis(2);
/// While keys are in use the filter looks each second whether something is due.
const CALM: Duration = Duration::from_secs(1);
/// What this machine may add.
const SLACK: Duration = Duration::from_millis(600);

/// The first so many pauses between two requests for a path.
async fn pauses(issuer: &Issuer, path: &str, count: usize) -> Result<Vec<Duration>> {
    until(&format!("{path} was asked for"), async || Ok((issuer.asked(path) > count).then_some(()))).await?;
    Ok(issuer.asked_at(path).windows(2).take(count).map(|two| two[1] - two[0]).collect())
}

/// What comes by a quarter sooner than so many milliseconds, so that not all Envoys ask at once.
fn is_spread(pause: Duration, ms: u64, late: Duration) -> bool {
    let most = Duration::from_millis(ms);
    (most * 3 / 4..=most + late + GRAIN).contains(&(pause + GRAIN))
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_after_failures_grow_rarer() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for concurrency in [1, 2] {
        let issuer = Issuer::start().await?;
        issuer.conduct(JWKS, Conduct::Status(500));
        let setup = Setup { concurrency, ..Setup::default() };
        let _envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
        let pauses = pauses(&issuer, JWKS, 6).await?;
        eprintln!("{concurrency} workers: {pauses:?}");
        for (pause, ms) in pauses.iter().zip([200, 400, 800, 1_600, 2_000, 2_000]) {
            assert!(is_spread(*pause, ms, SLACK), "{ms} ms, {concurrency} workers: {pauses:?}");
        }
    }
    Ok(())
}

/// `Cache-Control` shortens `refreshSeconds`, down to `minRefetchSeconds`, and lengthens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuers_word_on_caching_counts_within_limits() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    // What the issuer says, the limits, and the age at which the keys are asked for again.
    let cases = [
        ("no-store", json!({"minRefetchSeconds": 2}), 2_000),
        ("max-age=0", json!({"minRefetchSeconds": 2}), 2_000),
        ("max-age=3", json!({"minRefetchSeconds": 2}), 3_000),
        ("max-age=9999", json!({"minRefetchSeconds": 1, "refreshSeconds": 1}), 1_000),
        ("max-age=9999", json!({"minRefetchSeconds": 10, "refreshSeconds": 1}), 1_000),
    ];
    let (mut issuers, mut providers) = (Vec::new(), Vec::new());
    for (number, (said, limits, _)) in cases.iter().enumerate() {
        let issuer = Issuer::start_as(&format!("https://issuer-{number}.example")).await?;
        issuer.cache_control(said);
        let remote = json!({"remote": with(issuer.target(JWKS), limits)});
        let name = json!({"name": format!("case-{number}")});
        providers.push(with(issuer.provider_with(&remote), &name));
        issuers.push(issuer);
    }
    let all: Vec<&Issuer> = issuers.iter().collect();
    let envoy = tools.start(&configuration(&providers), &all).await?;
    for (issuer, (said, limits, ms)) in issuers.iter().zip(cases) {
        let pauses = pauses(issuer, JWKS, 2).await?;
        eprintln!("{said}, {limits}: {pauses:?}");
        assert!(pauses.iter().all(|pause| is_spread(*pause, ms, CALM + SLACK)), "{ms} ms: {pauses:?}");
    }
    assert_eq!(envoy.vm_failures()?, 0);
    Ok(())
}

/// However many workers it has, an Envoy asks as often as one.
#[tokio::test(flavor = "multi_thread")]
async fn one_worker_asks_for_revocations() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    // Long enough for another worker to notice that it is time.
    issuer.conduct(FEED, Conduct::Slowly(Duration::from_millis(200)));
    let provider = with(issuer.provider(), &json!({"revocations": issuer.revocations()}));
    let setup = Setup { concurrency: 2, ..Setup::default() };
    let _envoy = tools.start_with(&configuration(&[provider]), &[&issuer], setup).await?;
    let pauses = pauses(&issuer, FEED, 5).await?;
    eprintln!("two workers asked after {pauses:?}");
    assert!(pauses.iter().all(|pause| is_spread(*pause, 1_000, CALM + SLACK)), "{pauses:?}");
    Ok(())
}

/// What is known was fetched under another configuration, for which it would have been new enough for an hour.
#[tokio::test(flavor = "multi_thread")]
async fn another_configurations_times_bind_nobody() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let every = |seconds: u64| {
        let mut configuration = lasting(&issuer);
        let provider = &mut configuration["providers"][0];
        provider["jwks"]["remote"]["refreshSeconds"] = seconds.into();
        provider["revocations"] = with(issuer.revocations(), &json!({"intervalMs": seconds.min(60) * 1000}));
        configuration
    };
    let options = Options { is_dynamic: true, ..Options::default() };
    let envoy = tools.start_with(&every(3600), &[&issuer], options).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    let before = [JWKS, FEED].map(|path| issuer.asked(path));
    envoy.change(&[tools.filter(&every(1))])?;
    until("keys and revocations are asked for", async || {
        Ok(([JWKS, FEED]
            .map(|path| issuer.asked(path))
            .iter()
            .zip(before)
            .all(|(now, before)| *now > before))
        .then_some(()))
    })
    .await?;
    assert_eq!(envoy.vm_failures()?, 0);
    Ok(())
}
