//! An issuer with bad days.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::issuer::{Conduct, Issuer, JWKS};
use tests::jwt::{Tools, becomes, faults, metric, verdict, with};
use tests::raw;
use tests::wait::{until, until_within};

use super::lasting;

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_matters_only_until_its_keys_are_known() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.go_down().await;
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    let reply = raw::bearer(envoy.address, "/order/1", &token).await?;
    assert_eq!(faults(&reply, "503 keys-unavailable", &[&token]), Vec::<String>::new(), "{reply:?}");

    issuer.come_up()?;
    becomes(&envoy, &token, "200").await?;
    issuer.go_down().await;
    let started = Instant::now();
    until("two seconds without an issuer", async || {
        assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200", "the keys are known");
        Ok((started.elapsed() > Duration::from_secs(2)).then_some(()))
    })
    .await?;
    assert_eq!(metric(&envoy, "provider=.=default;.;keys").await?, 1, "one key is in use");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_answer_never_takes_good_keys_away() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = lasting(&issuer);
    configuration["providers"][0]["jwks"]["remote"]["refreshSeconds"] = 1.into();
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    becomes(&envoy, &token, "200").await?;
    let private = json!({"keys": [{"kty": "oct", "kid": "key-1", "k": "AAAA"}]}).to_string();
    let bad = [
        Conduct::Status(500),
        Conduct::Status(404),
        Conduct::Says(String::new()),
        Conduct::Says("<html>come back later</html>".to_owned()),
        Conduct::Says(r#"{"keys": []}"#.to_owned()),
        Conduct::Says(private),
        Conduct::Says(format!(r#"{{"keys": [], "padding": "{}"}}"#, "x".repeat(70_000))),
    ];
    for conduct in bad {
        issuer.conduct(JWKS, conduct.clone());
        let asked = issuer.asked(JWKS);
        until("the bad answer was given", async || Ok((issuer.asked(JWKS) > asked).then_some(()))).await?;
        // A good one then ends the filter's back-off.
        issuer.conduct(JWKS, Conduct::Well);
        let confirmed = issuer.answered(JWKS, 304);
        until("a good answer was given", async || {
            assert_eq!(verdict(&envoy, &token).await?, "200", "{conduct:?}");
            let fresh = issuer.token(&json!({}))?;
            assert_eq!(verdict(&envoy, &fresh).await?, "200", "{conduct:?}, a token not seen before");
            Ok((issuer.answered(JWKS, 304) > confirmed).then_some(()))
        })
        .await?;
    }
    for told in
        ["(status 500), attempt 1", "(status 404), attempt 1", "(document), attempt 1", "(size), attempt 1"]
    {
        envoy.logs(told).await?;
    }
    issuer.rotate(false)?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    assert_eq!(verdict(&envoy, &token).await?, "401 invalid-token", "a key that was withdrawn");
    Ok(())
}

/// Where a key set is larger than the limits, there is none; whoever serves larger ones raises them.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_set_has_the_configured_limits() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.rotate(true)?;
    let mut document = issuer.jwks();
    document["padding"] = "x".repeat(70_000).into();
    issuer.conduct(JWKS, Conduct::Says(document.to_string()));
    let token = issuer.token(&json!({}))?;
    for (limits, expected) in [
        (json!({}), "503 keys-unavailable"),
        (json!({"jwksBytes": 100_000}), "200"),
        (json!({"jwksBytes": 100_000, "jwksKeys": 1}), "503 keys-unavailable"),
        (json!({"jwksBytes": 100_000, "jwksKeys": 2}), "200"),
    ] {
        let mut configuration = lasting(&issuer);
        configuration["limits"] = limits.clone();
        let envoy = tools.start(&configuration, &[&issuer]).await?;
        assert_eq!(verdict(&envoy, &token).await?, expected, "{limits}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_set_is_confirmed_and_not_sent_again() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.cache_control("max-age=3");
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    becomes(&envoy, &token, "200").await?;
    let age = async || metric(&envoy, "finpay_jwt_jwks.provider=.=default;.;age_seconds").await;
    until("the keys grow old", async || Ok((age().await? >= 2).then_some(()))).await?;
    until("their age falls", async || Ok((age().await? < 2).then_some(()))).await?;
    assert_eq!(issuer.answered(JWKS, 200), 1);
    assert!(issuer.answered(JWKS, 304) >= 1);
    assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200");
    Ok(())
}

/// What the issuer says of its set's age is bounded from both sides, also where the bounds are the wrong way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_set_may_be_refreshed_more_often_than_unknown_keys_are_fetched() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = lasting(&issuer);
    let times = json!({"refreshSeconds": 1, "minRefetchSeconds": 10});
    let remote = with(configuration["providers"][0]["jwks"]["remote"].clone(), &times);
    configuration["providers"][0]["jwks"]["remote"] = remote;
    for said in ["no-cache", "max-age=3600"] {
        issuer.cache_control(said);
        let envoy = tools.start(&configuration, &[&issuer]).await?;
        let asked = issuer.asked(JWKS);
        until("the set was fetched three times", async || {
            assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200", "{said}");
            Ok((issuer.asked(JWKS) >= asked + 3).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// An issuer without ETag sends its set again and again: that is no reason to check every token again.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_set_again_forgets_no_token() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut configuration = lasting(&issuer);
    configuration["providers"][0]["jwks"]["remote"]["refreshSeconds"] = 1.into();
    issuer.conduct(JWKS, Conduct::Says(issuer.jwks().to_string()));
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    becomes(&envoy, &token, "200").await?;
    let remembered = async || metric(&envoy, "finpay_jwt.cached_tokens").await;
    until("the token is remembered", async || Ok((remembered().await? == 1).then_some(()))).await?;
    let sent = issuer.answered(JWKS, 200);
    until("the set was sent twice more", async || {
        assert_eq!(remembered().await?, 1, "forgotten");
        Ok((issuer.answered(JWKS, 200) >= sent + 2).then_some(()))
    })
    .await
}

/// The least that can be configured is a minute.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_too_old_count_no_more() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    if std::env::var_os("FINPAY_LONG").is_none() {
        eprintln!("skipped: it takes more than a minute; FINPAY_LONG=1 runs it");
        return Ok(());
    }
    let issuer = Issuer::start().await?;
    let mut configuration = lasting(&issuer);
    let ages = json!({"staleSeconds": 60, "refreshSeconds": 2});
    let remote = with(configuration["providers"][0]["jwks"]["remote"].clone(), &ages);
    configuration["providers"][0]["jwks"]["remote"] = remote;
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    becomes(&envoy, &token, "200").await?;
    issuer.conduct(JWKS, Conduct::Status(500));
    let failed = Instant::now();
    until_within(Duration::from_secs(90), "the keys are too old", async || {
        let verdict = verdict(&envoy, &token).await?;
        let (low, high) = (Duration::from_secs(57), Duration::from_secs(64));
        match verdict.as_str() {
            "200" => assert!(failed.elapsed() < high, "still taken after {:?}", failed.elapsed()),
            "503 keys-unavailable" => assert!(failed.elapsed() > low, "refused after {:?}", failed.elapsed()),
            other => panic!("{other}"),
        }
        Ok((verdict != "200").then_some(()))
    })
    .await?;
    issuer.conduct(JWKS, Conduct::Well);
    becomes(&envoy, &token, "200").await
}

/// 304 confirms what is known: it says nothing to whoever knows nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_of_nothing_is_no_answer() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Status(304));
    let mut configuration = lasting(&issuer);
    configuration["providers"][0]["jwks"]["remote"]["minRefetchSeconds"] = 60.into();
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    assert_eq!(verdict(&envoy, &token).await?, "503 keys-unavailable");
    let failed = metric(&envoy, "finpay_jwt_jwks.verdict=.=failed;.;reason=.=status;.;").await?;
    assert!(failed > 0, "it is counted as a failure");
    issuer.conduct(JWKS, Conduct::Well);
    becomes(&envoy, &token, "200").await
}
