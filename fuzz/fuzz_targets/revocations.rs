//! Revocations: shared bytes of any kind are read without harm, and pages change what they say and nothing else.
//!
//! The first line is what another worker shared, each further one a page of the feed.

#![no_main]

use fuzz::NOW;
use jwt_core::revocations::{Fingerprint, Page, Revocations};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 8;

fuzz_target!(|text: &[u8]| {
    let mut lines = text.split(|byte| *byte == b'\n');
    let shared = lines.next().unwrap_or_default();
    let pages: Vec<Page> = lines.filter_map(|line| Page::parse(line).ok()).collect();
    let token = Fingerprint::of_token("a");
    if let Some(mut shared) = Revocations::from_bytes(shared.to_vec()) {
        let _ = (shared.refuses(token, NOW), shared.cursor());
        for page in &pages {
            if let Ok(Some(merged)) = shared.merged(page, NOW, LIMIT) {
                assert!(merged.count() <= LIMIT);
                shared = merged;
            }
        }
    }
    let mut known = Revocations::default();
    for page in &pages {
        let Ok(Some(merged)) = known.merged(page, NOW, LIMIT) else { continue };
        // The same page again changes nothing.
        let again = merged.merged(page, NOW, LIMIT).expect("a page that was taken");
        assert!(again.is_none_or(|again| again == merged));
        known = merged;
    }
    // Only what pages say is in it, so it is sorted and has no fingerprint twice.
    let records: Vec<&[u8]> = known.as_bytes()[8..].chunks(24).map(|record| &record[..16]).collect();
    assert!(records.is_sorted_by(|left, right| left < right));
    assert_eq!(Revocations::from_bytes(known.as_bytes().to_vec()), Some(known));
});
