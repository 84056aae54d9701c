//! Public vectors: JSONTestSuite and ISO 4217's list.

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

/// Stricter than RFC 8259 on purpose: a doubled key has no one meaning.
const DOUBLED_KEYS: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

/// RFC 8259 lets a reader choose. Ours takes integers of any size that a double can hold (their range is the rule's
/// matter), and refuses what has no one reading.
const CHOSEN_TAKEN: [&str; 3] =
    ["i_number_too_big_neg_int.json", "i_number_too_big_pos_int.json", "i_number_very_big_negative_int.json"];

#[test]
fn json_test_suite() {
    let Some(vectors) = vectors() else { return };
    let (mut files, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(vectors.join("json-parsing/test_parsing")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let taken = json::parse(&fs::read(&path).expect("the file")).is_ok();
        let expected = match name.as_bytes().first() {
            Some(b'y') => !DOUBLED_KEYS.contains(&name.as_str()),
            Some(b'n') => false,
            _ => CHOSEN_TAKEN.contains(&name.as_str()),
        };
        files += 1;
        if taken != expected {
            wrong.push(format!("{name}: {}", if taken { "taken" } else { "refused" }));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(files, 318, "JSONTestSuite has 318 files");
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
