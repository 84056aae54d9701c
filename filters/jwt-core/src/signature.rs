//! Whether a key made a signature: form first, then arithmetic.

mod host;

use p256::ecdsa::signature::Verifier as _;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
/// The release of sha2 that rsa rests on: it names the hash within a signature, and takes part in PSS.
use rsa::sha2 as oid;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::algorithm::Algorithm;
use crate::key::{Key, Numbers};
use crate::token::Signed;

pub use host::{host_answer, host_argument};

/// 2^252 + 27742317777372353535851937790883648493, big-endian: the order of Ed25519's base point (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58,
    0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
];

/// Checks a signature: by arithmetic in the module, or a host's own where it has some. It has no clock: an answer holds
/// for as long as the key does.
pub trait SignatureCheck {
    /// Whether this key made the token's signature with this algorithm.
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool;
}

/// Whether the signature is one that this key could have made at all. Each check asks this before any arithmetic, so
/// that what a library or a host takes beside it (DER, zero, numbers too large, other lengths) never reaches it.
pub fn is_well_formed(signature: &[u8], algorithm: Algorithm, key: &Key) -> bool {
    if !key.may_check(algorithm) {
        return false;
    }
    match key.numbers() {
        // RFC 7518 section 3.4: r and s, each of the order's length; FIPS 186-5 wants both from 1 to n - 1.
        Numbers::P256(_) => p256::ecdsa::Signature::from_slice(signature).is_ok(),
        Numbers::P384(_) => p384::ecdsa::Signature::from_slice(signature).is_ok(),
        // RFC 8017 section 8: of the modulus' length, and below it.
        Numbers::Rsa { modulus, .. } => signature.len() == modulus.len() && signature < modulus.as_slice(),
        // RFC 8032 section 5.1.7: the second half, which is little-endian, is below the order.
        Numbers::Ed25519(_) => {
            signature.len() == 64 && signature.iter().rev().take(32).lt(ED25519_ORDER.iter())
        }
    }
}

/// The arithmetic in the module, in pure Rust.
#[derive(Debug, Clone, Copy, Default)]
pub struct InModule;

impl SignatureCheck for InModule {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        let (text, signature) = (signed.text(), signed.signature());
        if !is_well_formed(signature, algorithm, key) {
            return false;
        }
        match (algorithm, key.numbers()) {
            (Algorithm::Es256, Numbers::P256(key)) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            (Algorithm::Es384, Numbers::P384(key)) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            (Algorithm::Rs256, Numbers::Rsa { key, .. }) => {
                key.verify(Pkcs1v15Sign::new::<oid::Sha256>(), &Sha256::digest(text), signature).is_ok()
            }
            (Algorithm::Rs384, Numbers::Rsa { key, .. }) => {
                key.verify(Pkcs1v15Sign::new::<oid::Sha384>(), &Sha384::digest(text), signature).is_ok()
            }
            (Algorithm::Rs512, Numbers::Rsa { key, .. }) => {
                key.verify(Pkcs1v15Sign::new::<oid::Sha512>(), &Sha512::digest(text), signature).is_ok()
            }
            // RFC 7518 section 3.5: MGF1 with the same hash, and a salt of the hash's length, which `new` takes.
            (Algorithm::Ps256, Numbers::Rsa { key, .. }) => {
                key.verify(Pss::new::<oid::Sha256>(), &Sha256::digest(text), signature).is_ok()
            }
            (Algorithm::EdDsa, Numbers::Ed25519(key)) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            _ => false,
        }
    }
}
