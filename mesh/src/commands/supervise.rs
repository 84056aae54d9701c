//! The supervisor of a mesh that `up` prepared.

use anyhow::Result;

use crate::place::Place;
use crate::supervisor::Supervisor;

/// Runs until the mesh is stopped.
pub async fn run(place: &Place) -> Result<()> {
    // A session of its own: closing the terminal does not end the mesh. Fails where it leads a group already.
    let _ = rustix::process::setsid();
    let topology = place.topology()?;
    Supervisor::new(place, topology)?.run().await
}
