//! What a process has used, as the kernel counts it.

use std::fs;

use anyhow::{Context as _, Result};

/// CPU time of all threads of a process so far, in nanoseconds. Unlike `/proc/PID/stat` it does not count in ticks.
pub fn cpu_nanoseconds(pid: u32) -> Result<u64> {
    let tasks = format!("/proc/{pid}/task");
    let mut sum = 0;
    for task in fs::read_dir(&tasks).with_context(|| format!("{tasks} cannot be read"))? {
        let file = task?.path().join("schedstat");
        // A thread may end between the listing and the reading; Envoy's workers do not.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let first = text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok());
        sum += first.with_context(|| format!("{} holds no time", file.display()))?;
    }
    Ok(sum)
}
