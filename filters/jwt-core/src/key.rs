//! A public key, bound when it is read to the algorithms that it may check.

use jwt_simple::algorithms::{
    ES256PublicKey, ES384PublicKey, Ed25519PublicKey, PS256PublicKey, RS256PublicKey, RS384PublicKey,
    RS512PublicKey,
};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::jwks::{Dropped, member};
use crate::rsa;
use crate::token::decode;

/// SEC 1 section 2.3.3: what an uncompressed point begins with.
const UNCOMPRESSED_POINT: u8 = 4;
const ED25519_BYTES: usize = 32;

/// A public key and what it may check.
///
/// RFC 8725 section 3.1 wants one algorithm for each key. A JWK with `alg` has it; EC and OKP keys have it by their
/// curve. An RSA key without `alg` (several large issuers publish such) may check each of the RSA algorithms, and the
/// provider's list of allowed ones decides: all of them are asymmetric and use the same numbers, so nobody but the
/// key's owner can sign with any of them. A key never serves another family.
#[derive(Debug, Clone)]
pub struct Key {
    checkers: Vec<Checker>,
    /// RSA's modulus; empty for the others.
    modulus: Vec<u8>,
    der: Vec<u8>,
}

/// A key as jwt-simple has it, which has one type for each algorithm.
#[derive(Debug, Clone)]
pub(crate) enum Checker {
    Es256(ES256PublicKey),
    Es384(ES384PublicKey),
    Rs256(RS256PublicKey),
    Rs384(RS384PublicKey),
    Rs512(RS512PublicKey),
    Ps256(PS256PublicKey),
    EdDsa(Ed25519PublicKey),
}

impl Checker {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Es384(_) => Algorithm::Es384,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Rs384(_) => Algorithm::Rs384,
            Self::Rs512(_) => Algorithm::Rs512,
            Self::Ps256(_) => Algorithm::Ps256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }
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
        let (modulus, material) = match fitting {
            [Algorithm::Es256] => (Vec::new(), Material::Bytes(point(members, 32)?)),
            [Algorithm::Es384] => (Vec::new(), Material::Bytes(point(members, 48)?)),
            [Algorithm::EdDsa] => (Vec::new(), Material::Bytes(exact(members, "x", ED25519_BYTES)?)),
            _ => {
                let (modulus, exponent) = (number(members, "n")?, number(members, "e")?);
                rsa::check(&modulus, &exponent)?;
                (modulus.clone(), Material::Rsa { modulus, exponent })
            }
        };
        let checkers =
            algorithms.into_iter().map(|algorithm| material.checker(algorithm)).collect::<Option<Vec<_>>>();
        let checkers = checkers.ok_or(Dropped::Malformed)?;
        let der = checkers.first().and_then(subject_public_key_info).ok_or(Dropped::Malformed)?;
        Ok(Self { checkers, modulus, der })
    }

    /// Whether the key may check signatures of this algorithm.
    pub fn may_check(&self, algorithm: Algorithm) -> bool {
        self.checker(algorithm).is_some()
    }

    /// All that it may check; one algorithm, but for RSA keys without `alg`.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> + '_ {
        self.checkers.iter().map(Checker::algorithm)
    }

    /// The key as DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1), for a host that checks signatures itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// RSA's modulus, big-endian without leading zero.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    pub(crate) fn checker(&self, algorithm: Algorithm) -> Option<&Checker> {
        self.checkers.iter().find(|checker| checker.algorithm() == algorithm)
    }
}

enum Material {
    Bytes(Vec<u8>),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

impl Material {
    /// jwt-simple's key: it refuses points that are not on the curve and Ed25519 points of small order.
    fn checker(&self, algorithm: Algorithm) -> Option<Checker> {
        let checker = match (algorithm, self) {
            (Algorithm::Es256, Self::Bytes(point)) => ES256PublicKey::from_bytes(point).map(Checker::Es256),
            (Algorithm::Es384, Self::Bytes(point)) => ES384PublicKey::from_bytes(point).map(Checker::Es384),
            (Algorithm::EdDsa, Self::Bytes(point)) => Ed25519PublicKey::from_bytes(point).map(Checker::EdDsa),
            (Algorithm::Rs256, Self::Rsa { modulus, exponent }) => {
                RS256PublicKey::from_components(modulus, exponent).map(Checker::Rs256)
            }
            (Algorithm::Rs384, Self::Rsa { modulus, exponent }) => {
                RS384PublicKey::from_components(modulus, exponent).map(Checker::Rs384)
            }
            (Algorithm::Rs512, Self::Rsa { modulus, exponent }) => {
                RS512PublicKey::from_components(modulus, exponent).map(Checker::Rs512)
            }
            (Algorithm::Ps256, Self::Rsa { modulus, exponent }) => {
                PS256PublicKey::from_components(modulus, exponent).map(Checker::Ps256)
            }
            _ => return None,
        };
        checker.ok()
    }
}

fn subject_public_key_info(checker: &Checker) -> Option<Vec<u8>> {
    match checker {
        Checker::Es256(key) => key.to_der().ok(),
        Checker::Es384(key) => key.to_der().ok(),
        Checker::Rs256(key) => key.to_der().ok(),
        Checker::Rs384(key) => key.to_der().ok(),
        Checker::Rs512(key) => key.to_der().ok(),
        Checker::Ps256(key) => key.to_der().ok(),
        Checker::EdDsa(key) => Some(key.to_der()),
    }
}

/// RFC 7518 section 6.2.1: coordinates have the field's full length.
fn point(members: &Map<String, Value>, coordinate_bytes: usize) -> Result<Vec<u8>, Dropped> {
    let mut point = vec![UNCOMPRESSED_POINT];
    point.extend(exact(members, "x", coordinate_bytes)?);
    point.extend(exact(members, "y", coordinate_bytes)?);
    Ok(point)
}

fn exact(members: &Map<String, Value>, name: &str, length: usize) -> Result<Vec<u8>, Dropped> {
    number(members, name).and_then(
        |bytes| {
            if bytes.len() == length { Ok(bytes) } else { Err(Dropped::Malformed) }
        },
    )
}

fn number(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Dropped> {
    decode(member(members, name)?.ok_or(Dropped::Malformed)?).ok_or(Dropped::Malformed)
}
