//! The numbers of an RSA key, and which of them are too weak to be trusted.

use std::iter::successors;

use crate::jwks::Dropped;

/// NIST SP 800-131A: below this an RSA signature must no longer be relied on; RFC 7518 section 3.3 says the same.
const MIN_BITS: usize = 2048;
/// Arithmetic on larger numbers costs a worker many milliseconds.
const MAX_BITS: usize = 4096;
/// 65537, big-endian. Issuers use no other exponent; small ones turn a lax padding check into a forgery.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// Odd primes below 168, as many as the public fingerprint of CVE-2017-15361 looks at.
const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const ROCA_GENERATOR: u32 = 65_537;

/// Checks modulus and exponent, both as RFC 7518 section 6.3.1 has them: big-endian, with no octet too many.
pub(crate) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), Dropped> {
    let (Some(top), Some(1..)) = (modulus.first(), exponent.first()) else { return Err(Dropped::Malformed) };
    if *top == 0 {
        return Err(Dropped::Malformed);
    }
    let unused = usize::try_from(top.leading_zeros()).unwrap_or_default();
    let bits = modulus.len().saturating_mul(8).saturating_sub(unused);
    if bits > MAX_BITS {
        return Err(Dropped::TooLarge);
    }
    if bits < MIN_BITS || exponent != EXPONENT || has_small_factor(modulus) || is_roca(modulus) {
        return Err(Dropped::Weak);
    }
    Ok(())
}

/// A product of two large primes has none; who shows one here has no idea of what it signs with.
fn has_small_factor(modulus: &[u8]) -> bool {
    modulus.last().is_none_or(|last| last % 2 == 0)
        || SMALL_PRIMES.iter().any(|prime| remainder(modulus, *prime) == 0)
}

/// Whether the key comes from Infineon's broken generator (CVE-2017-15361), whose private part can be computed.
///
/// Its primes are powers of 65537 modulo a product of small primes, plus a multiple of that product. So the modulus
/// lies, for each small prime, in the subgroup that 65537 generates; about one in 2^27 sound keys does so by chance.
fn is_roca(modulus: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|prime| {
        let wanted = remainder(modulus, *prime);
        let next = |power: &u32| power.checked_mul(ROCA_GENERATOR)?.checked_rem(*prime);
        let turns = usize::try_from(*prime).unwrap_or(usize::MAX);
        successors(Some(1), next).take(turns).any(|power| power == wanted)
    })
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    // Below 168 * 256 at every step.
    number.iter().fold(0, |rest: u32, byte| {
        rest.wrapping_mul(256).wrapping_add(u32::from(*byte)).checked_rem(prime).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::{EXPONENT, check, has_small_factor, is_roca, remainder};
    use crate::jwks::Dropped;

    /// 65537^128: in every subgroup by its very form, and 2049 bits long.
    fn roca() -> Vec<u8> {
        let mut number = vec![1_u8];
        for _ in 0..128 {
            let mut carry = 0_u64;
            for byte in number.iter_mut().rev() {
                carry += u64::from(*byte) * 65_537;
                *byte = carry.to_be_bytes()[7];
                carry >>= 8;
            }
            while carry > 0 {
                number.insert(0, carry.to_be_bytes()[7]);
                carry >>= 8;
            }
        }
        number
    }

    /// A number of this length and first byte in which no weakness is but its size.
    fn sound(top: u8, bytes: usize) -> Vec<u8> {
        let mut number: Vec<u8> =
            [top].into_iter().chain(roca().into_iter().cycle().skip(1)).take(bytes).collect();
        let last = bytes - 1;
        (0..=u16::MAX)
            .find(|tail| {
                number[last - 1..].copy_from_slice(&tail.to_be_bytes());
                !has_small_factor(&number) && !is_roca(&number)
            })
            .unwrap();
        number
    }

    #[test]
    fn the_broken_generator_s_moduli_are_weak() {
        assert!(is_roca(&roca()));
        assert!(!has_small_factor(&roca()));
        assert_eq!(check(&roca(), &EXPONENT), Err(Dropped::Weak));
        assert_eq!(check(&sound(0x80, 256), &EXPONENT), Ok(()));
    }

    #[test]
    fn a_modulus_with_a_small_factor_is_weak() {
        let mut number = sound(0x80, 256);
        let last = number.len() - 1;
        number[last] &= 0xfe;
        assert_eq!(check(&number, &EXPONENT), Err(Dropped::Weak));
        number[last] |= 1;
        while remainder(&number, 3) != 0 {
            number[last - 1] = number[last - 1].wrapping_add(1);
        }
        assert_eq!(check(&number, &EXPONENT), Err(Dropped::Weak));
    }

    #[test]
    fn every_exponent_but_65537_is_weak_or_malformed() {
        for (exponent, expected) in [
            (vec![1], Dropped::Weak),
            (vec![3], Dropped::Weak),
            (vec![1, 0, 0], Dropped::Weak),
            (vec![1, 0, 1, 1], Dropped::Weak),
            (vec![0, 1, 0, 1], Dropped::Malformed),
            (vec![0], Dropped::Malformed),
            (vec![], Dropped::Malformed),
        ] {
            assert_eq!(check(&sound(0x80, 256), &exponent), Err(expected), "{exponent:?}");
        }
    }

    #[test]
    fn the_size_is_counted_in_bits() {
        assert_eq!(check(&sound(0x7f, 256), &EXPONENT), Err(Dropped::Weak));
        assert_eq!(check(&sound(0x80, 256), &EXPONENT), Ok(()));
        assert_eq!(check(&sound(0xff, 512), &EXPONENT), Ok(()));
        assert_eq!(check(&sound(0x01, 513), &EXPONENT), Err(Dropped::TooLarge));
        assert_eq!(check(&sound(0x00, 257), &EXPONENT), Err(Dropped::Malformed));
        assert_eq!(check(&[], &EXPONENT), Err(Dropped::Malformed));
    }
}
