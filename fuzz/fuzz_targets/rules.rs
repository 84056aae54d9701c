//! The amount filter's configurations: whatever is taken can judge.

#![no_main]

use amount_core::{Admission, Config, Scratch};
use libfuzzer_sys::fuzz_target;

/// Bodies that rules of any kind may judge.
const BODIES: [&str; 4] = [
    "{}",
    r#"{"a":{"b":[1,"2",null,{"c":"1.50"}]},"amount":{"value":1000,"currency":"EUR"},"items":[[],[{}]]}"#,
    r#"{"totalAmount":100,"currency":"JPY","items":[{"id":"i","quantity":1,"price":100}],"tip":"1.5"}"#,
    "[1e400",
];

fuzz_target!(|text: &[u8]| {
    let Ok(config) = Config::from_json(text) else { return };
    assert!((1..=64).contains(&config.rules().len()));
    for (method, path) in
        [("POST", "/order"), ("PUT", "/a/b"), ("POST", "/ORDER/%2e%2e//a;b"), ("CONNECT", "/order")]
    {
        let headers = [
            (":method", method),
            (":path", path),
            (":authority", "api.example"),
            ("content-type", "application/json"),
            ("x-jwt-scope", "payments:large"),
        ];
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let Admission::Body(guard) = config.admit(headers, false) else { continue };
        let mut scratch = Scratch::default();
        for body in BODIES {
            let outcome = config.judge(guard, body.as_bytes(), &mut scratch);
            assert!(!outcome.rulings.is_empty());
            assert_eq!(config.judge(guard, body.as_bytes(), &mut Scratch::default()), outcome);
        }
        let _ = (config.too_large(guard), config.unreadable(guard));
    }
});
