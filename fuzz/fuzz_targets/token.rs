//! The compact form: what is read of a token is all of it, and in its one encoding.

#![no_main]

use data_encoding::BASE64URL_NOPAD;
use jwt_core::config::Limits;
use jwt_core::token::{LastHeader, UnverifiedToken};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(token) = UnverifiedToken::parse(text, &Limits::default(), &mut LastHeader::default()) else {
        return;
    };
    assert_eq!(token.compact(), text);
    assert_eq!(Some(token.kid()), token.signed().kid());
    let signed = std::str::from_utf8(token.signed().text()).expect("text");
    let signature = BASE64URL_NOPAD.encode(token.signed().signature());
    assert_eq!(format!("{signed}.{signature}"), text);
    assert_eq!(text.matches('.').count(), 2);
    assert!(!token.has_type(&[]));
    assert!(!token.is_access_token() || token.has_type(&["at+jwt".to_owned()]));
});
