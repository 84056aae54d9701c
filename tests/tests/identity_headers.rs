//! The jwt filter alone says who is calling: what a client says of it is removed, on every route.

use anyhow::Result;
use tests::envoy::{self, Envoy, SEEN};
use tests::local::Local;

#[tokio::test]
async fn spoofed_identity_is_removed_where_no_token_is_needed() -> Result<()> {
    let (Some(binary), Some(local)) = (envoy::binary(), Local::from_env()?) else { return Ok(()) };
    let client = reqwest::Client::builder().no_proxy().build()?;
    let seen = async |envoy: &Envoy, name: &str| -> Result<bool> {
        let url = format!("http://{}/.well-known/jwks.json", envoy.address);
        let answer = client.get(url).header(name, "admin").header(name, "root").send().await?;
        assert_eq!(answer.status(), 200, "a public route");
        Ok(answer.headers().contains_key(format!("seen-{name}")))
    };
    let bare = Envoy::start(binary.clone(), vec![]).await?;
    let guarded = Envoy::start(binary, local.wasm_filters()?).await?;
    for name in SEEN {
        assert!(seen(&bare, name).await?, "without the filter {name} arrives, or this test sees nothing");
        assert!(!seen(&guarded, name).await?, "{name} went through the filter");
    }
    Ok(())
}
