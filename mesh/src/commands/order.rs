//! Places one order.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use reqwest::StatusCode;

use crate::client::{Client, seed_order};
use crate::console::{error, line};
use crate::place::Place;
use crate::secrets::DEMO_USER;

/// Prints the answer; the exit code is 0 only when the order is paid.
pub async fn run(place: &Place, file: Option<&Path>) -> Result<ExitCode> {
    let (topology, _) = place.running().await?;
    let body = match file {
        None => seed_order().to_string(),
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
            text
        }
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
        }
    };
    let client = Client::new(&topology)?;
    let token = client.token(&topology, DEMO_USER).await?;
    let answer = client.post_text("/order/create", Some(&token), body).await?;
    line(serde_json::to_string_pretty(&answer.body)?);
    if answer.status == StatusCode::CREATED {
        return Ok(ExitCode::SUCCESS);
    }
    error(&anyhow::anyhow!("the order was refused: {}", answer.summary()));
    Ok(ExitCode::FAILURE)
}
