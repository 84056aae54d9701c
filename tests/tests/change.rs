//! The mesh is changed under load (one-machine mesh only), and no request fails.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use mesh::commands::apply;
use mesh::control::Control;
use reqwest::StatusCode;
use serde_json::json;
use tests::load::{failures, orders_while};
use tests::local::Local;
use tests::{System, User, orders, tokens};

const PERIOD: Duration = Duration::from_millis(20);

/// What a token for another audience is answered.
async fn for_audience(system: &System, local: &Local, user: &User, audience: &str) -> Result<StatusCode> {
    let (key, _) = local.signing_key().await?;
    let (header, mut claims) = tokens::unverified(&user.token)?;
    claims["aud"] = json!(audience);
    let token = tokens::sign(&key, &header, &claims);
    Ok(system.post("/order/create", &token, &orders::seed(&user.id)).await?.status)
}

async fn an_applied_audience_counts_at_once(system: &System, local: &Local, user: &User) -> Result<()> {
    let place = local.place()?;
    let original = place.manifests().join("wasm-plugins.yaml");
    let text = std::fs::read_to_string(&original)?;
    let changed = text.replace("audiences: [finpay]", "audiences: [finpay, another]");
    assert_ne!(text, changed, "the manifest names its audience");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("jwt.yaml");
    std::fs::write(&file, changed)?;
    let apply = async |file: &Path| apply::run(&place, file).await;

    assert_eq!(for_audience(system, local, user, "another").await?, 401, "before");
    let (answers, ()) = orders_while(system, user, PERIOD, 100, apply(&file)).await?;
    assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
    eprintln!("apply: {} orders, all 201", answers.len());
    assert_eq!(for_audience(system, local, user, "another").await?, 201, "after");
    apply(&original).await.context("back to what was")?;
    assert_eq!(for_audience(system, local, user, "another").await?, 401, "after the change back");
    Ok(())
}

async fn a_restart_fails_nothing(system: &System, local: &Local, user: &User) -> Result<()> {
    let control = Control::new(&local.topology)?;
    for service in ["order-service", "payment-service", "auth-service"] {
        let (answers, restarted) = orders_while(system, user, PERIOD, 100, control.restart(service)).await?;
        assert!(failures(&answers).is_empty(), "{service}: {:?} of {}", failures(&answers), answers.len());
        eprintln!("restart of {}: {} orders, all 201", restarted.join(", "), answers.len());
    }
    Ok(())
}

#[tokio::test]
async fn changes_cost_no_request() -> Result<()> {
    let (Some(system), Some(local)) = (System::from_env(), Local::from_env()?) else { return Ok(()) };
    let user = system.new_user().await?;
    an_applied_audience_counts_at_once(&system, &local, &user).await?;
    a_restart_fails_nothing(&system, &local, &user).await
}
