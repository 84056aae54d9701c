//! The table of processes.

use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

use crate::console::line;
use crate::control::{Health, Phase, Status};
use crate::place::Place;

const MEBIBYTE: u64 = 1024 * 1024;

/// Prints the table; the exit code is 0 only when all is healthy.
pub async fn run(place: &Place, json: bool) -> Result<ExitCode> {
    let (_, control) = place.running().await?;
    let Some(status) = control.status().await? else { return Ok(ExitCode::FAILURE) };
    if json {
        line(serde_json::to_string_pretty(&status)?);
    } else {
        print(&status);
    }
    let healthy = status.processes.iter().all(|process| process.health == Health::Healthy);
    Ok(if healthy && status.phase == Phase::Ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(status: &Status) {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["PROCESS", "PID", "HEALTH", "PORTS", "MEMORY", "RESTARTS"]);
    for process in &status.processes {
        table.add_row([
            process.name.clone(),
            process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            process.health.as_str().to_owned(),
            process.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            format!("{} MiB", process.memory_bytes / MEBIBYTE),
            process.restarts.to_string(),
        ]);
    }
    for right in [1, 4, 5] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    line(table.trim_fmt());
    let total: u64 = status.processes.iter().map(|process| process.memory_bytes).sum();
    line(format!("{} processes, {} MiB", status.processes.len(), total / MEBIBYTE));
    if let Some(problem) = &status.problem {
        line(problem);
    }
}
