//! The table of processes.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::console::line;
use crate::control::{Health, Phase, Status};
use crate::place::Place;
use crate::proxies;

const MEBIBYTE: u64 = 1024 * 1024;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    status: Status,
    /// By sidecar, the Envoys that have ejected it.
    ejected_by: BTreeMap<String, Vec<String>>,
}

/// Prints the table; the exit code is 0 only when all is healthy.
pub async fn run(place: &Place, json: bool) -> Result<ExitCode> {
    let (topology, control) = place.running().await?;
    let Some(status) = control.status().await? else { return Ok(ExitCode::FAILURE) };
    let report = Report { status, ejected_by: proxies::ejections(&topology).await };
    if json {
        line(serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    let status = report.status;
    let healthy = status.processes.iter().all(|process| process.health == Health::Healthy);
    Ok(if healthy && status.phase == Phase::Ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(Report { status, ejected_by }: &Report) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "PROCESS",
        "PID",
        "HEALTH",
        "PORTS",
        "MEMORY",
        "RESTARTS",
        "EJECTED BY",
    ]);
    for process in &status.processes {
        table.add_row([
            process.name.clone(),
            process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            process.health.as_str().to_owned(),
            process.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            format!("{} MiB", process.memory_bytes / MEBIBYTE),
            process.restarts.to_string(),
            ejected_by.get(&process.name).map_or_else(String::new, |proxies| proxies.join(" ")),
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
