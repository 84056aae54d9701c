//! Requests: arbitrary header lines are judged, twice alike, and what is cleaned has nothing of the token left.
//!
//! A line is a header; its name ends at the first colon beyond the first byte.

#![no_main]

use fuzz::{NOW, config, verifier};
use jwt_core::config::Config;
use jwt_core::judge::judge;
use jwt_core::place::Place;
use jwt_core::request::Request;
use jwt_core::verdict::Verdict;
use libfuzzer_sys::fuzz_target;

thread_local!(static CONFIG: Config = config());

fuzz_target!(|text: &[u8]| CONFIG.with(|config| {
    let headers: Vec<_> = text.split(|byte| *byte == b'\n').filter_map(header).collect();
    let request = Request::read(config, headers.iter().copied());
    let mut verifier = verifier(config);
    let first = judge(config, &mut verifier, &request, NOW);
    assert_eq!(judge(config, &mut verifier, &request, NOW), first);
    if let Verdict::Allow(identity) = &first.verdict {
        assert!(matches!(request.token(), Ok(Some(_))));
        assert_eq!(first.provider, Some(identity.provider));
    }
    if let Some(clean) = request.clean_target(config) {
        let again = Request::read(config, [(&b":path"[..], clean.as_slice())].into_iter());
        assert_eq!(again.clean_target(config), None);
        assert_eq!(again.token(), Ok(None));
    }
    for place in &config.places {
        let Place::Cookie(name) = place else { continue };
        let others = request.other_cookies(name);
        let again = Request::read(config, [(&b"cookie"[..], others.as_slice())].into_iter());
        assert_eq!(again.token(), Ok(None));
    }
}));

fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().skip(1).position(|byte| *byte == b':')? + 1;
    Some((&line[..colon], &line[colon + 1..]))
}
