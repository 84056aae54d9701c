//! Stops the mesh.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::console::{Step, line};
use crate::control::Control;
use crate::place::Place;

/// Every group of processes may use its whole drain time.
const LIMIT: Duration = Duration::from_mins(1);

/// Asks the supervisor, and waits until it is gone.
pub async fn run(place: &Place) -> Result<()> {
    let topology = place.topology()?;
    let control = Control::new(&topology)?;
    if control.status().await?.is_none() {
        line(format!("The mesh `{}` does not run.", topology.name));
        return Ok(());
    }
    let step = Step::begin("stop");
    control.stop().await?;
    let deadline = Instant::now() + LIMIT;
    while control.status().await?.is_some() {
        if Instant::now() > deadline {
            bail!("the mesh is not down after {} s, see `cargo mesh status`", LIMIT.as_secs());
        }
        sleep(Duration::from_millis(100)).await;
    }
    step.done(format!(
        "the mesh `{}` is down, its data are in {}",
        topology.name,
        topology.state_dir.display()
    ));
    Ok(())
}
