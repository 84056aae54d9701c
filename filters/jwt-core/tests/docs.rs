//! Every configuration in the documentation is one that the filter takes.

use std::fs;
use std::path::Path;

use jwt_core::config::Config;
use jwt_core::verdict::{Denial, Reason};
use serde_json::Value;

/// A fenced block whose first line says what it is: `yaml jwt-filter`.
struct Block {
    /// File and line.
    place: String,
    label: String,
    text: String,
}

fn read(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(&file).unwrap_or_else(|problem| panic!("{}: {problem}", file.display()))
}

fn blocks(name: &str) -> Vec<Block> {
    let text = read(name);
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

#[test]
fn every_field_and_choice_is_documented() {
    let text = read("jwt-filter.md");
    let schema: Value = serde_json::from_str(&read("schemas/jwt-filter.json")).unwrap();
    let mut names = Vec::new();
    collect(&schema, &mut names);
    assert!(names.len() > 70, "{names:?}");
    for name in names {
        let is_there = ["`", "."].iter().any(|before| text.contains(&format!("{before}{name}`")));
        assert!(is_there || text.contains(&format!("`{name}: ")), "docs/jwt-filter.md lacks `{name}`");
    }
}

/// The names of all properties, and the values of all choices.
fn collect(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("properties", Value::Object(properties)) => names.extend(properties.keys().cloned()),
                    ("const", Value::String(choice)) => names.push(choice.clone()),
                    _ => {}
                }
                collect(member, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

const PASSES: [Reason; 4] = [Reason::Ok, Reason::Public, Reason::Anonymous, Reason::Preflight];
const REFUSALS: [Reason; 21] = [
    Reason::MissingToken,
    Reason::Malformed,
    Reason::Expired,
    Reason::NotYetValid,
    Reason::Issuer,
    Reason::Audience,
    Reason::Subject,
    Reason::Lifetime,
    Reason::Signature,
    Reason::UnknownKey,
    Reason::Algorithm,
    Reason::Type,
    Reason::Revoked,
    Reason::Claims,
    Reason::Scope,
    Reason::Privilege,
    Reason::Request,
    Reason::Path,
    Reason::KeysUnavailable,
    Reason::RevocationsUnavailable,
    Reason::Internal,
];

#[test]
fn answers_are_those_of_the_documentation() {
    let text = read("jwt-filter.md");
    let table = text.split("\n## Answers\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    for reason in REFUSALS {
        let name = reason.as_str();
        let mut rows = table.lines().filter(|line| {
            line.split('|').nth(1).is_some_and(|reasons| reasons.contains(&format!("`{name}`")))
        });
        let (Some(row), None) = (rows.next(), rows.next()) else { panic!("not one row for {name}") };
        let scope = if reason == Reason::Scope { "a" } else { "" };
        let answer = Denial { reason, scope: scope.to_owned() }.answer("r");
        assert!(row.contains(&format!("| {} | `{}` |", answer.status, answer.code)), "{name}: {row}");
        match answer.challenge.map(|challenge| challenge.replace("scope=\"a\"", "scope=\"…\"")) {
            None => assert!(row.contains("no challenge"), "{name}: {row}"),
            Some(challenge) => {
                let parameters = challenge.strip_prefix("Bearer realm=\"r\"").unwrap();
                let parameters = parameters.trim_start_matches(", ");
                let expected =
                    if parameters.is_empty() { "| |".to_owned() } else { format!("| `{parameters}` |") };
                assert!(row.ends_with(&expected), "{name}: {row}, not {expected}");
            }
        }
        assert_eq!(row.contains("Retry-After"), answer.retry_after.is_some(), "{name}: {row}");
    }
}

#[test]
fn reasons_are_those_of_the_documentation() {
    let text = read("metrics.md");
    let section = text.split("\n### Reasons of the jwt filter\n").nth(1);
    let section = section.and_then(|rest| rest.split("\n## ").next()).unwrap();
    let mut listed: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).skip(1).collect();
    for (reasons, verdict) in [(&PASSES[..], "allow"), (&REFUSALS[..], "deny")] {
        for reason in reasons {
            let start = format!("| `{}` | `{verdict}` |", reason.as_str());
            let at = listed.iter().position(|row| row.starts_with(&start));
            listed.remove(at.unwrap_or_else(|| panic!("docs/metrics.md lacks {start}")));
        }
    }
    assert!(listed.is_empty(), "unknown to the filter: {listed:?}");
}
