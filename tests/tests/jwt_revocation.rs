//! Tokens that were taken back: how soon they are refused, and what happens when nobody can say which they are.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::{Envoy, Setup};
use tests::issuer::{Conduct, FEED, Issuer, now};
use tests::jwt::{Tools, becomes, configuration, metric, verdict, verdicts, with};
use tests::wait::{measured, until};

/// Within this time a revoked token is refused everywhere.
const PROMISE: Duration = Duration::from_secs(5);
const REFUSED: &str = "401 invalid-token";
const UNKNOWN: &str = "503 keys-unavailable";

fn watched(issuer: &Issuer, changes: &Value) -> Value {
    let mut provider = issuer.provider();
    provider["revocations"] = with(issuer.revocations(), changes);
    configuration(&[provider])
}

fn jti(token: &str) -> Result<String> {
    let (_, claims) = tests::tokens::unverified(token)?;
    Ok(claims["jti"].as_str().unwrap_or_default().to_owned())
}

fn trials() -> usize {
    if std::env::var_os("FINPAY_LONG").is_some() { 50 } else { 5 }
}

/// How long it takes until both Envoys refuse a token that both have remembered.
async fn until_refused(
    envoys: &[Envoy],
    token: &str,
    revoke: impl FnOnce() -> Result<()>,
) -> Result<Duration> {
    for envoy in envoys {
        for attempt in ["new", "remembered"] {
            assert_eq!(verdict(envoy, token).await?, "200", "{attempt}");
        }
    }
    revoke()?;
    measured(PROMISE * 2, "the token is refused at both", async || {
        for envoy in envoys {
            match verdict(envoy, token).await?.as_str() {
                "200" => return Ok(false),
                verdict => assert_eq!(verdict, REFUSED),
            }
        }
        Ok(true)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_soon_refused_everywhere() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let configuration = watched(&issuer, &json!({}));
    let mut envoys = Vec::new();
    for concurrency in [1, 2] {
        let setup = Setup { concurrency, ..Setup::default() };
        envoys.push(tools.start_with(&configuration, &[&issuer], setup).await?);
    }
    let bystander = issuer.token(&json!({"sub": "bystander", "iat": now() - 100}))?;
    let mut longest = Duration::ZERO;
    for trial in 0..trials() {
        let token = issuer.token(&json!({}))?;
        let revoked = jti(&token)?;
        let took = until_refused(&envoys, &token, || {
            issuer.revoke(&revoked);
            Ok(())
        });
        longest = longest.max(took.await?);
        let sub = format!("subject-{trial}");
        let token = issuer.token(&json!({"sub": sub, "iat": now() - 10}))?;
        let took = until_refused(&envoys, &token, || {
            issuer.revoke_subject(&sub, now());
            Ok(())
        });
        longest = longest.max(took.await?);
        let newer = issuer.token(&json!({"sub": sub, "iat": now() + 1}))?;
        for envoy in &envoys {
            assert_eq!(verdict(envoy, &newer).await?, "200", "a token of after the cut-off");
            assert_eq!(verdict(envoy, &bystander).await?, "200", "another subject's token");
        }
    }
    eprintln!("{} revocations, two Envoys: the slowest took {longest:?}", 2 * trials());
    assert!(longest < PROMISE, "{longest:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_form_of_a_revoked_token_is_revoked_too() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    let mirrored = tests::tokens::mirrored(&token)?;
    becomes(&envoy, &mirrored, "200").await?;
    issuer.revoke(&jti(&token)?);
    becomes(&envoy, &token, REFUSED).await?;
    assert_eq!(verdict(&envoy, &mirrored).await?, REFUSED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_without_a_single_revocation_is_a_feed() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    // As of a service on its first day: cursor 0, and nothing.
    issuer.feed(|feed| feed.start = 0);
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_falls_silent_counts_for_a_while() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let stale_after = Duration::from_secs(5);
    let config =
        |when: &str| watched(&issuer, &json!({"staleSeconds": stale_after.as_secs(), "whenStale": when}));
    let refusing = tools.start(&config("refuse"), &[&issuer]).await?;
    let passing = tools.start(&config("pass"), &[&issuer]).await?;
    let (token, revoked) = (issuer.token(&json!({}))?, issuer.token(&json!({}))?);
    issuer.revoke(&jti(&revoked)?);
    for envoy in [&refusing, &passing] {
        becomes(envoy, &token, "200").await?;
        becomes(envoy, &revoked, REFUSED).await?;
    }
    issuer.conduct(FEED, Conduct::Status(500));
    let failed = Instant::now();
    until("the last list is too old", async || {
        let old = verdict(&refusing, &token).await?;
        let since = failed.elapsed();
        assert_eq!(verdict(&refusing, &revoked).await? == REFUSED, old == "200", "{since:?}");
        assert_eq!(verdict(&passing, &token).await?, "200");
        assert_eq!(verdict(&passing, &revoked).await?, REFUSED, "by what was known last");
        if old == "200" {
            assert!(since < stale_after + Duration::from_secs(3), "{since:?} after the last good answer");
            return Ok(None);
        }
        assert_eq!(old, UNKNOWN);
        assert!(since + Duration::from_secs(2) > stale_after, "refused already after {since:?}");
        Ok(Some(()))
    })
    .await?;
    assert!(verdicts(&refusing, "deny", "revocations_unavailable").await? > 0);
    let failures = metric(&passing, "finpay_jwt_revocations.verdict=.=failed;.;reason=.=status;.;").await?;
    assert!(failures > 0, "the failures are counted");

    issuer.conduct(FEED, Conduct::Well);
    becomes(&refusing, &token, "200").await?;
    assert_eq!(verdict(&refusing, &revoked).await?, REFUSED, "still known");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_was_never_heard_of() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(FEED, Conduct::Status(503));
    let token = issuer.token(&json!({}))?;
    let passing = tools.start(&watched(&issuer, &json!({"whenStale": "pass"})), &[&issuer]).await?;
    assert_eq!(verdict(&passing, &token).await?, "200");
    let refusing = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    assert_eq!(verdict(&refusing, &token).await?, UNKNOWN);
    issuer.revoke(&jti(&token)?);
    issuer.conduct(FEED, Conduct::Well);
    for envoy in [&passing, &refusing] {
        becomes(envoy, &token, REFUSED).await?;
        assert_eq!(verdict(envoy, &issuer.token(&json!({}))?).await?, "200");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_revocations_than_the_limit_close_the_door() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let configuration = with(watched(&issuer, &json!({})), &json!({"limits": {"revocations": 3}}));
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    for number in 0..3 {
        issuer.revoke(&format!("other-{number}"));
    }
    becomes(&envoy, &token, "200").await?;
    issuer.revoke("other-3");
    becomes(&envoy, &token, UNKNOWN).await?;
    let counted = metric(&envoy, "finpay_jwt_revocations.verdict=.=failed;.;reason=.=too_many;.;").await?;
    assert!(counted > 0, "it is counted");
    issuer.feed(|feed| feed.entries.truncate(2));
    becomes(&envoy, &token, "200").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_begins_anew_voids_what_was_known() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    let (first, second) = (issuer.token(&json!({}))?, issuer.token(&json!({}))?);
    issuer.revoke(&jti(&first)?);
    becomes(&envoy, &first, REFUSED).await?;
    let second_id = jti(&second)?;
    issuer.feed(|feed| {
        feed.start = 10;
        feed.entries = vec![json!({"jti": second_id, "exp": now() + 900})];
    });
    becomes(&envoy, &second, REFUSED).await?;
    assert_eq!(verdict(&envoy, &first).await?, "200", "the new feed does not know it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_feed_is_read_to_its_end_at_once() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let last = issuer.token(&json!({}))?;
    issuer.feed(|feed| feed.page = 10);
    for number in 0..95 {
        issuer.revoke(&format!("other-{number}"));
    }
    issuer.revoke(&jti(&last)?);
    let started = Instant::now();
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    becomes(&envoy, &last, REFUSED).await?;
    assert!(started.elapsed() < PROMISE, "ten pages took {:?}", started.elapsed());
    assert_eq!(metric(&envoy, "finpay_jwt_revocations.provider=.=default;.;entries").await?, 96);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_feed_is_no_ground_to_let_a_token_in() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let last = issuer.token(&json!({}))?;
    issuer.feed(|feed| feed.page = 1);
    for number in 0..400 {
        issuer.revoke(&format!("other-{number}"));
    }
    issuer.revoke(&jti(&last)?);
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    let mut seen = Vec::new();
    until("the last page is known", async || {
        for _ in 0..20 {
            seen.push(verdict(&envoy, &last).await?);
        }
        Ok(seen.last().is_some_and(|verdict| verdict == REFUSED).then_some(()))
    })
    .await?;
    let passed = seen.iter().filter(|verdict| *verdict == "200").count();
    assert_eq!(passed, 0, "a revoked token passed {passed} times while its page was not read yet");
    Ok(())
}

/// What was said already counts, whatever becomes of the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_adds_to_a_list_counts_at_once() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let setup = Setup { concurrency: 2, ..Setup::default() };
    let envoy = tools.start_with(&watched(&issuer, &json!({"staleSeconds": 5})), &[&issuer], setup).await?;
    let (token, revoked) = (issuer.token(&json!({}))?, issuer.token(&json!({}))?);
    becomes(&envoy, &revoked, "200").await?;
    let entries = json!([{"jti": jti(&revoked)?, "exp": now() + 900}]);
    // The same page again is no page after it: each reading fails at its second page.
    let page = json!({"cursor": 1001, "more": true, "entries": entries});
    issuer.conduct(FEED, Conduct::Says(page.to_string()));
    becomes(&envoy, &revoked, REFUSED).await?;
    // The list's age is that of its last reading to the end.
    becomes(&envoy, &token, UNKNOWN).await?;
    issuer.conduct(FEED, Conduct::Well);
    becomes(&envoy, &token, "200").await
}

/// A reading of a thousand pages is ended, so that a feed without end leaves time for requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_of_too_many_pages_is_read_in_pieces() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&watched(&issuer, &json!({})), &[&issuer]).await?;
    let last = issuer.token(&json!({}))?;
    becomes(&envoy, &last, "200").await?;
    let id = jti(&last)?;
    issuer.feed(|feed| {
        feed.page = 1;
        let others = (0..1_500).map(|number| json!({"jti": format!("other-{number}"), "exp": now() + 900}));
        feed.entries.extend(others.chain([json!({"jti": id, "exp": now() + 900})]));
    });
    becomes(&envoy, &last, REFUSED).await?;
    let ended = metric(&envoy, "finpay_jwt_revocations.verdict=.=failed;.;reason=.=document;.;").await?;
    assert_eq!(ended, 1, "one reading was ended before its end, and the next one went on from there");
    Ok(())
}
