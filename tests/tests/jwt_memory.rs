//! What the jwt filter takes of a worker's memory.

use anyhow::Result;
use serde_json::json;
use tests::issuer::Issuer;
use tests::jwt::{Tools, becomes, configuration, metric};
use tests::raw::{self, Connection};
use tests::wait::until;

/// As many as are remembered by default.
const TOKENS: u64 = 10_000;
const PROMISED_BYTES: u64 = 12 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_remembered_tokens_fit_into_what_was_promised() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&configuration(&[issuer.provider()]), &[&issuer]).await?;
    let memory = async || metric(&envoy, "finpay_jwt.memory_bytes").await;
    let remembered = async || metric(&envoy, "finpay_jwt.cached_tokens").await;
    becomes(&envoy, &issuer.token(&json!({}))?, "200").await?;
    // The main thread's VM judges nothing. Both are alike as long as nothing is remembered.
    let idle = until("all VMs tell of their memory", async || {
        let bytes = memory().await?;
        Ok((remembered().await? == 1).then_some(bytes / 2))
    })
    .await?;
    let mut connection = Connection::open(envoy.address).await?;
    for number in 1..TOKENS {
        let value = format!("Bearer {}", issuer.token(&json!({"jti": format!("token-{number}")}))?);
        let request = raw::request("GET", b"/order/1", &[(b"authorization", value.as_bytes())]);
        assert_eq!(connection.send(&request).await?.status, 200, "token {number}");
    }
    let worker = until("all tokens are remembered", async || {
        let bytes = memory().await?;
        Ok((remembered().await? == TOKENS).then_some(bytes - idle))
    })
    .await?;
    eprintln!("a worker's VM: {idle} bytes, with {TOKENS} tokens {worker} of {PROMISED_BYTES}");
    assert!(worker <= PROMISED_BYTES, "{worker} bytes");
    Ok(())
}
