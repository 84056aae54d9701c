//! Configurations: whatever is taken can judge, and keeps its own limits.

#![no_main]

use fuzz::{NOW, TakesAll, token};
use jwt_core::config::Config;
use jwt_core::judge::judge;
use jwt_core::request::Request;
use jwt_core::token::MAX_TOKEN_BYTES;
use jwt_core::verify::Verifier;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(config) = Config::from_json(text) else { return };
    assert!((1..=32).contains(&config.providers.len()) && (1..=32).contains(&config.places.len()));
    assert!(config.limits.token_bytes <= MAX_TOKEN_BYTES);
    for (index, rule) in config.rules.iter().enumerate() {
        assert!(!config.rules[..index].iter().any(|earlier| earlier.matches.covers(&rule.matches)));
    }
    let mut verifier = Verifier::new(&config, TakesAll);
    let bearer = format!("Bearer {}", token(br#"{"iss":"https://a.example","sub":"a","exp":1800000900}"#));
    for authorization in ["", "Basic YTpi", &bearer] {
        for (method, target) in [("GET", "/"), ("POST", "/order/1?access_token=a"), ("OPTIONS", "/a/b/")] {
            let headers = [
                (":method", method),
                (":path", target),
                (":authority", "api.example"),
                ("authorization", authorization),
            ];
            let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let request = Request::read(&config, headers);
            let _ = judge(&config, &mut verifier, &request, NOW);
            let _ = request.clean_target(&config);
        }
    }
});
