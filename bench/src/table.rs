//! Rows of figures, for people and as JSON.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use serde::Serialize;

use crate::rounds::Measured;
use crate::stats::Spread;

/// A column of a table, beside those that all tables have.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub heading: &'static str,
    /// What stands in it.
    pub figure: Figure,
}

/// What a row's time comes to when it is compared.
#[derive(Debug, Clone, Copy)]
pub enum Figure {
    /// Microseconds above an Envoy without filters.
    OverEmpty,
    /// Microseconds above the row beside it.
    OverBeside,
    /// The same in nanoseconds, for each byte of the body.
    PerByte,
    /// The request's time as a part of that of the row beside it.
    OfBeside,
    /// The same of what both are over empty.
    OfBesideAlone,
}

/// A table of one question.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Its name on the command line.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// A row per chain.
    pub rows: Vec<Row>,
    #[serde(skip)]
    columns: Vec<Column>,
}

/// A chain's row.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The chain.
    pub chain: String,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// The row that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// The length of each request's body.
    pub body_bytes: usize,
    /// CPU time of a request.
    pub microseconds: Option<Spread>,
    /// That without an empty Envoy's, round by round.
    pub over_empty: Option<Spread>,
    /// That without the time of the row beside it.
    pub over_beside: Option<Spread>,
    /// The same in nanoseconds, for each byte of the body.
    pub nanoseconds_per_byte: Option<Spread>,
    /// The request's time as a part of that of the row beside it.
    pub of_beside: Option<Spread>,
    /// The same of what both are over empty.
    pub of_beside_alone: Option<Spread>,
    /// The module's size.
    pub module_bytes: Option<u64>,
    /// Envoy's memory before the first request and after the last.
    pub resident_kib: Option<[u64; 2]>,
    /// VMs that ended.
    pub vm_failures: Option<usize>,
}

impl Table {
    /// From what was measured, without a name yet; rows refer to each other by theirs.
    pub fn new(title: &str, columns: &[Column], measured: &[Measured]) -> Self {
        let rows = measured.iter().map(|place| Row::new(place, measured)).collect();
        Self { name: String::new(), title: title.to_owned(), rows, columns: columns.to_vec() }
    }

