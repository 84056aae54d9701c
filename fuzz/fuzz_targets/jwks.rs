//! Key sets: every key that is taken is bound to algorithms and has a form that a host can use.

#![no_main]

use jwt_core::algorithm::Algorithm;
use jwt_core::config::Limits;
use jwt_core::jwks::{KeySet, Unusable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| match KeySet::parse(document, &Limits::default()) {
    Ok(set) => {
        assert!((1..=Limits::default().jwks_keys).contains(&set.count()));
        assert_eq!(set.keys().count(), set.count());
        for key in set.keys() {
            // No host checks EdDSA.
            assert_eq!(key.der().is_empty(), key.may_check(Algorithm::EdDsa));
            assert!(key.algorithms().count() > 0);
            assert!(key.algorithms().all(|algorithm| key.may_check(algorithm)));
        }
    }
    Err(Unusable::Empty(dropped)) => assert!(dropped.len() <= Limits::default().jwks_keys),
    Err(Unusable::NotASet) => {}
});
