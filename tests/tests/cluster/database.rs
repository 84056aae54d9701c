//! The database goes away and comes back, and so does the whole cluster: nothing is lost, orders end right.

use std::env;
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::cluster::settles;
use tests::wait::until_within;
use tests::{Answer, System, User, orders};
use tokio::process::Command;

async fn order(system: &System, user: &User, key: &str) -> Result<Answer> {
    let request = system.request(reqwest::Method::POST, "/order/create").bearer_auth(&user.token);
    system.send(request.header("idempotency-key", key).json(&orders::seed(&user.id))).await
}

async fn run(command: &str) -> Result<()> {
    ensure!(Command::new("sh").args(["-c", command]).status().await?.success(), "{command}");
    Ok(())
}

/// An answer, or 0 where the connection itself failed.
async fn status(system: &System, user: &User, key: &str) -> Result<u16> {
    Ok(order(system, user, key).await.map_or(0, |answer| answer.status.as_u16()))
}

/// Does what takes the system away and brings it back: the orders of before are there, the ones tried in
/// between are paid once when they are tried again.
async fn survives(system: &System, away: &str, back: &str, time: Duration) -> Result<()> {
    let user = system.new_user().await?;
    // Pods are ready a moment before their filters have fetched the keys.
    settles("it serves", 201, async || status(system, &user, "first").await).await?;
    let before = order(system, &user, "before").await?;
    ensure!(before.status == 201, "{before:?}");
    run(away).await?;
    until_within(Duration::from_mins(1), "it is away", async || {
        Ok((status(system, &user, "between").await? != 201).then_some(()))
    })
    .await?;
    tokio::time::sleep(time).await;
    run(back).await?;
    settles("it is back", 201, async || status(system, &user, "between").await).await?;
    let again = order(system, &user, "before").await?;
    assert_eq!(again.body, before.body, "the same order, byte for byte");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let between = order(system, &user, "between").await?;
    assert_eq!(
        (between.body["state"].as_str(), between.header("idempotent-replayed")),
        (Some("paid"), "true")
    );
    let path = before.header("location");
    assert_eq!(system.get(path, &user.token).await?.body["state"], "paid");
    Ok(())
}

#[tokio::test]
async fn orders_survive_an_outage() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    for (what, away, back) in [
        ("the database", "FINPAY_STOP_DATABASE", "FINPAY_START_DATABASE"),
        ("the cluster", "FINPAY_STOP_CLUSTER", "FINPAY_START_CLUSTER"),
    ] {
        let (Ok(away), Ok(back)) = (env::var(away), env::var(back)) else {
            eprintln!("skipped: {away} and {back} name no commands that take {what} away and bring it back");
            continue;
        };
        let long = env::var_os("FINPAY_LONG").is_some();
        survives(&system, &away, &back, Duration::from_secs(if long { 60 } else { 5 })).await?;
        eprintln!("{what} was away, and all is there");
    }
    Ok(())
}
