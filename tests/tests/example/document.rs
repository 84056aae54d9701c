//! The documentation as tests read it: fenced blocks by what their first line says, and the tables behind them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A fenced block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// File and line.
    pub(crate) place: String,
    /// The nearest heading above it.
    pub(crate) heading: String,
    /// What stands behind the fence, for example `yaml envoy`.
    pub(crate) label: String,
    /// Its lines.
    pub(crate) text: String,
    /// The cells of the table that follows it at once, without its head.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A file of `docs`, its text.
pub(crate) fn read(name: &str) -> Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&file).with_context(|| file.display().to_string())
}

/// All blocks of a file, in its order.
pub(crate) fn blocks(name: &str) -> Result<Vec<Block>> {
    let text = read(name)?;
    let (mut blocks, mut heading): (Vec<Block>, _) = (Vec::new(), String::new());
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        if line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut heading);
        }
        let Some(label) = line.trim_start().strip_prefix("```") else { continue };
        let inner: Vec<&str> = lines
            .by_ref()
            .map(|(line, _)| line)
            .take_while(|line| !line.trim_start().starts_with("```"))
            .collect();
        while lines.next_if(|(line, _)| line.is_empty()).is_some() {}
        let mut rows = Vec::new();
        while let Some((row, _)) = lines.next_if(|(line, _)| line.starts_with('|')) {
            rows.push(cells(row));
        }
        blocks.push(Block {
            place: format!("docs/{name}:{number}"),
            heading: heading.clone(),
            label: label.to_owned(),
            text: inner.join("\n"),
            rows: rows.into_iter().skip(2).collect(),
        });
    }
    Ok(blocks)
}

/// The one block with this label.
pub(crate) fn block(name: &str, label: &str) -> Result<String> {
    let mut found: Vec<Block> = blocks(name)?.into_iter().filter(|block| block.label == label).collect();
    assert!(found.len() < 2, "docs/{name}: more than one `{label}`");
    Ok(found.pop().with_context(|| format!("docs/{name}: no block `{label}`"))?.text)
}

/// What stands under a heading, down to the next one of any depth.
pub(crate) fn section(name: &str, heading: &str) -> Result<String> {
    let text = read(name)?;
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != heading || !line.starts_with('#'));
    lines.next().with_context(|| format!("docs/{name}: no heading {heading:?}"))?;
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with('#')).collect();
    Ok(lines.join("\n"))
}

/// The tables under a heading: the cells of each, without its head; code that fills a cell is without its backticks.
pub(crate) fn tables(name: &str, heading: &str) -> Result<Vec<Vec<Vec<String>>>> {
    let section = section(name, heading)?;
    let tables = section.split("\n\n").map(str::trim).filter(|part| part.starts_with('|'));
    Ok(tables.map(|table| table.lines().skip(2).map(cells).collect()).collect())
}

/// The one table under a heading.
pub(crate) fn table(name: &str, heading: &str) -> Result<Vec<Vec<String>>> {
    let mut tables = tables(name, heading)?;
    assert!(tables.len() < 2, "docs/{name}, {heading}: more than one table");
    tables.pop().with_context(|| format!("docs/{name}, {heading}: no table"))
}

/// The cells of one line.
fn cells(row: &str) -> Vec<String> {
    let plain = |cell: &str| {
        let code = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        code.filter(|code| !code.contains('`')).unwrap_or(cell).to_owned()
    };
    row.trim().trim_matches('|').split(" |").map(|cell| plain(cell.trim())).collect()
}
