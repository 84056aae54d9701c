//! Where the vectors are, and the comparison of our verdicts with theirs.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The vectors' folder, or `None` with a word.
pub(crate) fn vectors() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let named = std::env::var_os("FINPAY_VECTORS");
    let folder = PathBuf::from(named.as_deref().unwrap_or(default.as_ref()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "FINPAY_VECTORS: {} is no folder", folder.display());
    eprintln!("skipped: no vectors in {} (FINPAY_VECTORS)", folder.display());
    None
}

pub(crate) fn read(vectors: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(vectors.join(file)).expect("the file")).expect("JSON")
}

/// The folder's JSON files by their names without ending, in order.
pub(crate) fn files(vectors: &Path, folder: &str) -> Vec<(String, Value)> {
    let entries = fs::read_dir(vectors.join(folder)).expect("the folder");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .map(|file| (file.trim_end_matches(".json").to_owned(), read(vectors, &format!("{folder}/{file}"))))
        .collect();
    files.sort_by(|left, right| left.0.cmp(&right.0));
    files
}

/// Fails where our verdict differs from theirs without a row that says why, where a row's case is not refused, and
/// where something is taken that they refuse, for which there are no rows. A case is a name, theirs and ours.
pub(crate) fn compare(cases: &[(String, bool, bool)], refused: &[(&str, &str)]) {
    let rows: BTreeMap<_, _> = refused.iter().copied().collect();
    assert_eq!(rows.len(), refused.len(), "a case twice");
    let mut wrong = Vec::new();
    for (name, theirs, ours) in cases {
        match (theirs, ours, rows.get(name.as_str())) {
            (false, true, _) => wrong.push(format!("{name}: taken")),
            (true, false, None) => wrong.push(format!("{name}: refused")),
            (theirs, ours, Some(why)) if theirs == ours => wrong.push(format!("{name}: not {why}")),
            _ => {}
        }
    }
    let gone = rows.keys().filter(|row| !cases.iter().any(|(name, ..)| name == *row));
    wrong.extend(gone.map(|row| format!("{row}: no such case")));
    assert!(wrong.is_empty(), "of {}: {wrong:#?}", cases.len());
}
