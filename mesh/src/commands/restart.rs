//! Restarts replicas, one at a time.

use anyhow::Result;

use crate::console::Step;
use crate::place::Place;

/// Asks the supervisor, which drains, stops, starts and waits.
pub async fn run(place: &Place, process: &str) -> Result<()> {
    let (_, control) = place.running().await?;
    let step = Step::begin("restart");
    let names = control.restart(process).await?;
    step.done(format!("{} again healthy", names.join(", ")));
    Ok(())
}
