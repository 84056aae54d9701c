//! The messages of `verify_signature`, a foreign function that Envoy has: BoringSSL does the arithmetic.
//!
//! They are protocol buffers with four and two fields. A code generator and its runtime would be larger than all of
//! this file's work, so the fields are written and read here, after protobuf's encoding document.

use crate::algorithm::Algorithm;
use crate::der;
use crate::key::{Key, Numbers};
use crate::signature::is_well_formed;
use crate::token::Signed;

/// Keys of length-delimited fields: the field's number, then wire type 2.
const HASH_FUNCTION: u8 = 1 << 3 | 2;
const PUBLIC_KEY: u8 = 2 << 3 | 2;
const SIGNATURE: u8 = 3 << 3 | 2;
const TEXT: u8 = 4 << 3 | 2;
/// The answer's field 1, a varint.
const RESULT: u64 = 1 << 3;
/// A field's key and the varint of a length below 2^28.
const FIELD_OVERHEAD_BYTES: usize = 5;

/// The argument that asks the host about this signature; nothing where the host cannot say, or the answer is no in any
/// case. Ed25519 and PSS are the former: the host has no way to name them.
pub fn host_argument(signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> Option<Vec<u8>> {
    if !is_well_formed(signed.signature(), algorithm, key) {
        return None;
    }
    let hash_function = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => "sha256",
        Algorithm::Es384 | Algorithm::Rs384 => "sha384",
        Algorithm::Rs512 => "sha512",
        Algorithm::Ps256 | Algorithm::EdDsa => return None,
    };
    let write = |signature: &[u8]| {
        message(&[
            (HASH_FUNCTION, hash_function.as_bytes()),
            (PUBLIC_KEY, key.der()),
            (SIGNATURE, signature),
            (TEXT, signed.text()),
        ])
    };
    // The host takes ECDSA signatures in DER only; here r and s are the two halves.
    Some(match key.numbers() {
        Numbers::P256(_) | Numbers::P384(_) => {
            let (r, s) = signed.signature().split_at(signed.signature().len() / 2);
            write(&der::ecdsa_signature(r, s))
        }
        _ => write(signed.signature()),
    })
}

/// The host's answer, if these bytes are one. A field that is not there has its default, which is no.
pub fn host_answer(mut answer: &[u8]) -> Option<bool> {
    let mut result = false;
    while !answer.is_empty() {
        let field = varint(&mut answer)?;
        match field & 7 {
            0 => {
                let value = varint(&mut answer)?;
                if field == RESULT {
                    result = value != 0;
                }
            }
            // The error's text may quote what it was given, so nobody reads it.
            2 => {
                let length = usize::try_from(varint(&mut answer)?).ok()?;
                answer = answer.split_at_checked(length)?.1;
            }
            _ => return None,
        }
    }
    Some(result)
}

fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let bytes = fields.iter().map(|(_, value)| value.len().saturating_add(FIELD_OVERHEAD_BYTES)).sum();
    let mut message = Vec::with_capacity(bytes);
    for (field, value) in fields {
        message.push(*field);
        let mut length = value.len();
        while length > 0x7f {
            message.push(low_bits(length) | 0x80);
            length >>= 7;
        }
        message.push(low_bits(length));
        message.extend_from_slice(value);
    }
    message
}

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(place)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::host_answer;

    #[rstest]
    #[case::yes(b"\x08\x01", Some(true))]
    #[case::no(b"\x08\x00", Some(false))]
    #[case::default(b"", Some(false))]
    #[case::error(b"\x12\x04oops", Some(false))]
    #[case::no_and_error(b"\x08\x00\x12\x04oops", Some(false))]
    #[case::error_with_field_inside(b"\x12\x02\x08\x01", Some(false))]
    #[case::last_one_counts(b"\x08\x01\x08\x00", Some(false))]
    #[case::other_field(b"\x18\x01", Some(false))]
    #[case::later_field(b"\x08\x01\x22\x01x", Some(true))]
    #[case::long_varint(b"\x08\x81\x00", Some(true))]
    #[case::no_value(b"\x08", None)]
    #[case::unfinished_varint(b"\x08\x80", None)]
    #[case::endless_varint(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None)]
    #[case::length_beyond_the_end(b"\x12\x05oops", None)]
    #[case::huge_length(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", None)]
    #[case::other_wire_type(b"\x0d\x01\x00\x00\x00", None)]
    fn reads_the_host_s_answer(#[case] answer: &[u8], #[case] expected: Option<bool>) {
        assert_eq!(host_answer(answer), expected);
    }

    proptest! {
        #[test]
        fn no_answer_panics(answer in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = host_answer(&answer);
        }
    }
}
