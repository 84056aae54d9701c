//! The signature algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1 that we know.
//!
//! HMAC and `none` have no variant: a public key can then never serve as a shared secret, and a token without a
//! signature has no way in, whatever the configuration says.

/// An asymmetric signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and a salt of the digest's length.
    Ps256,
    /// Ed25519; RFC 8037 also means Ed448 by this name, for which we take no key.
    EdDsa,
}

impl Algorithm {
    /// All of them, for lists and messages.
    pub const ALL: [Self; 7] =
        [Self::Es256, Self::Es384, Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::EdDsa];

    /// The algorithm of this JOSE name in its one spelling: names are case-sensitive (RFC 7515 section 4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The JOSE name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The length of each of its signatures; none for RSA, where it is the key's (RFC 8017 section 8).
    pub fn signature_bytes(self) -> Option<usize> {
        match self {
            Self::Es256 | Self::EdDsa => Some(64),
            Self::Es384 => Some(96),
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Algorithm;

    #[test]
    fn each_name_gives_its_algorithm_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
    }

    #[rstest]
    #[case::symmetric("HS256")]
    #[case::none("none")]
    #[case::empty("")]
    #[case::other_case("es256")]
    #[case::space("ES256 ")]
    #[case::larger_curve("ES512")]
    #[case::bitcoin_curve("ES256K")]
    #[case::encryption("RSA-OAEP")]
    #[case::name_of_the_curve("Ed25519")]
    fn knows_no_other_name(#[case] name: &str) {
        assert_eq!(Algorithm::from_name(name), None);
    }
}
