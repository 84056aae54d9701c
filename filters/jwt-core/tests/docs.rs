//! Every configuration in the documentation is one that the filter takes.

use std::fs;
use std::path::Path;

use jwt_core::config::Config;
use serde_json::Value;

/// A fenced block whose first line says what it is: `yaml jwt-filter`.
struct Block {
    /// File and line.
    place: String,
    label: String,
    text: String,
}

fn blocks(name: &str) -> Vec<Block> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let text = fs::read_to_string(&file).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_within = false;
    for (line, number) in text.lines().zip(1..) {
        match line.trim_start().strip_prefix("```") {
            Some(_) if is_within => is_within = false,
            Some(label) => {
                is_within = true;
                let place = format!("docs/{name}:{number}");
                blocks.push(Block { place, label: label.to_owned(), text: String::new() });
            }
            None if is_within => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text += "\n";
            }
            None => {}
        }
    }
    blocks
}

fn yaml(text: &str, place: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|problem| panic!("{place}: {problem}"))
}

/// The filter's configurations in a block, as JSON.
fn configurations(block: &Block) -> Vec<String> {
    let of_plugins = |text: &str| {
        let document = yaml(text, &block.place);
        (document["kind"] == "WasmPlugin").then(|| document["spec"]["pluginConfig"].to_string())
    };
    match block.label.as_str() {
        "yaml jwt-filter" => vec![yaml(&block.text, &block.place).to_string()],
        "yaml wasm-plugin" => block.text.split("\n---\n").filter_map(of_plugins).collect(),
        "yaml envoy" => strings(&yaml(&block.text, &block.place)),
        _ => {
            assert!(!block.text.contains("providers:"), "{}: its label is `{}`", block.place, block.label);
            vec![]
        }
    }
}

/// What Envoy hands to filters: every `StringValue`.
fn strings(value: &Value) -> Vec<String> {
    const STRING_VALUE: &str = "type.googleapis.com/google.protobuf.StringValue";
    match value {
        Value::Object(members) if members.get("@type").is_some_and(|kind| kind == STRING_VALUE) => {
            vec![members["value"].as_str().unwrap().to_owned()]
        }
        Value::Object(members) => members.values().flat_map(strings).collect(),
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        _ => vec![],
    }
}

#[test]
fn every_configuration_in_the_documentation_is_taken() {
    // So many at least, or a label was mistyped.
    for (name, expected) in [("jwt-filter.md", 8), ("migrating.md", 3)] {
        let mut count = 0;
        for block in blocks(name) {
            for configuration in configurations(&block) {
                if let Err(problem) = Config::from_json(configuration.as_bytes()) {
                    panic!("{}: {problem}\n{configuration}", block.place);
                }
                count += 1;
            }
        }
        assert!(count >= expected, "docs/{name}: only {count} configurations");
    }
}
