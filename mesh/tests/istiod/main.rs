//! One truth: what `cargo mesh config` writes for each proxy against what istiod sends to the same proxy for the
//! same manifests, field by field. istiod's side is test data, renewed by `k8s/dump`. A difference is mended in the
//! translator, or it stands in `differences.yaml` with its reason; one that stands there and no longer exists
//! fails too.

mod differences;
mod normal;
mod tree;
mod views;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use differences::{Comparison, Listed};
use tree::{TOPICS, tree};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/istiod").join(name)
}

fn listed() -> Vec<Listed> {
    serde_saphyr::from_str(&std::fs::read_to_string(data("differences.yaml")).unwrap()).unwrap()
}

/// istiod's dumps by proxy.
fn dumps() -> BTreeMap<String, Value> {
    let read = |name: &&str| {
        let text = std::fs::read_to_string(data(&format!("{name}.json"))).unwrap();
        ((*name).to_owned(), serde_json::from_str(&text).unwrap())
    };
    ["auth-service", "payment-service", "order-service", "gateway"].iter().map(read).collect()
}

fn compare(dumps: &BTreeMap<String, Value>, listed: &[Listed]) -> Comparison {
    let ours = views::ours();
    let mut comparison = Comparison::new(listed);
    for (proxy, dump) in dumps {
        let (ours, theirs) = (&ours[proxy], &views::istiods(dump));
        let (ours, theirs) = views::common_order(ours, theirs);
        comparison.add(proxy, tree(proxy, &ours).as_ref(), tree(proxy, &theirs).as_ref());
    }
    comparison
}

#[test]
fn cargo_mesh_says_what_istiod_says() {
    let comparison = compare(&dumps(), &listed());
    eprintln!("{comparison}");
    for topic in TOPICS {
        assert!(comparison.equal(topic) > 0, "{topic}: nothing is equal, so nothing was compared");
    }
    let problems = comparison.problems();
    assert!(
        problems.is_empty(),
        "{} differences to mend or to explain:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn a_changed_field_is_found() {
    let mut dumps = dumps();
    let gateway = dumps.get_mut("gateway").unwrap();
    *gateway
        .pointer_mut("/gateway/route_config/virtual_hosts/0/routes/0/route/retry_policy/num_retries")
        .unwrap() = serde_json::json!(3);
    let problems = compare(&dumps, &listed()).problems();
    let path = "gateway/gateway/routes/0/retry_policy/num_retries";
    assert_eq!(problems, [format!("{path}: ours 2, istiod 3")]);
}

#[test]
fn each_listed_difference_is_needed() {
    let (dumps, listed) = (dumps(), listed());
    for index in 0..listed.len() {
        let mut fewer = listed.clone();
        let removed = fewer.remove(index);
        assert!(
            !compare(&dumps, &fewer).problems().is_empty(),
            "`{}` says what another entry says",
            removed.path
        );
    }
}

#[test]
fn a_stale_entry_is_found() {
    let mut listed = listed();
    listed.push(Listed::new("gateway/gateway/http/stream_idle_timeout", "61s", "0s"));
    let problems = compare(&dumps(), &listed).problems();
    assert_eq!(
        problems,
        ["gateway/gateway/http/stream_idle_timeout: is listed (ours 61s, istiod 0s), but does not occur"]
    );
}
