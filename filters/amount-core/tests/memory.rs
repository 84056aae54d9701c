//! What judging a body takes at most, of the memory that the documentation names.

mod common;

use amount_core::Scratch;
use common::{config, guard, rule};
use serde_json::{Value, json};

/// Counts what the program holds; hence this test is alone in its file.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Limits of bodies, and what each takes at most, see Memory in docs/amount-filter.md.
const LIMITS: [(usize, usize); 2] = [(64 << 10, 10 << 20), (1 << 20, 20 << 20)];

/// How many rules enforce, and how many are dry runs.
const RULES: [(usize, usize); 4] = [(1, 0), (1, 1), (2, 4), (31, 32)];

/// So many keys that none of them is compared with others before the object ends.
const KEYS: &str =
    r#""c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"#;

/// The text so often as a body has room for it, between others.
fn filled(bytes: usize, before: &str, text: &str, after: &str) -> String {
    let room = bytes - before.len() - after.len();
    format!("{before}{}{after}", text.repeat(room / text.len()))
}

/// Bodies of so many bytes, each dear in its way.
fn bodies(bytes: usize) -> Vec<String> {
    let amounts = format!(r#"{{"b":[{}],"#, vec!["1"; bytes / 16].join(","));
    vec![
        filled(bytes, &format!("{{{KEYS}"), r#""":0,"#, r#""":0}"#),
        filled(bytes, &format!("{{{KEYS}"), r#""\n":0,"#, r#""":0}"#),
        filled(bytes, &format!("{amounts}{KEYS}"), r#""":0,"#, r#""":0}"#),
        filled(bytes, &format!("{amounts}{KEYS}"), r#""\n":0,"#, r#""":0}"#),
        filled(bytes, r#"{"b":["#, "1,", "1]}"),
        filled(bytes, r#"{"b":["#, "[],", "1]}"),
        filled(bytes, r#"{"a":[""#, r"\u0031", r#""]}"#),
        filled(bytes, "", "[", ""),
        filled(bytes, "\"", "x", "\""),
    ]
}

/// A rule that asks for what these bodies have.
fn asking(number: usize, is_dry_run: bool, bytes: usize) -> Value {
    rule(json!({
        "name": format!("r{number}"), "dryRun": is_dry_run, "maxBodyBytes": bytes, "maxDepth": 64,
        "unknownFields": "allow", "amounts": [{"pointer": "/a/*", "form": "string"}, {"pointer": "/b/*"}],
    }))
}

#[test]
fn a_body_takes_no_more_than_is_documented() {
    for ((bytes, documented), (enforcing, dry)) in
        LIMITS.into_iter().flat_map(|limit| RULES.map(|rules| (limit, rules)))
    {
        let rules: Vec<_> = (0..enforcing + dry).map(|at| asking(at, at >= enforcing, bytes)).collect();
        let config = config(&rules);
        let guard = guard(&config, "/pay");
        for body in bodies(bytes) {
            let profiler = dhat::Profiler::builder().testing().build();
            config.judge(guard, body.as_bytes(), &mut Scratch::default());
            let held = dhat::HeapStats::get().max_bytes;
            drop(profiler);
            // The body's copy, and half as much again for what moves as it grows.
            let most = bytes + held + held / 2;
            assert!(
                most <= documented,
                "{most} for {bytes} of {}…, {enforcing} and {dry} rules",
                &body[..20]
            );
        }
    }
}
