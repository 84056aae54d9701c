//! The chains that this filter's is compared with.

use anyhow::Result;
use serde_json::{Value, json};

use super::PATH;
use super::rule::BODY_LIMIT_BYTES;
use crate::rows::{Answer, Common, Rows};
use crate::subject::Rig;
use crate::traffic::Traffic;
use crate::wasm::Module;

/// The row that the others are compared with.
pub const NOOP: &str = "least Wasm that buffers";
/// The row that does this filter's work in another way.
pub const LUA: &str = "Envoy's Lua";

/// The check of the sum, with a JSON decoder of its own: Envoy's Lua has none.
const SUM_CHECK: &str = include_str!("sum_check.lua");

/// What all chains for this traffic have in common: they read its body to the end, and no upstream hides their part.
pub fn common(traffic: Traffic) -> Common {
    Common { answer: Answer::Filter(answer_at_end()), ..Common::new(traffic, Vec::new()) }
}

/// An empty chain, and one whose only work is to buffer.
pub fn buffers(rig: &Rig<'_>, rows: &mut Rows, common: &Common) -> Result<()> {
    rows.empty(common);
    rows.native(common, "Envoy's buffer", None, buffer());
    rows.wasm(common, NOOP, None, &Module::buffering(rig.folder)?);
    let reading = Module::body_reading(rig.folder)?;
    rows.wasm(common, "the same, body read", Some(NOOP), &reading);
    Ok(())
}

/// Envoy's Lua filter, which checks the sum.
pub fn lua() -> Value {
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": SUM_CHECK},
        },
    })
}

fn buffer() -> Value {
    json!({
        "name": "envoy.filters.http.buffer",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
            "max_request_bytes": BODY_LIMIT_BYTES,
        },
    })
}

/// Answers 200 when the body has been read to its end, and keeps nothing of it.
///
/// A route's direct answer would leave as soon as the headers are there. An empty chain would then never read the body,
/// and Envoy would end the connection besides, since it cannot know where the next request begins. Envoy's health check
/// reads on. An upstream would as well, but costs Envoy as much again as the empty chain. In front of one the filters
/// cost some microseconds more, since they find colder caches.
fn answer_at_end() -> Value {
    json!({
        "name": "envoy.filters.http.health_check",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
            "pass_through_mode": false,
            "headers": [{"name": ":path", "string_match": {"exact": PATH}}],
        },
    })
}
