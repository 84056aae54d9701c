//! What the amount filter offers, feature by feature, by the real module in a real Envoy.

mod caps;
mod dry_run;
mod fields;
mod groups;
mod metrics;
mod refused_configurations;
mod relations;
mod verified;

use serde_json::Value;
use tests::amount::Case;
use tests::post::Post;

/// A body to a path, and what must become of it.
fn case(path: &str, body: &Value, expected: &str) -> Case {
    let body = body.to_string();
    let start: String = body.chars().take(300).collect();
    Case::new(format!("{start} to {path}"), Post::json(path, body), expected)
}
