//! What judging a body takes at most, beside the body itself.

mod common;

use amount_core::Scratch;
use common::{config, guard, rule};
use serde_json::json;

/// Counts what the program holds; hence this test is alone in its file.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

const BODY_BYTES: usize = 1 << 20;
/// What is held. The body's copy comes to it, and what is held twice while it grows: 13 times in the module, see Limits
/// in docs/amount-filter.md.
const TIMES: usize = 9;

/// The text so often as a body has room for it, between others.
fn filled(before: &str, text: &str, after: &str) -> String {
    let room = BODY_BYTES - before.len() - after.len();
    format!("{before}{}{after}", text.repeat(room / text.len()))
}

#[test]
fn a_body_takes_so_many_times_its_length() {
    let config = config(&[rule(json!({
        "maxBodyBytes": BODY_BYTES, "maxDepth": 64, "unknownFields": "allow",
        "amounts": [{"pointer": "/a/*", "form": "string"}, {"pointer": "/b/*"}],
    }))]);
    let guard = guard(&config, "/pay");
    let amounts = format!(r#"{{"b":[{}],"#, ["1"; 65_536].join(","));
    // So many keys that none of them is looked up before the object ends.
    let keys: String = ('c'..='v').map(|key| format!(r#""{key}":0,"#)).collect();
    for body in [
        filled(&format!("{{{keys}"), r#""":0,"#, r#""":0}"#),
        filled(&format!("{{{keys}"), r#""\n":0,"#, r#""":0}"#),
        filled(&format!("{amounts}{keys}"), r#""":0,"#, r#""":0}"#),
        filled(&format!("{amounts}{keys}"), r#""\n":0,"#, r#""":0}"#),
        filled(r#"{"b":["#, "1,", "1]}"),
        filled(r#"{"b":["#, "[],", "1]}"),
        filled(r#"{"a":[""#, r"\u0031", r#""]}"#),
        filled("", "[", ""),
        filled("\"", "x", "\""),
    ] {
        let profiler = dhat::Profiler::builder().testing().build();
        assert!(config.judge(guard, body.as_bytes(), &mut Scratch::default()).is_refused());
        let most = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        assert!(most <= TIMES * BODY_BYTES, "{most} for {}…", &body[..20]);
    }
}
