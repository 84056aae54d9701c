//! Keys and ECDSA signatures in DER (ITU-T X.690), as a host takes them.
//!
//! Nothing here reads any, and three fixed shapes are all that is written: the crates for it bring a reader for every
//! shape there is, which in the module is larger than the curves' arithmetic.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// RFC 5480 section 2.1.1: id-ecPublicKey with secp256r1.
pub(crate) const P256: &[u8] =
    &[SEQUENCE, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// RFC 5480 section 2.1.1: id-ecPublicKey with secp384r1.
pub(crate) const P384: &[u8] =
    &[SEQUENCE, 16, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22];
/// RFC 3279 section 2.3.1: rsaEncryption, whose parameters are NULL.
const RSA: &[u8] = &[SEQUENCE, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// SEC 1 section 2.3.3: what an uncompressed point begins with.
const UNCOMPRESSED_POINT: u8 = 4;

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1) of a point on the curve that `algorithm` names.
pub(crate) fn ec_key(algorithm: &[u8], x: &[u8], y: &[u8]) -> Vec<u8> {
    subject_public_key_info(algorithm, &[&[UNCOMPRESSED_POINT], x, y].concat())
}

/// `SubjectPublicKeyInfo` of an RSA key, whose inner form is RFC 8017's (appendix A.1.1).
pub(crate) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    subject_public_key_info(RSA, &pair(modulus, exponent))
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) of r and s.
pub(crate) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    pair(r, s)
}

fn subject_public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    // A bit string tells first how many bits of its last octet are unused.
    element(SEQUENCE, &[algorithm, &element(BIT_STRING, &[&[0], key])])
}

fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&integer(first), &integer(second)])
}

/// A positive number, given big-endian: with no octet too many, and with one more where the first bit would be a sign.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_some_and(|byte| *byte < 0x80) { &[] } else { &[0] };
    element(INTEGER, &[sign, digits])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len()));
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = octets.get(zeros..).unwrap_or_default();
    let mut element = Vec::with_capacity(length.saturating_add(10));
    element.push(tag);
    // From 128 on the length is told in octets of its own, after how many they are.
    if length >= 0x80 {
        element.push(u8::try_from(octets.len()).unwrap_or_default() | 0x80);
        element.extend_from_slice(octets);
    } else {
        element.push(u8::try_from(length).unwrap_or_default());
    }
    for part in parts {
        element.extend_from_slice(part);
    }
    element
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{ecdsa_signature, element, integer};

    #[rstest]
    #[case::one(&[1], &[2, 1, 1])]
    #[case::zeros_before(&[0, 0, 1], &[2, 1, 1])]
    #[case::sign_bit(&[0x80], &[2, 2, 0, 0x80])]
    #[case::sign_bit_after_zeros(&[0, 0, 0x80], &[2, 2, 0, 0x80])]
    #[case::below_the_sign_bit(&[0x7f, 0xff], &[2, 2, 0x7f, 0xff])]
    #[case::zero(&[0], &[2, 1, 0])]
    fn a_number_has_one_form(#[case] number: &[u8], #[case] expected: &[u8]) {
        assert_eq!(integer(number), expected);
    }

    #[rstest]
    #[case(0, &[0])]
    #[case(127, &[127])]
    #[case(128, &[0x81, 128])]
    #[case(255, &[0x81, 255])]
    #[case(256, &[0x82, 1, 0])]
    #[case(65_536, &[0x83, 1, 0, 0])]
    fn a_length_has_one_form(#[case] length: usize, #[case] expected: &[u8]) {
        let element = element(4, &[&vec![7; length]]);
        assert_eq!(element, [&[4], expected, &vec![7; length]].concat());
    }

    proptest! {
        /// Of two writers; the numbers are far below the order, so each pair is a signature.
        #[test]
        fn a_signature_is_written_as_p256_writes_it(r in 1_u128.., s in 1_u128..) {
            let wide = |number: u128| [[0; 16], number.to_be_bytes()].concat();
            let (r, s) = (wide(r), wide(s));
            let signature = p256::ecdsa::Signature::from_slice(&[r.clone(), s.clone()].concat()).unwrap();
            let der = signature.to_der();
            prop_assert_eq!(ecdsa_signature(&r, &s), der.as_bytes());
        }
    }
}
