//! Signatures that were found good, so that a token's second request does not pay a millisecond again.
//!
//! Only the arithmetic is remembered, with the whole token as its key: claims, rules and `kid` are judged anew each
//! time, and whoever changes the keys must call `forget`.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::algorithm::Algorithm;
use crate::jwks::Key;
use crate::signature::SignatureCheck;
use crate::token::Signed;

const MAX_TOKENS: usize = 512;
/// Larger tokens are checked every time, which bounds the memory to one MiB per VM.
const MAX_REMEMBERED_BYTES: usize = 2 * 1024;

/// Another check, with a memory of its successes.
#[derive(Debug)]
pub struct Remembering<Check> {
    check: Check,
    good: RefCell<HashSet<Box<str>>>,
}

impl<Check> Remembering<Check> {
    /// A memory of nothing before this check.
    pub fn new(check: Check) -> Self {
        Self { check, good: RefCell::default() }
    }

    /// Drops everything, as a change of keys demands.
    pub fn forget(&self) {
        self.good.borrow_mut().clear();
    }
}

impl<Check: SignatureCheck> SignatureCheck for Remembering<Check> {
    fn is_signed_by(&self, token: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        if self.good.borrow().contains(token.compact()) {
            return true;
        }
        let good = self.check.is_signed_by(token, algorithm, key);
        if good && token.compact().len() <= MAX_REMEMBERED_BYTES {
            let mut remembered = self.good.borrow_mut();
            if remembered.len() >= MAX_TOKENS {
                // A full sweep costs one check per live token and needs no order of use.
                remembered.clear();
            }
            remembered.insert(token.compact().into());
        }
        good
    }
}
