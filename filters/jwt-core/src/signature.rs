//! Whether a key made a signature: form first, then arithmetic.

mod host;

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, EdDSAPublicKeyLike, RSAPublicKeyLike,
};
use jwt_simple::claims::NoCustomClaims;
use jwt_simple::common::VerificationOptions;
use jwt_simple::prelude::{Duration, UnixTimeStamp};

use crate::algorithm::Algorithm;
use crate::key::{Checker, Key};
use crate::token::{MAX_TOKEN_BYTES, Signed};

pub use host::{host_answer, host_argument};

/// 2^252 + 27742317777372353535851937790883648493, big-endian: the order of Ed25519's base point (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58,
    0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
];

/// Checks a signature: jwt-simple's arithmetic here, a host's own where it has some. It has no clock: an answer holds
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
    match algorithm {
        // RFC 7518 section 3.4: r and s, each of the order's length; FIPS 186-5 wants both from 1 to n - 1.
        Algorithm::Es256 => p256::ecdsa::Signature::from_slice(signature).is_ok(),
        Algorithm::Es384 => p384::ecdsa::Signature::from_slice(signature).is_ok(),
        // RFC 8017 section 8: of the modulus' length, and below it.
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => {
            signature.len() == key.modulus().len() && signature < key.modulus()
        }
        // RFC 8032 section 5.1.7: the second half, which is little-endian, is below the order.
        Algorithm::EdDsa => signature.len() == 64 && signature.iter().rev().take(32).lt(ED25519_ORDER.iter()),
    }
}

/// jwt-simple, in pure Rust.
#[derive(Debug, Clone, Copy, Default)]
pub struct JwtSimple;

impl SignatureCheck for JwtSimple {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        if !is_well_formed(signed.signature(), algorithm, key) {
            return false;
        }
        let Some(checker) = key.checker(algorithm) else { return false };
        let (token, options) = (signed.compact(), Some(options(signed)));
        match checker {
            Checker::Es256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::Es384(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::Rs256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::Rs384(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::Rs512(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::Ps256(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
            Checker::EdDsa(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),
        }
    }
}

/// Options under which jwt-simple judges the signature only. Times, `typ` and claims are judged by `Claims`, once and
/// with the caller's clock.
fn options(signed: &Signed<'_>) -> VerificationOptions {
    VerificationOptions {
        // At 1970, without tolerance, no `exp` has passed; the next option lets `nbf` and `iat` lie ahead of it.
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        time_tolerance: Some(Duration::from_secs(0)),
        accept_future: true,
        required_key_id: signed.kid().map(str::to_owned),
        // Without it jwt-simple takes no `typ` but JWT and those that end with +JWT.
        required_signature_type: signed.typ().map(str::to_owned),
        max_token_length: Some(MAX_TOKEN_BYTES),
        max_header_length: Some(MAX_TOKEN_BYTES),
        ..VerificationOptions::default()
    }
}
