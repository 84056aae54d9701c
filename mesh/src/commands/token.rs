//! Prints a token.

use anyhow::Result;

use crate::client::Client;
use crate::console::line;
use crate::place::Place;
use crate::secrets::DEMO_USER;

/// For the demo user, the administrator, or a user of one's own.
pub async fn run(place: &Place, user: Option<&str>) -> Result<()> {
    let (topology, _) = place.running().await?;
    let user = user.unwrap_or(DEMO_USER);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if user.is_empty() || user.len() > 64 || !user.bytes().all(allowed) {
        anyhow::bail!("{user}: a user's id has 1 to 64 letters, digits, `.`, `-` and `_`");
    }
    line(Client::new(&topology)?.token(&topology, user).await?);
    Ok(())
}
