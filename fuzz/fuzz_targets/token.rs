//! The compact form: what is read of a token is all of it, in its one encoding, whatever token was read before.

#![no_main]

use std::cell::RefCell;

use data_encoding::BASE64URL_NOPAD;
use jwt_core::config::Limits;
use jwt_core::token::{LastHeader, UnverifiedToken};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static LAST: RefCell<LastHeader> = RefCell::default();
}

fuzz_target!(|text: &str| {
    let after = |last: &mut LastHeader| UnverifiedToken::parse(text, &Limits::default(), last);
    let (fresh, again) = (after(&mut LastHeader::default()), LAST.with_borrow_mut(after));
    let said = |token: &UnverifiedToken<'_>| {
        (token.kid().to_owned(), token.algorithm(), token.is_typed(), token.is_access_token())
    };
    assert_eq!(
        fresh.as_ref().map(said).map_err(|reason| *reason),
        again.as_ref().map(said).map_err(|reason| *reason)
    );
    let Ok(token) = fresh else { return };
    assert_eq!(token.compact(), text);
    assert_eq!(Some(token.kid()), token.signed().kid());
    let signed = std::str::from_utf8(token.signed().text()).expect("text");
    let signature = BASE64URL_NOPAD.encode(token.signed().signature());
    assert_eq!(format!("{signed}.{signature}"), text);
    assert_eq!(text.matches('.').count(), 2);
    assert!(!token.has_type(&[]));
    assert!(!token.is_access_token() || token.has_type(&["at+jwt".to_owned()]));
});
