//! Keys that come, change and go, and an issuer with bad days.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::{Envoy, Setup};
use tests::issuer::{Conduct, Issuer, JWKS, TIMEOUT};
use tests::jwt::{Tools, configuration, faults, metric, with};
use tests::wait::{until, until_within};
use tests::{issuer, raw};
use tokio::task::JoinSet;

/// What the filter adds to an answer's time before it gives up a request that waits.
const MARGIN: Duration = Duration::from_millis(500);
/// What this machine may add to all of it.
const SLACK: Duration = Duration::from_millis(700);

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

async fn verdict(envoy: &Envoy, token: &str) -> Result<String> {
    Ok(raw::bearer(envoy.address, "/order/1", token).await?.verdict())
}

/// Requests with this token until one has this verdict.
async fn becomes(envoy: &Envoy, token: &str, wanted: &str) -> Result<()> {
    until(&format!("the verdict is {wanted}"), async || {
        Ok((verdict(envoy, token).await? == wanted).then_some(()))
    })
    .await
}

async fn vm_failures(envoy: &Envoy) -> Result<u64> {
    let failures = envoy.stats("wasm").await?;
    Ok(failures.iter().filter(|(name, _)| name.contains("fail")).map(|(_, count)| count).sum())
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
    assert!((2..=4).contains(&fetches), "{fetches} fetches with one allowed per second");
    assert!(refused > 20, "refusals between the fetches do not wait: {refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_requests_wait_for_the_first_keys() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    for concurrency in [1, 2] {
        let issuer = Issuer::start().await?;
        issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(600)));
        let setup = Setup { concurrency, ..Setup::default() };
        let envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
        let verdicts = at_once(&envoy, &issuer.token(&json!({}))?, 30).await?;
        assert_eq!(verdicts, vec!["200"; 30], "{concurrency} workers");
        assert_eq!(issuer.asked(JWKS), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_matters_only_until_its_keys_are_known() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.go_down().await;
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    let reply = raw::bearer(envoy.address, "/order/1", &token).await?;
    assert_eq!(faults(&reply, "503 keys-unavailable", &[&token]), Vec::<String>::new(), "{reply:?}");

    issuer.come_up().await?;
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
    issuer.rotate(false)?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    assert_eq!(verdict(&envoy, &token).await?, "401 invalid-token", "a key that was withdrawn");
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

#[tokio::test(flavor = "multi_thread")]
async fn requests_wait_no_longer_than_the_issuer_may_take() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Silent);
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    let started = Instant::now();
    let verdicts = at_once(&envoy, &token, 10).await?;
    let cold = started.elapsed();
    assert_eq!(verdicts, vec!["503 keys-unavailable"; 10], "no keys at all");

    issuer.conduct(JWKS, Conduct::Well);
    becomes(&envoy, &token, "200").await?;
    may_refetch(&issuer, Instant::now()).await?;
    issuer.conduct(JWKS, Conduct::Silent);
    issuer.rotate(true)?;
    let started = Instant::now();
    let verdicts = at_once(&envoy, &issuer.token(&json!({}))?, 10).await?;
    let warm = started.elapsed();
    assert_eq!(verdicts, vec!["401 invalid-token"; 10], "an unknown key");
    eprintln!("with a silent issuer requests waited {cold:?} at the start, {warm:?} later");
    assert!(cold.max(warm) < TIMEOUT + MARGIN + SLACK, "{cold:?} {warm:?}");
    assert!(warm > Duration::from_millis(500), "they did wait: {warm:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_while_it_waits_does_no_harm() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(900)));
    let envoy = tools.start(&lasting(&issuer), &[&issuer]).await?;
    let token = issuer.token(&json!({}))?;
    let authorization = format!("Bearer {token}");
    let request = raw::request("GET", b"/order/1", &[(b"authorization", authorization.as_bytes())]);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = raw::Connection::open(envoy.address).await?;
        client.start(&request).await?;
        clients.push(client);
    }
    until("all of them wait", async || {
        Ok((metric(&envoy, "finpay_jwt.parked_requests").await? == 20).then_some(()))
    })
    .await?;
    let stays = clients.pop();
    drop(clients);
    let reply = stays.expect("one of twenty").read().await?;
    assert_eq!(reply.verdict(), "200", "the one that stayed");
    becomes(&envoy, &token, "200").await?;
    assert_eq!(metric(&envoy, "finpay_jwt.parked_requests").await?, 0, "nobody waits any more");
    assert_eq!(vm_failures(&envoy).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn those_beyond_the_limit_are_refused_at_once() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(900)));
    let configuration = with(lasting(&issuer), &json!({"limits": {"parkedRequests": 2}}));
    let envoy = tools.start(&configuration, &[&issuer]).await?;
    let mut verdicts = at_once(&envoy, &issuer.token(&json!({}))?, 10).await?;
    verdicts.sort();
    let expected = [vec!["200"; 2], vec!["503 keys-unavailable"; 8]].concat();
    assert_eq!(verdicts, expected);
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
    let (started, length) = (Instant::now(), Duration::from_secs(5));
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (issuer, old, address) = (Arc::clone(&issuer), old.clone(), envoy.address);
        clients.spawn(async move {
            let mut connection = raw::Connection::open(address).await?;
            let mut count = 0;
            while started.elapsed() < length {
                let token = if count % 2 == 0 { issuer.token(&json!({}))? } else { old.clone() };
                let value = format!("Bearer {token}");
                let request = raw::request("GET", b"/order/1", &[(b"authorization", value.as_bytes())]);
                let reply = connection.send(&request).await?;
                assert_eq!(
                    reply.verdict(),
                    "200",
                    "client {client}, {:?} after the start",
                    started.elapsed()
                );
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    until("half of the time is over", async || Ok((started.elapsed() > length / 2).then_some(()))).await?;
    let before = issuer.asked(JWKS);
    issuer.rotate(true)?;
    let mut sent = 0;
    while let Some(count) = clients.join_next().await {
        sent += count??;
    }
    eprintln!("{sent} requests over a rotation, {} fetches for it", issuer.asked(JWKS) - before);
    assert_eq!(issuer.asked(JWKS) - before, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_configuration_during_a_fetch_leaves_nobody_waiting() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(900)));
    let setup = Setup { is_dynamic: true, ..Setup::default() };
    let envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
    let token = issuer.token(&json!({}))?;
    let changed = with(lasting(&issuer), &json!({"realm": "changed"}));
    let (waiting, change) = tokio::join!(at_once(&envoy, &token, 10), async {
        until("all of them wait", async || {
            Ok((metric(&envoy, "finpay_jwt.parked_requests").await? == 10).then_some(()))
        })
        .await?;
        envoy.change(&[tools.filter(&changed)])
    });
    change?;
    assert_eq!(waiting?, vec!["200"; 10], "those of the old configuration");
    until("the new configuration is in force", async || {
        let reply = raw::get(envoy.address, "/order/1", &[]).await?;
        assert_eq!(reply.verdict(), "401 missing-token");
        Ok(reply.header("www-authenticate").contains("changed").then_some(()))
    })
    .await?;
    assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200", "its first request finds the keys");
    assert_eq!(vm_failures(&envoy).await?, 0);
    Ok(())
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
