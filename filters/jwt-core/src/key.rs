//! A public key, bound when it is read to the algorithms that it may check.

use p256::elliptic_curve::point::AffineCoordinates as _;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::der;
use crate::jwks::{Dropped, member};
use crate::token::decode;

/// A public key and what it may check.
///
/// RFC 8725 section 3.1 wants one algorithm for each key. A JWK with `alg` has it; EC and OKP keys have it by their
/// curve. An RSA key without `alg` (several large issuers publish such) may check each of the RSA algorithms, and the
/// provider's list of allowed ones decides: all of them are asymmetric and use the same numbers, so nobody but the
/// key's owner can sign with any of them. A key never serves another family.
#[derive(Debug, Clone)]
pub struct Key {
    algorithms: Vec<Algorithm>,
    numbers: Numbers,
    der: Vec<u8>,
}

/// What the arithmetic of a family works with.
#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa {
        key: RsaPublicKey,
        /// Big-endian, without leading zero.
        modulus: Vec<u8>,
    },
    Ed25519(ed25519_compact::PublicKey),
}

impl Key {
    /// Reads `kty`, `crv`, `alg` and the public numbers of a JWK. `x5c` and the other certificate members are not
    /// looked at: what counts is that the key came from the issuer's set.
    pub(crate) fn from_jwk(members: &Map<String, Value>) -> Result<Self, Dropped> {
        let fitting: &[Algorithm] = match (member(members, "kty")?, member(members, "crv")?) {
            (Some("EC"), Some("P-256")) => &[Algorithm::Es256],
            (Some("EC"), Some("P-384")) => &[Algorithm::Es384],
            (Some("OKP"), Some("Ed25519")) => &[Algorithm::EdDsa],
            (Some("RSA"), _) => &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256],
            _ => return Err(Dropped::Algorithm),
        };
        let algorithms = match member(members, "alg")? {
            None => fitting.to_vec(),
            Some(name) => {
                let stated = Algorithm::from_name(name).filter(|stated| fitting.contains(stated));
                vec![stated.ok_or(Dropped::Algorithm)?]
            }
        };
        let (numbers, der) = match fitting {
            [Algorithm::Es256] => p256(members).ok_or(Dropped::Malformed),
            [Algorithm::Es384] => p384(members).ok_or(Dropped::Malformed),
            [Algorithm::EdDsa] => ed25519(members).ok_or(Dropped::Malformed),
            _ => rsa(members),
        }?;
        Ok(Self { algorithms, numbers, der })
    }

    /// Whether the key may check signatures of this algorithm.
    pub fn may_check(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// All that it may check; one algorithm, but for RSA keys without `alg`.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> + '_ {
        self.algorithms.iter().copied()
    }

    /// The key as DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1), for a host that checks signatures itself. Empty
    /// for Ed25519, which no host is asked about.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }
}

/// Both coordinates have the field's full length (RFC 7518 section 6.2.1), and the point is on the curve.
fn p256(members: &Map<String, Value>) -> Option<(Numbers, Vec<u8>)> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    let point =
        p256::AffinePoint::from_coordinates(x.as_slice().try_into().ok()?, y.as_slice().try_into().ok()?);
    let key = p256::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?;
    Some((Numbers::P256(key), der::ec_key(der::P256, &x, &y)))
}

fn p384(members: &Map<String, Value>) -> Option<(Numbers, Vec<u8>)> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    let point =
        p384::AffinePoint::from_coordinates(x.as_slice().try_into().ok()?, y.as_slice().try_into().ok()?);
    let key = p384::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?;
    Some((Numbers::P384(key), der::ec_key(der::P384, &x, &y)))
}

/// Points of small order, for which everybody can sign, and encodings with a coordinate that is not below the field's
/// prime (RFC 8032 section 5.1.3) are refused.
fn ed25519(members: &Map<String, Value>) -> Option<(Numbers, Vec<u8>)> {
    let key = ed25519_compact::PublicKey::from_slice(&bytes(members, "x")?).ok()?;
    key.validate().ok()?;
    Some((Numbers::Ed25519(key), Vec::new()))
}

fn rsa(members: &Map<String, Value>) -> Result<(Numbers, Vec<u8>), Dropped> {
    let number = |name: &str| bytes(members, name).ok_or(Dropped::Malformed);
    let (modulus, exponent) = (number("n")?, number("e")?);
    crate::rsa::check(&modulus, &exponent)?;
    let key = RsaPublicKey::new(BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&exponent));
    let key = key.map_err(|_| Dropped::Malformed)?;
    let der = der::rsa_key(&modulus, &exponent);
    Ok((Numbers::Rsa { key, modulus }, der))
}

fn bytes(members: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    decode(member(members, name).ok()??)
}
