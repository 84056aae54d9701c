//! Requests that wait for keys.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tests::envoy::{Options, Setup};
use tests::issuer::{Conduct, Issuer, JWKS, Pair, TIMEOUT, header};
use tests::jwt::{Tools, becomes, metric, verdict, with};
use tests::raw;
use tests::wait::until;

use super::{at_once, lasting, may_refetch};

/// What the filter adds to an answer's time before it gives up a request that waits.
const MARGIN: Duration = Duration::from_millis(500);
/// What this machine may add to all of it.
const SLACK: Duration = Duration::from_millis(700);

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
    assert_eq!(envoy.vm_failures()?, 0);
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

/// The new configuration finds other keys of that name elsewhere, before the answer to the old one comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_configuration_during_a_fetch_leaves_nobody_waiting() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(900)));
    let old = issuer.pair()?;
    let new = Pair::generate(&old.kid)?;
    issuer.conduct("/new", Conduct::Says(json!({"keys": [new.jwk]}).to_string()));
    let setup = Options { is_dynamic: true, ..Options::default() };
    let envoy = tools.start_with(&lasting(&issuer), &[&issuer], setup).await?;
    let mut changed = with(lasting(&issuer), &json!({"realm": "changed"}));
    changed["providers"][0]["jwks"]["remote"]["path"] = "/new".into();
    let signed = |pair: &Pair| pair.sign(&header(pair), &issuer.claims(&json!({})));
    let token = signed(&old);
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
    for token in [&token, &signed(&old)] {
        assert_eq!(verdict(&envoy, token).await?, "401 invalid-token", "by the old configuration's key");
    }
    assert_eq!(verdict(&envoy, &signed(&new)).await?, "200", "its first request finds the keys");
    assert_eq!((issuer.answered(JWKS, 200), issuer.answered("/new", 200)), (1, 1));
    assert_eq!(envoy.vm_failures()?, 0);
    Ok(())
}

/// An access log is written when the client leaves, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_query_is_in_no_log_while_it_waits() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    issuer.conduct(JWKS, Conduct::Slowly(Duration::from_millis(900)));
    let configuration = with(lasting(&issuer), &json!({"tokenPlaces": [{"query": "access_token"}]}));
    let options = Options { seen: vec![":path".to_owned()], ..Options::default() };
    let envoy = tools.start_with(&configuration, &[&issuer], options).await?;
    let token = issuer.token(&json!({}))?;
    let target = format!("/order/1?a=1&access_token={token}&b=2");
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = raw::Connection::open(envoy.address).await?;
        client.start(&raw::request("GET", target.as_bytes(), &[])).await?;
        clients.push(client);
    }
    until("both of them wait", async || {
        Ok((metric(&envoy, "finpay_jwt.parked_requests").await? == 2).then_some(()))
    })
    .await?;
    let mut stays = clients.pop().expect("one of two");
    drop(clients);
    envoy.logs("access: GET /order/1?a=1&b=2 0").await?;
    let reply = stays.read().await?;
    assert_eq!((reply.status, reply.header("seen-path")), (200, "/order/1?a=1&b=2"), "the one that stayed");
    let log = envoy.logs("access: GET /order/1?a=1&b=2 200").await?;
    assert!(!log.contains(&token), "{log}");
    Ok(())
}
