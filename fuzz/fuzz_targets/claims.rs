//! Claims: whatever a signed token says, what comes of it can stand in headers, and is the same at the second use.

#![no_main]

use fuzz::{NOW, config, token, verifier};
use jwt_core::config::Config;
use libfuzzer_sys::fuzz_target;

thread_local!(static CONFIG: Config = config());

fuzz_target!(|claims: &[u8]| CONFIG.with(|config| {
    let mut verifier = verifier(config);
    let token = token(claims);
    let first = verifier.verify(config, token.as_bytes(), NOW);
    assert_eq!(verifier.verify(config, token.as_bytes(), NOW), first);
    let Ok(identity) = first else {
        assert_eq!(verifier.cached_tokens(), 0);
        return;
    };
    let provider = &config.providers[identity.provider];
    for (name, value) in identity.headers(provider) {
        assert!(value.iter().all(|byte| (b' '..=b'~').contains(byte)), "{name}");
        assert_eq!(value.trim_ascii(), value, "{name}");
    }
    let end = identity.period.until + provider.leeway_seconds;
    assert!(verifier.verify(config, token.as_bytes(), end).is_err());
}));
