//! The document's tables, beside what the filter says of itself.

use std::sync::Arc;

use amount_core::fault::Code;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::example::api::Api;
use crate::example::document;
use crate::{CONFIGURATION, FILE, start};

#[test]
fn finpays_rules_are_those_of_its_services() -> Result<()> {
    let blocks = document::blocks(FILE)?;
    let block = blocks.iter().find(|block| block.label == CONFIGURATION).context("no configuration")?;
    let documented: Value = serde_saphyr::from_str(&block.text)?;
    let mut rules = Vec::new();
    for service in ["order", "payment"] {
        let file = format!("{}/../services/{service}/src/amount-rule.json", env!("CARGO_MANIFEST_DIR"));
        let rule: Value = serde_json::from_str(&std::fs::read_to_string(&file).context(file)?)?;
        rules.extend(rule["rules"].as_array().cloned().unwrap_or_default());
    }
    assert_eq!(documented["rules"], Value::Array(rules), "left: docs/{FILE}");
    Ok(())
}

/// Where the document has the fields and choices of each of the schema's types.
const SECTIONS: [(&str, &str); 14] = [
    ("", "Configuration"),
    ("/$defs/Rule", "Rules"),
    ("/$defs/UnknownFields", "Rules"),
    ("/$defs/Match", "Match"),
    ("/$defs/Path", "Match"),
    ("/$defs/Currency", "Currency"),
    ("/$defs/Amount", "Amounts"),
    ("/$defs/Unit", "Amounts"),
    ("/$defs/Form", "Amounts"),
    ("/$defs/Lift", "Amounts"),
    ("/$defs/Count", "Counts and arrays"),
    ("/$defs/Sum", "Sums and limits"),
    ("/$defs/Items", "Sums and limits"),
    ("/$defs/AtMost", "Sums and limits"),
];

#[test]
fn every_field_and_choice_is_documented() -> Result<()> {
    let schema: Value = serde_json::from_str(&document::read("schemas/amount-filter.json")?)?;
    let types = schema["$defs"].as_object().map(serde_json::Map::len);
    assert_eq!(types, Some(SECTIONS.len() - 1), "a type has no section here");
    for (pointer, heading) in SECTIONS {
        let text = document::section(FILE, heading)?;
        let kind = schema.pointer(pointer).with_context(|| format!("no {pointer}"))?;
        let fields = kind["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let choices = kind["oneOf"].as_array().into_iter().flatten();
        let choices = choices.filter_map(|choice| choice["const"].as_str());
        let mut count = 0;
        for name in fields.chain(choices) {
            let is_there = ["`", "."].iter().any(|before| text.contains(&format!("{before}{name}`")));
            assert!(is_there, "docs/{FILE}, {heading} lacks `{name}` of {pointer}");
            count += 1;
        }
        assert!(count > 1, "{pointer} has {count} fields and choices");
    }
    Ok(())
}

#[test]
fn codes_are_those_of_the_filter() -> Result<()> {
    let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let codes = Code::ALL.iter();
    let expected: Vec<_> =
        codes.map(|code| row([code.as_str(), &code.kind().status().to_string(), code.meaning()])).collect();
    assert_eq!(document::table(FILE, "Codes")?, expected, "left: docs/{FILE}");
    Ok(())
}

/// Each value in the table of units and forms: those that are taken pass, the others do not.
#[tokio::test]
async fn amounts_are_written_as_the_table_says() -> Result<()> {
    let rows = document::tables(FILE, "Amounts")?.into_iter().flatten().filter(|row| row.len() == 4);
    let rows: Vec<Vec<String>> = rows.filter(|row| ["minor", "major"].contains(&row[0].as_str())).collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    let rules: Vec<Value> = rows.iter().map(|row| form(&row[0], &row[1])).collect();
    let api = Arc::new(Api::default());
    let Some(example) = start(&api, &json!({"rules": rules}), true).await? else { return Ok(()) };
    let mut count = 0;
    for row in &rows {
        for (cell, status) in [(&row[2], 200), (&row[3], 422)] {
            // Between values there are commas, and maybe words.
            for value in cell.split('`').filter(|text| !text.is_empty() && !text.starts_with(',')) {
                let body = format!(r#"{{"amount": {value}}}"#);
                let answer =
                    example.send_body("POST", &format!("/{}/{}", row[0], row[1]), &[], &body).await?;
                assert_eq!(answer.status, status, "{row:?}, {body}: {answer:?}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} values");
    Ok(())
}

/// A rule for euro in this unit and form.
fn form(unit: &str, form: &str) -> Value {
    json!({
        "name": format!("{unit}-{form}"),
        "match": {"methods": ["POST"], "path": {"exact": format!("/{unit}/{form}")}},
        "currency": {"fixed": "EUR"},
        "amounts": [{"pointer": "/amount", "unit": unit, "form": form}],
    })
}
