//! Keys whose place the issuer's discovery document tells.

use anyhow::Result;
use serde_json::json;
use tests::issuer::{DISCOVERY, Issuer, JWKS};
use tests::jwt::{Tools, becomes, configuration, verdict};
use tests::wait::until;

const MOVED: &str = "/moved/jwks.json";

/// The keys are asked for only if they are others than the known ones; elsewhere, nothing is known of them.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_confirmed_where_they_were_and_sent_where_they_move() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let mut discovery = issuer.target(DISCOVERY);
    discovery["refreshSeconds"] = 1.into();
    let provider = issuer.provider_with(&json!({"discovery": discovery}));
    let envoy = tools.start(&configuration(&[provider]), &[&issuer]).await?;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    let confirmed_at = async |path: &str| {
        until(&format!("{path} was confirmed twice"), async || {
            Ok((issuer.answered(path, 304) >= 2).then_some(()))
        })
        .await
    };
    confirmed_at(JWKS).await?;
    assert_eq!(issuer.answered(JWKS, 200), 1, "the set was sent once");

    // The same set, so of the same ETag.
    issuer.move_keys(MOVED);
    confirmed_at(MOVED).await?;
    assert_eq!(issuer.answered(MOVED, 200), 1, "first it was asked for without condition");
    assert_eq!(issuer.answered(DISCOVERY, 200), issuer.asked(DISCOVERY), "the document is sent each time");
    assert_eq!(verdict(&envoy, &issuer.token(&json!({}))?).await?, "200");
    Ok(())
}
