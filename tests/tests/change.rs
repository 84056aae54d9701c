//! The mesh is changed under load (one-machine mesh only), and no request fails.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mesh::commands::apply;
use mesh::control::Control;
use mesh::place::Place;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::load::{failures, orders_while};
use tests::local::Local;
use tests::metrics::{self, Source};
use tests::wait::until;
use tests::{System, User, orders, tokens};

const PERIOD: Duration = Duration::from_millis(20);
/// Requests of each kind in a dry run.
const EACH: u32 = 30;

/// Other words in the filters' manifest.
struct Change {
    place: Place,
    original: PathBuf,
    folder: TempDir,
}

impl Change {
    fn of(local: &Local, from: &str, to: &str) -> Result<Self> {
        let place = local.place()?;
        let original = place.manifests().join("wasm-plugins.yaml");
        let text = std::fs::read_to_string(&original)?;
        assert_eq!(text.matches(from).count(), 1, "the manifest says {from:?}");
        let folder = tempfile::tempdir()?;
        std::fs::write(Self::file(&folder), text.replace(from, to))?;
        Ok(Self { place, original, folder })
    }

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("jwt.yaml")
    }

    async fn apply(&self) -> Result<()> {
        apply::run(&self.place, &Self::file(&self.folder)).await
    }

    async fn take_back(&self) -> Result<()> {
        apply::run(&self.place, &self.original).await.context("back to what was")
    }
}

/// The user's token with another value of this claim, signed by auth's own key.
async fn with_claim(local: &Local, user: &User, claim: &str, value: Value) -> Result<String> {
    let (key, _) = local.signing_key().await?;
    let (header, mut claims) = tokens::unverified(&user.token)?;
    claims[claim] = value;
    Ok(tokens::sign(&key, &header, &claims))
}

/// What a token for another audience is answered.
async fn for_audience(system: &System, local: &Local, user: &User, audience: &str) -> Result<StatusCode> {
    let token = with_claim(local, user, "aud", json!(audience)).await?;
    Ok(system.post("/order/create", &token, &orders::seed(&user.id)).await?.status)
}

async fn an_applied_audience_counts_at_once(system: &System, local: &Local, user: &User) -> Result<()> {
    let change = Change::of(local, "audiences: [finpay]", "audiences: [finpay, another]")?;
    assert_eq!(for_audience(system, local, user, "another").await?, 401, "before");
    let (answers, ()) = orders_while(system, user, PERIOD, 100, change.apply()).await?;
    assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
    eprintln!("apply: {} orders, all 201", answers.len());
    assert_eq!(for_audience(system, local, user, "another").await?, 201, "after");
    change.take_back().await?;
    assert_eq!(for_audience(system, local, user, "another").await?, 401, "after the change back");
    Ok(())
}

/// Asks order-service for what it does not have, with this token or without any.
async fn asked(system: &System, token: Option<&String>) -> Result<String> {
    let request = system.request(Method::GET, "/order/none/none");
    let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
    Ok(system.send(request).await?.verdict())
}

/// What the jwt filters of order-service counted with these labels.
async fn counted(system: &System, labels: &[&str]) -> Result<f64> {
    let texts = metrics::scrape(&system.client, "order-service", Source::Sidecar).await?;
    Ok(texts.iter().map(|text| metrics::sum(text, "finpay_jwt_requests_total", labels)).sum())
}

/// What order-service itself saw of such requests, what was refused, and what would have been for each reason.
async fn counts(system: &System, reasons: &[&str]) -> Result<Vec<f64>> {
    let seen = metrics::requests_seen(&system.client, "order-service", "unmatched").await?;
    let mut counts = vec![seen, counted(system, &["verdict=\"deny\""]).await?];
    for reason in reasons {
        let reason = format!("reason=\"{reason}\"");
        counts.push(counted(system, &["verdict=\"would_deny\"", &reason]).await?);
    }
    Ok(counts)
}

/// While the rule only counts, requests that it would refuse are answered by the service, as good ones are, and orders
/// are taken all the time.
async fn refused_by_nobody(system: &System, local: &Local, user: &User) -> Result<()> {
    let tampered = tokens::tampered(&user.token, "sub", json!("admin"))?;
    let short = with_claim(local, user, "scope", json!("orders:write")).await?;
    let bad = [("missing_token", None), ("signature", Some(&tampered)), ("scope", Some(&short))];
    let reasons = bad.map(|(reason, _)| reason);
    let before = counts(system, &reasons).await?;
    let asks = async {
        for _ in 0..EACH {
            for (reason, token) in bad.into_iter().chain([("ok", Some(&user.token))]) {
                let verdict = asked(system, token).await?;
                ensure!(verdict == "404 not-found", "{reason}: {verdict} is not the service's word");
            }
        }
        Ok(())
    };
    let (answers, ()) = orders_while(system, user, PERIOD, 100, asks).await?;
    ensure!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
    let more = [4 * EACH, 0, EACH, EACH, EACH].map(f64::from);
    let expected: Vec<f64> = before.iter().zip(more).map(|(then, more)| then + more).collect();
    until("all are counted", async || Ok((counts(system, &reasons).await? == expected).then_some(())))
        .await
        .with_context(|| format!("{before:?} of seen, denied and {reasons:?} should become {expected:?}"))?;
    eprintln!("dry run: {} bad requests among {} orders, all seen by the service", 3 * EACH, answers.len());
    Ok(())
}

async fn a_dry_run_refuses_nothing(system: &System, local: &Local, user: &User) -> Result<()> {
    let rule = "scopes: [\"orders:read\"]\n";
    let change = Change::of(local, rule, &format!("{rule}        dryRun: true\n"))?;
    assert_eq!(asked(system, None).await?, "401 missing-token", "before");
    let (answers, ()) = orders_while(system, user, PERIOD, 100, change.apply()).await?;
    let outcome = refused_by_nobody(system, local, user).await;
    change.take_back().await?;
    outcome?;
    assert!(failures(&answers).is_empty(), "{:?} of {}", failures(&answers), answers.len());
    assert_eq!(asked(system, None).await?, "401 missing-token", "after the change back");
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
    a_dry_run_refuses_nothing(&system, &local, &user).await?;
    a_restart_fails_nothing(&system, &local, &user).await
}
