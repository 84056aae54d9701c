//! Rows of figures, for people and as JSON.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use serde::Serialize;

use crate::rounds::Measured;
use crate::stats::Spread;

const COLUMNS: [&str; 8] = [
    "chain",
    "us/request",
    "over empty",
    "of native, request",
    "of native, filter",
    "module KiB",
    "Envoy MiB",
    "VM failures",
];

/// A table of one question.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Its name on the command line.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// A row per chain.
    pub rows: Vec<Row>,
}

/// A chain's row.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The chain.
    pub chain: String,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// CPU time of a request.
    pub microseconds: Option<Spread>,
    /// That without an empty Envoy's, round by round.
    pub over_empty: Option<Spread>,
    /// The request's time as a part of that with Envoy's own filter.
    pub of_native_request: Option<Spread>,
    /// The filter's time as a part of that of Envoy's own.
    pub of_native_filter: Option<Spread>,
    /// The module's size.
    pub module_bytes: Option<u64>,
    /// Envoy's memory before the first request and after the last.
    pub resident_kib: Option<[u64; 2]>,
    /// VMs that ended.
    pub vm_failures: Option<u64>,
}

impl Table {
    /// From what was measured; rows refer to each other by name.
    pub fn new(name: &str, title: &str, measured: &[Measured]) -> Self {
        let rows = measured.iter().map(|place| Row::new(place, measured)).collect();
        Self { name: name.to_owned(), title: title.to_owned(), rows }
    }

    /// As text with a border.
    pub fn render(&self) -> String {
        let mut grid = Grid::new();
        grid.load_preset(presets::ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(COLUMNS);
        for row in self.rows.iter().filter(|row| row.skipped.is_none()) {
            grid.add_row(row.cells());
        }
        for column in grid.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut text = format!("{}\n\n{grid}", self.title);
        for row in &self.rows {
            if let Some(words) = &row.skipped {
                let _ = write!(text, "\nskipped: {}, whose configuration is refused: {words}", row.chain);
            }
        }
        text
    }
}

impl Row {
    fn new(place: &Measured, all: &[Measured]) -> Self {
        let series = |name: &Option<String>| {
            let other = all.iter().find(|other| Some(&other.chain.name) == name.as_ref())?;
            other.outcome.as_ref().ok().map(|figures| figures.microseconds.as_slice())
        };
        let figures = place.outcome.as_ref().ok();
        let own = figures.map(|figures| figures.microseconds.as_slice());
        let (empty, native) = (series(&place.chain.over), series(&place.chain.native));
        let over = |own: &[f64]| {
            let pairs = own.iter().zip(empty?);
            Some(pairs.map(|(own, empty)| own - empty).collect::<Vec<_>>())
        };
        let divide = |left: &[f64], right: &[f64]| Spread::paired(left, right, |left, right| left / right);
        Self {
            chain: place.chain.name.clone(),
            skipped: place.outcome.as_ref().err().cloned(),
            microseconds: own.and_then(|own| Spread::of(own.iter().copied())),
            over_empty: own.and_then(over).and_then(Spread::of),
            of_native_request: own.zip(native).and_then(|(own, native)| divide(own, native)),
            of_native_filter: own
                .and_then(over)
                .zip(native.and_then(over))
                .and_then(|(own, native)| divide(&own, &native)),
            module_bytes: place.chain.module_bytes,
            resident_kib: figures.map(|figures| [figures.resident_before_kib, figures.resident_after_kib]),
            vm_failures: figures.map(|figures| figures.vm_failures),
        }
    }

    fn cells(&self) -> Vec<String> {
        let kib = |bytes: u64| bytes.div_ceil(1024).to_string();
        let mib = |kib: [u64; 2]| format!("{} to {}", kib[0] / 1024, kib[1] / 1024);
        vec![
            self.chain.clone(),
            shown(self.microseconds, 1),
            shown(self.over_empty, 1),
            shown(self.of_native_request, 2),
            shown(self.of_native_filter, 2),
            self.module_bytes.map(kib).unwrap_or_default(),
            self.resident_kib.map(mib).unwrap_or_default(),
            self.vm_failures.map(|count| count.to_string()).unwrap_or_default(),
        ]
    }
}

/// The median, with the quartiles behind it.
fn shown(spread: Option<Spread>, digits: usize) -> String {
    spread
        .map(|Spread { median, lower, upper }| {
            format!("{median:.digits$} ({lower:.digits$} to {upper:.digits$})")
        })
        .unwrap_or_default()
}
