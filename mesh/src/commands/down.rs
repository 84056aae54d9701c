//! Stops the mesh.

use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use crate::console::{Step, line};
use crate::control::Control;
use crate::place::Place;
use crate::secrets;
use crate::topology::Topology;

/// Every group of processes may use its whole drain time.
const LIMIT: Duration = Duration::from_mins(1);

/// Stops it, and deletes its data where that is asked for.
pub async fn run(place: &Place, purge: bool) -> Result<()> {
    let topology = place.topology()?;
    let server = secrets::database_server(&topology.state_dir)?;
    if purge && server.is_some() {
        bail!(
            "--purge deletes SQLite files only, this mesh's data are in PostgreSQL: drop its databases there"
        );
    }
    let control = Control::new(&topology)?;
    if control.status().await?.is_none() {
        line(format!("The mesh `{}` does not run.", topology.name));
    } else {
        stop(&topology, &control).await?;
    }
    if purge {
        delete(&topology)?;
    }
    Ok(())
}

/// Asks the supervisor, and waits until it is gone.
async fn stop(topology: &Topology, control: &Control) -> Result<()> {
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

/// The tables, and the passwords that are of use for them alone.
fn delete(topology: &Topology) -> Result<()> {
    let step = Step::begin("purge");
    for folder in [topology.data_dir(), secrets::folder(&topology.state_dir)] {
        match fs::remove_dir_all(&folder) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                return Err(problem).with_context(|| format!("{} cannot be deleted", folder.display()));
            }
            _ => {}
        }
    }
    step.done("data and passwords are deleted, the next up begins anew");
    Ok(())
}
