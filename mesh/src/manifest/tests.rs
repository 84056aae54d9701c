//! What is read, and what is refused.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Duration, Manifests, document, istio, kubernetes};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/base")
}

/// Every document of every manifest, with its file.
fn everything() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let values: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
            all.extend(values.into_iter().map(|value| (path.display().to_string(), value)));
        }
    }
    all
}

/// The paths of all mappings below a value: as a JSON pointer, and as an error names them.
fn mappings(value: &Value, pointer: &str, name: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            found.push((pointer.to_owned(), name.to_owned()));
            for (key, field) in fields.iter().filter(|(key, _)| *key != "pluginConfig") {
                let key_pointer = key.replace('~', "~0").replace('/', "~1");
                let separator = if name.is_empty() { "" } else { "." };
                mappings(
                    field,
                    &format!("{pointer}/{key_pointer}"),
                    &format!("{name}{separator}{key}"),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mappings(item, &format!("{pointer}/{index}"), &format!("{name}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn refusal(value: Value) -> String {
    document::read(value).map(|document| document.title()).unwrap_err().to_string()
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    let mut tried = 0;
    for (file, value) in everything() {
        let mut places = Vec::new();
        mappings(&value, "", "", &mut places);
        for (pointer, name) in places {
            let mut changed = value.clone();
            changed.pointer_mut(&pointer).unwrap()["bogus"] = json!(1);
            let message = refusal(changed);
            let kind = value["kind"].as_str().unwrap();
            assert!(message.starts_with(kind), "{file}: {message}");
            assert!(message.contains(&name), "{file}: `{name}` is not in: {message}");
            tried += 1;
        }
    }
    assert!(tried > 300, "only {tried} places were tried");
}

#[test]
fn a_missing_field_is_named() {
    let (_, mut value) =
        everything().into_iter().find(|(_, value)| value["kind"] == "DestinationRule").unwrap();
    value
        .pointer_mut("/spec/trafficPolicy/outlierDetection")
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove("interval");
    let message = refusal(value);
    assert_eq!(message, "DestinationRule: spec.trafficPolicy.outlierDetection: missing field `interval`");
}

#[rstest]
#[case::kind("/kind", json!("EnvoyFilter"), "kind: `EnvoyFilter` is not known")]
#[case::no_kind("/kind", json!(null), "kind: is missing")]
#[case::version("/apiVersion", json!("v2"), "apiVersion: `v2` is not known for this kind")]
#[case::fail_open("/spec/failStrategy", json!("FAIL_OPEN"), "spec.failStrategy: unknown variant `FAIL_OPEN`")]
#[case::phase("/spec/phase", json!("LATER"), "spec.phase: unknown variant `LATER`")]
#[case::number("/spec/priority", json!("high"), "spec.priority: invalid type")]
fn a_value_that_cannot_be_honoured_is_refused(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let (_, mut plugin) = everything().into_iter().find(|(_, value)| value["kind"] == "WasmPlugin").unwrap();
    *plugin.pointer_mut(pointer).unwrap() = value;
    let message = refusal(plugin);
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case("600ms", Some("0.600s"))]
#[case("2s", Some("2s"))]
#[case("2500ms", Some("2.500s"))]
#[case("2", None)]
#[case("2m", None)]
#[case("-1s", None)]
#[case("", None)]
fn lengths_of_time(#[case] text: &str, #[case] envoy: Option<&str>) {
    let duration = Duration::try_from(text.to_owned());
    assert_eq!(duration.ok().map(Duration::to_envoy).as_deref(), envoy);
}

#[test]
fn the_manifests_of_this_project_are_read() {
    let manifests = Manifests::load(&folder()).unwrap();
    let mut services: Vec<&str> =
        manifests.all::<kubernetes::Service>().map(|service| service.metadata.name.as_str()).collect();
    services.sort_unstable();
    assert_eq!(services, ["auth-service", "order-service", "payment-service"]);
    for deployment in manifests.all::<kubernetes::Deployment>() {
        assert_eq!(manifests.service_of(deployment).unwrap().metadata.name, deployment.metadata.name);
    }
}

fn overlay(text: &str) -> (Result<Vec<String>>, Manifests) {
    let folder_of_file = tempfile::tempdir().unwrap();
    let file = folder_of_file.path().join("change.yaml");
    std::fs::write(&file, text).unwrap();
    let mut manifests = Manifests::load(&folder()).unwrap();
    (manifests.overlay(&file), manifests)
}

const STRICT: &str = "
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: finpay, namespace: other}
spec: {mtls: {mode: STRICT}}
";

#[test]
fn a_document_is_replaced_by_kind_and_name() {
    let (titles, manifests) = overlay(STRICT);
    assert_eq!(titles.unwrap(), ["PeerAuthentication `finpay`"]);
    let policies: Vec<_> = manifests.all::<istio::PeerAuthentication>().collect();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0].metadata.namespace.as_deref(), Some("other"));
}

#[rstest]
#[case::unknown_name(&STRICT.replace("name: finpay", "name: finpya"), "document 1: PeerAuthentication `finpya` is not part")]
#[case::second_document(&format!("{STRICT}---\n{}", STRICT.replace("STRICT", "PERMISSIVE")), "document 2: PeerAuthentication: spec.mtls.mode")]
#[case::empty("", "holds no document")]
#[case::not_yaml("a: [", "this is not YAML")]
fn an_overlay_that_cannot_apply_is_refused(#[case] text: &str, #[case] expected: &str) {
    let message = overlay(text).0.unwrap_err().to_string();
    assert!(message.contains("change.yaml") && message.contains(expected), "{message}");
}

/// The filter and the service behind it judge by the same rule.
#[test]
fn the_amount_rules_are_those_of_the_services() {
    let manifests = Manifests::load(&folder()).unwrap();
    let plugin =
        manifests.all::<istio::WasmPlugin>().find(|plugin| plugin.metadata.name == "amount").unwrap();
    let mut rules = Vec::new();
    for service in ["order", "payment"] {
        let path = folder().join(format!("../../services/{service}/src/amount-rule.json"));
        let own: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        rules.extend(own["rules"].as_array().unwrap().clone());
    }
    assert_eq!(plugin.spec.plugin_config["rules"], Value::Array(rules));
}
