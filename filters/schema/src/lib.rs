//! JSON Schemas of the filters' configurations, for tests: the committed file is what the types say.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// Set to 1, it makes [`assert_committed`] write the file instead of comparing it.
const WRITE: &str = "FINPAY_WRITE_SCHEMA";

/// Compares `docs/schemas/NAME.json` with the schema of a type, whose lists are in fields of these names.
///
/// # Panics
/// If they differ, if a field of the type could be null, or if other fields hold lists than those.
pub fn assert_committed<Config: JsonSchema>(name: &str, title: &str, lists: &[&str]) {
    let settings = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(in_one_line))
        .with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), title.into());
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schemas/{name}.json"));
    if env::var(WRITE).is_ok_and(|value| value == "1") {
        fs::write(&file, &text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    assert!(!text.contains("\"null\""), "a field could be null");
    let mut found = BTreeSet::new();
    find_lists(schema.as_value(), &mut found);
    assert!(found.iter().eq(lists), "these fields hold lists: {found:?}");
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/schemas/{name}.json is not what the types say; `{WRITE}=1 cargo test --test schema` writes it"
    );
}

/// Gathers the names of fields that hold lists.
fn find_lists<'a>(schema: &'a Value, lists: &mut BTreeSet<&'a str>) {
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    lists.extend(fields.filter(|(_, field)| field["type"] == "array").map(|(name, _)| name.as_str()));
    match schema {
        Value::Object(members) => members.values().for_each(|member| find_lists(member, lists)),
        Value::Array(items) => items.iter().for_each(|item| find_lists(item, lists)),
        _ => {}
    }
}

/// A doc text's line breaks are the source file's, and mean nothing to a reader.
fn in_one_line(schema: &mut Schema) {
    if let Some(text) = schema.get("description").and_then(|text| text.as_str()) {
        let line = text.replace('\n', " ");
        schema.insert("description".to_owned(), line.into());
    }
}

/// An option is a field that may be absent, and may not be null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(choice)] = choices.as_slice() {
            let choice = choice.clone();
            schema.remove("anyOf");
            schema.ensure_object().extend(choice);
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
}
