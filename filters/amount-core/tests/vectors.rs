//! Public vectors: JSONTestSuite and ISO 4217's list.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use amount_core::json;
use amount_core::money::Currency;

/// The vectors' folder, or `None` with a word.
fn vectors() -> Option<PathBuf> {
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

/// What the documentation says of files that it names: their code, none for those that are taken.
fn documented() -> BTreeMap<String, Option<String>> {
    let text = include_str!("../../../docs/amount-filter.md");
    let section = text.split("\n### JSONTestSuite\n").nth(1).and_then(|rest| rest.split("\n#").next());
    let rows = section.expect("the section").lines().filter(|line| line.starts_with("| `"));
    let mut documented = BTreeMap::new();
    for row in rows {
        let [files, verdict, code, _why] = row.trim_matches('|').split('|').collect::<Vec<_>>()[..] else {
            panic!("four cells: {row}")
        };
        let code = Some(code.trim().trim_matches('`').to_owned()).filter(|code| !code.is_empty());
        assert_eq!(verdict.trim(), if code.is_none() { "taken" } else { "refused" }, "{row}");
        // Every second part stands in backticks.
        for file in files.split('`').skip(1).step_by(2) {
            assert_eq!(documented.insert(format!("{file}.json"), code.clone()), None, "{file} comes twice");
        }
    }
    documented
}

#[test]
fn json_test_suite() {
    let Some(vectors) = vectors() else { return };
    let (mut files, mut wrong, mut documented) = (0, Vec::new(), documented());
    for entry in fs::read_dir(vectors.join("json-parsing/test_parsing")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let read = fs::read(&path).expect("the file");
        let code = json::parse(&read).err().map(|fault| fault.code.to_string());
        let is_right = match (documented.remove(&name), name.as_bytes().first()) {
            (Some(expected), Some(b'i' | b'y')) => code == expected,
            (None, Some(b'y')) => code.is_none(),
            (None, Some(b'n')) => code.is_some(),
            _ => false,
        };
        files += 1;
        if !is_right {
            wrong.push(format!("{name}: {}", code.as_deref().unwrap_or("taken")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(files, 318, "JSONTestSuite has 318 files");
    assert!(documented.is_empty(), "no files: {documented:?}");
}

#[test]
fn currencies_have_iso_s_exponents() {
    let Some(vectors) = vectors() else { return };
    let text = fs::read(vectors.join("money/iso4217_codes_all.json")).expect("the list");
    let rows: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for row in rows.as_array().expect("a list") {
        let field = |name: &str| row[name].as_str().unwrap_or_default();
        let code = field("AlphabeticCode");
        if code.is_empty() || !field("WithdrawalDate").is_empty() {
            continue;
        }
        let ours = code.parse::<Currency>().ok().map(|currency| currency.exponent().to_string());
        let iso =
            Some(field("MinorUnit").to_owned()).filter(|exponent| exponent != "-" && !exponent.is_empty());
        checked += 1;
        if ours != iso {
            wrong.push(format!("{code}: ours {ours:?}, ISO {iso:?}"));
        }
    }
    assert!(wrong.is_empty(), "of {checked}: {wrong:#?}");
    assert!(checked > 150, "only {checked} codes");
}
