//! The compact form of a token, read strictly and not yet believed.

mod header;

use std::rc::Rc;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use self::header::Header;
pub use self::header::LastHeader;
use crate::algorithm::Algorithm;
use crate::config::Limits;
use crate::json;
use crate::verdict::Reason;

/// The most that a configuration may allow; Envoy itself takes no more than 60 KiB of headers by default.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// What a signature check needs of a token: its header, the text, and the signature that is said to be over it. The
/// claims have not been looked at.
pub struct Signed<'a> {
    compact: &'a str,
    text: &'a str,
    signature: Vec<u8>,
    header: Rc<Header>,
}

impl<'a> Signed<'a> {
    /// Reads the compact form (RFC 7515 section 7.1): header and signature, each in canonical base64url.
    pub fn parse(compact: &'a str, limits: &Limits, last: &mut LastHeader) -> Result<Self, Reason> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(Reason::Malformed);
        }
        let (text, signature) = compact.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, claims) = text.split_once('.').ok_or(Reason::Malformed)?;
        if claims.contains('.') {
            return Err(Reason::Malformed);
        }
        let signature = decode(signature).ok_or(Reason::Malformed)?;
        let header = last.read(header, limits.token_depth)?;
        Ok(Self { compact, text, signature, header })
    }

    /// The token as it came.
    pub fn compact(&self) -> &'a str {
        self.compact
    }

    /// The claims as they came, in base64url.
    pub fn payload(&self) -> &'a str {
        self.text.split_once('.').map_or("", |(_, claims)| claims)
    }

    /// The JWS signing input (RFC 7515 section 5.1): header and claims as they came, with the dot between them.
    pub fn text(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The signature's bytes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the token says that it is signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// What the token says that it is signed by.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The token's `typ`.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }
}

/// A token whose form is sound and whose signature nobody has checked.
pub struct UnverifiedToken<'a> {
    signed: Signed<'a>,
    claims: Map<String, Value>,
}

impl<'a> UnverifiedToken<'a> {
    /// Reads the compact form: exactly three segments, and claims that are a JSON object (RFC 7519 section 7.2).
    pub fn parse(compact: &'a str, limits: &Limits, last: &mut LastHeader) -> Result<Self, Reason> {
        let signed = Signed::parse(compact, limits, last)?;
        let claims = decode(signed.payload()).and_then(|text| json::object(&text, limits.token_depth));
        let claims = claims.ok_or(Reason::Malformed)?;
        // Trying every key instead would let a token be judged by a key that it does not name.
        signed.kid().ok_or(Reason::UnknownKey)?;
        Ok(Self { signed, claims })
    }

    /// What a signature check needs.
    pub fn signed(&self) -> &Signed<'a> {
        &self.signed
    }

    /// The text as it came.
    pub fn compact(&self) -> &'a str {
        self.signed.compact
    }

    /// What the token says that it is signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.signed.algorithm()
    }

    /// What the token says that it is signed by.
    pub fn kid(&self) -> &str {
        self.signed.kid().unwrap_or_default()
    }

    /// The claimed issuer, which only serves to choose the provider that must then confirm it.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The claims, as yet mere assertions.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Both, for good.
    pub fn into_parts(self) -> (Signed<'a>, Map<String, Value>) {
        (self.signed, self.claims)
    }

    /// Whether `typ` is one of these media types; RFC 7515 lets them drop `application/`, and their case is free.
    pub fn has_type(&self, types: &[String]) -> bool {
        self.short_type().is_some_and(|typ| types.iter().any(|allowed| allowed.eq_ignore_ascii_case(typ)))
    }

    /// Whether it has a `typ` at all.
    pub fn is_typed(&self) -> bool {
        self.signed.typ().is_some()
    }

    /// Whether RFC 9068 applies, which makes more claims mandatory.
    pub fn is_access_token(&self) -> bool {
        self.short_type().is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"))
    }

    fn short_type(&self) -> Option<&str> {
        self.signed.typ().map(short_type)
    }
}

/// A media type as tokens have it (RFC 7515 section 4.1.9).
pub(crate) fn short_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    }
}

/// The bytes of canonical base64url (RFC 7515 section 2): no padding, no other character, spare bits zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::padded("YQ==")]
    #[case::spare_bits("YR")]
    #[case::one_left_over("YWJjZ")]
    #[case::standard_alphabet("-/")]
    #[case::white_space("YW Jj")]
    #[case::line_break("YWJj\n")]
    fn refuses_base64_that_is_not_canonical(#[case] text: &str) {
        assert_eq!(decode(text), None);
    }

    #[test]
    fn reads_canonical_base64() {
        assert_eq!(decode("YQ"), Some(b"a".to_vec()));
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
    }

    #[test]
    fn each_token_has_its_own_header() {
        let mut last = LastHeader::default();
        for kid in ["a", "b", "a", "a"] {
            let header = BASE64URL_NOPAD.encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#).as_bytes());
            let token = format!("{header}.e30.AA");
            let signed = Signed::parse(&token, &Limits::default(), &mut last).ok();
            assert_eq!(signed.as_ref().and_then(Signed::kid), Some(kid));
            assert!(Signed::parse("e30.e30.AA", &Limits::default(), &mut last).is_err());
        }
    }
}
