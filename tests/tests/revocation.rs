//! What auth revokes is refused at every sidecar within five seconds, and what it did not revoke is not.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::wait::until;
use tests::{System, User, metrics, orders};

/// Of a revocation, from auth's answer to the last order that passes.
const LIMIT: Duration = Duration::from_secs(5);

/// Orders until one is refused. Gateway and sidecars balance, so that each replica is asked in turn: it counts when it
/// was refused this often in a row.
const IN_A_ROW: usize = 6;

async fn refused_after(system: &System, user: &User) -> Result<Duration> {
    let revoked = Instant::now();
    let (mut refusals, mut last_passed) = (0, Duration::ZERO);
    while refusals < IN_A_ROW {
        let answer = system.get("/order/none", &user.token).await?;
        match answer.verdict().as_str() {
            "401 invalid-token" => refusals += 1,
            "404 not-found" => (refusals, last_passed) = (0, revoked.elapsed()),
            other => bail!("the order was answered with {other}"),
        }
        if revoked.elapsed() > LIMIT + LIMIT {
            bail!("still not refused everywhere after {:?}", revoked.elapsed());
        }
    }
    Ok(last_passed)
}

async fn expect(status: StatusCode, request: reqwest::RequestBuilder, system: &System) -> Result<()> {
    let answer = system.send(request).await?;
    if answer.status == status { Ok(()) } else { bail!("{}", answer.verdict()) }
}

#[tokio::test]
async fn a_token_that_was_logged_out_is_refused_within_five_seconds() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let trials = if std::env::var_os("FINPAY_LONG").is_some() { 50 } else { 3 };
    let mut longest = Duration::ZERO;
    for _ in 0..trials {
        let user = system.new_user().await?;
        let ordered = system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
        assert_eq!(ordered.status, StatusCode::CREATED, "before: {}", ordered.verdict());
        let logout = system.request(Method::POST, "/auth/logout").bearer_auth(&user.token);
        expect(StatusCode::NO_CONTENT, logout, &system).await?;
        longest = longest.max(refused_after(&system, &user).await?);
    }
    eprintln!("revoked tokens passed for at most {longest:?} in {trials} trials");
    assert!(longest < LIMIT, "a revoked token passed for {longest:?}");
    Ok(())
}

#[tokio::test]
async fn all_tokens_of_a_user_end_and_a_new_login_begins() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, other) = (system.new_user().await?, system.new_user().await?);
    let cut = |token: &str| {
        let path = format!("/auth/users/{}/tokens", user.id);
        system.request(Method::DELETE, &path).bearer_auth(token)
    };
    expect(StatusCode::FORBIDDEN, cut(&other.token), &system).await?;
    expect(StatusCode::NO_CONTENT, cut(&system.admin().await?.token), &system).await?;
    let took = refused_after(&system, &user).await?;
    assert!(took < LIMIT, "the user's tokens passed for {took:?}");
    let again = system.log_in(&user).await?;
    for token in [&again.token, &other.token] {
        let answer = system.get("/order/none", token).await?;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.verdict());
    }
    Ok(())
}

/// What order-service's account asked of auth-service's sidecars, by the security of the connection. The service itself
/// never calls auth: these are its sidecar's fetches of keys and revocations.
async fn fetches(system: &System, security: &str) -> Result<f64> {
    let labels = [
        "istio_requests_total{",
        "reporter=\"destination\"",
        "sa/order-service\"",
        "response_code=\"200\"",
        &format!("connection_security_policy=\"{security}\""),
    ];
    let texts = metrics::scrape(&system.client, "auth-service", metrics::Source::Sidecar).await?;
    let lines = texts.iter().flat_map(|text| text.lines());
    let lines = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
    Ok(lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
}

#[tokio::test]
async fn keys_and_revocations_come_by_mutual_tls() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let before = fetches(&system, "mutual_tls").await?;
    until("the feed is asked again", async || {
        Ok((fetches(&system, "mutual_tls").await? >= before + 3.0).then_some(()))
    })
    .await?;
    assert!(fetches(&system, "none").await? < 1.0, "in plaintext");
    Ok(())
}

#[tokio::test]
async fn the_feed_is_for_the_mesh_alone() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let answer = system.send(system.request(Method::GET, "/.well-known/revocations")).await?;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "from outside: {}", answer.verdict());
    let body = json!({"jti": "x"});
    let user = system.new_user().await?;
    let answer = system.post("/auth/revocations", &user.token, &body).await?;
    assert_eq!(answer.verdict(), "403 insufficient-scope");
    let kid = system.post("/auth/keys", &user.token, &json!({})).await?;
    kid.status.is_client_error().then_some(()).context("a user made a signing key")
}