    /// As text with a border.
    pub fn render(&self) -> String {
        let headings = self.columns.iter().map(|column| column.heading);
        let headings = ["chain", "us/request"].into_iter().chain(headings);
        let mut grid = Grid::new();
        grid.load_preset(presets::ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(headings.chain(["module KiB", "Envoy MiB", "VM failures"]));
        for row in self.rows.iter().filter(|row| row.skipped.is_none()) {
            grid.add_row(row.cells(&self.columns));
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
        let (empty, beside) = (series(&place.chain.over), series(&place.chain.beside));
        let body_bytes = place.chain.traffic.body_bytes();
        let above = |own: &[f64], other: Option<&[f64]>| {
            let pairs = own.iter().zip(other?);
            Some(pairs.map(|(own, other)| own - other).collect::<Vec<_>>())
        };
        let over_beside = own.and_then(|own| above(own, beside));
        let divide = |left: &[f64], right: &[f64]| Spread::paired(left, right, |left, right| left / right);
        Self {
            chain: place.chain.name.clone(),
            skipped: place.outcome.as_ref().err().cloned(),
            beside: place.chain.beside.clone(),
            body_bytes,
            microseconds: own.and_then(|own| Spread::of(own.iter().copied())),
            over_empty: own.and_then(|own| above(own, empty)).and_then(Spread::of),
            nanoseconds_per_byte: over_beside.as_deref().and_then(|over| per_byte(over, body_bytes)),
            over_beside: over_beside.and_then(Spread::of),
            of_beside: own.zip(beside).and_then(|(own, beside)| divide(own, beside)),
            of_beside_alone: own
                .and_then(|own| above(own, empty))
                .zip(beside.and_then(|beside| above(beside, empty)))
                .and_then(|(own, beside)| divide(&own, &beside)),
            module_bytes: place.chain.module_bytes,
            resident_kib: figures.map(|figures| [figures.resident_before_kib, figures.resident_after_kib]),
            vm_failures: figures.map(|figures| figures.vm_failures),
        }
    }

    fn cells(&self, columns: &[Column]) -> Vec<String> {
        let kib = |bytes: u64| bytes.div_ceil(1024).to_string();
        let mib = |kib: [u64; 2]| format!("{} to {}", kib[0] / 1024, kib[1] / 1024);
        let mut cells = vec![self.chain.clone(), shown(self.microseconds, 1)];
        cells.extend(columns.iter().map(|column| self.cell(column.figure)));
        cells.extend([
            self.module_bytes.map(kib).unwrap_or_default(),
            self.resident_kib.map(mib).unwrap_or_default(),
            self.vm_failures.map(|count| count.to_string()).unwrap_or_default(),
        ]);
        cells
    }

    fn cell(&self, figure: Figure) -> String {
        match figure {
            Figure::OverEmpty => shown(self.over_empty, 1),
            Figure::OverBeside => shown(self.over_beside, 1),
            Figure::PerByte => shown(self.nanoseconds_per_byte, 1),
            Figure::OfBeside => shown(self.of_beside, 2),
            Figure::OfBesideAlone => shown(self.of_beside_alone, 2),
        }
    }
}

/// Nanoseconds of each byte; no figure for requests without a body.
fn per_byte(microseconds: &[f64], bytes: usize) -> Option<Spread> {
    let bytes = u32::try_from(bytes).ok().filter(|bytes| *bytes > 0)?;
    Spread::of(microseconds.iter().map(|microseconds| microseconds * 1e3 / f64::from(bytes)))
}

/// The median, with the quartiles behind it.
fn shown(spread: Option<Spread>, digits: usize) -> String {
    spread
        .map(|Spread { median, lower, upper }| {
            format!("{median:.digits$} ({lower:.digits$} to {upper:.digits$})")
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::chain::Chain;
    use crate::rounds::Figures;
    use crate::traffic::Traffic;

    const COLUMNS: [Column; 5] = [
        Column { heading: "over empty", figure: Figure::OverEmpty },
        Column { heading: "over native", figure: Figure::OverBeside },
        Column { heading: "ns/byte", figure: Figure::PerByte },
        Column { heading: "of native", figure: Figure::OfBeside },
        Column { heading: "alone", figure: Figure::OfBesideAlone },
    ];

    fn measured(name: &str, beside: [Option<&str>; 2], outcome: Result<&[f64], &str>) -> Measured {
        let [over, beside] = beside.map(|name| name.map(str::to_owned));
        let traffic = Traffic::post("/payment", vec![b' '; 500]);
        let chain = Chain {
            name: name.to_owned(),
            over,
            beside,
            envoy: ::tests::envoy::Options::default(),
            traffic: Arc::new(traffic),
            module_bytes: (name == "this filter").then_some(1025),
        };
        let figures = |microseconds: &[f64]| Figures {
            microseconds: microseconds.to_vec(),
            resident_before_kib: 65_536,
            resident_after_kib: 66_560,
            vm_failures: 0,
        };
        Measured { chain, outcome: outcome.map(figures).map_err(str::to_owned) }
    }

    #[test]
    fn rows_are_compared_round_by_round() {
        let table = Table::new(
            "ES256",
            &COLUMNS,
            &[
                measured("empty", [None, None], Ok(&[10.0, 30.0, 10.0])),
                measured("native", [Some("empty"), None], Ok(&[14.0, 34.0, 14.0])),
                measured("this filter", [Some("empty"), Some("native")], Ok(&[16.0, 36.0, 16.0])),
                measured("another", [Some("empty"), Some("native")], Err("limits: unknown")),
            ],
        );
        let rendered = table.render();
        let cells: Vec<Vec<_>> = rendered
            .lines()
            .map(|line| line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(cells[4], ["empty", "10.0 (10.0 to 20.0)", "64 to 65", "0"]);
        assert_eq!(
            cells[6],
            [
                "this filter",
                "16.0 (16.0 to 26.0)",
                "6.0 (6.0 to 6.0)",
                "2.0 (2.0 to 2.0)",
                "4.0 (4.0 to 4.0)",
                "1.14 (1.10 to 1.14)",
                "1.50 (1.50 to 1.50)",
                "2",
                "64 to 65",
                "0",
            ]
        );
        assert_eq!(
            rendered.lines().last(),
            Some("skipped: another, whose configuration is refused: limits: unknown")
        );
    }

    #[test]
    fn json_holds_the_same_figures() -> anyhow::Result<()> {
        let table = Table::new("ES256", &COLUMNS, &[measured("empty", [None, None], Ok(&[10.0]))]);
        let value = serde_json::to_value(&table)?;
        assert_eq!(value["rows"][0]["microseconds"]["median"], 10.0);
        assert_eq!(value["rows"][0]["resident_kib"], serde_json::json!([65_536, 66_560]));
        Ok(())
    }
}
