//! What a feed says, what is kept of it, and which tokens then no longer pass.

mod common;

use std::rc::Rc;

use common::{NOW, claims, config, header, jwk, sign, with};
use jwt_core::config::Config;
use jwt_core::revocations::{Fingerprint, MAX_PAGE_BYTES, Page, Revocations, Unusable};
use jwt_core::signature::InModule;
use jwt_core::verdict::Reason;
use jwt_core::verify::{Feed, Verifier};
use rstest::rstest;
use serde_json::{Value, json};

const LIMIT: usize = 200_000;

fn now() -> u32 {
    u32::try_from(NOW).unwrap()
}

fn page(page: &Value) -> Page {
    Page::parse(page.to_string().as_bytes()).unwrap()
}

fn entries(cursor: u64, entries: &[Value]) -> Page {
    page(&json!({"cursor": cursor, "more": false, "entries": entries}))
}

fn jti(jti: &str) -> Value {
    json!({"jti": jti, "exp": now() + 900})
}

fn sub(sub: &str, not_before: u32) -> Value {
    json!({"sub": sub, "notBefore": not_before, "exp": now() + 900})
}

fn merged(known: &Revocations, page: &Page) -> Revocations {
    known.merged(page, NOW, LIMIT).unwrap().unwrap()
}

fn known(list: &[Value]) -> Revocations {
    merged(&Revocations::default(), &entries(1, list))
}

fn refuses_token(revocations: &Revocations, jti: &str) -> bool {
    revocations.refuses(Fingerprint::of_token(jti), NOW)
}

#[rstest]
#[case(r#"{"cursor":7,"more":true,"entries":[]}"#, true)]
#[case(r#"{"entries":[{"exp":1,"jti":"a"}],"reset":true,"more":false,"cursor":18446744073709551615}"#, false)]
fn a_page_is_read(#[case] body: &str, #[case] more: bool) {
    assert_eq!(Page::parse(body.as_bytes()).unwrap().more, more);
}

#[rstest]
#[case::empty("")]
#[case::null("null")]
#[case::array("[]")]
#[case::members_without_names("[1,false,false,[]]")]
#[case::no_cursor(r#"{"more":false,"entries":[]}"#)]
#[case::no_more(r#"{"cursor":1,"entries":[]}"#)]
#[case::no_entries(r#"{"cursor":1,"more":false}"#)]
#[case::unknown_member(r#"{"cursor":1,"more":false,"entries":[],"next":2}"#)]
#[case::duplicate(r#"{"cursor":1,"cursor":1,"more":false,"entries":[]}"#)]
#[case::trailing_data(r#"{"cursor":1,"more":false,"entries":[]}{}"#)]
#[case::byte_order_mark("\u{feff}{\"cursor\":1,\"more\":false,\"entries\":[]}")]
#[case::cursor_negative(r#"{"cursor":-1,"more":false,"entries":[]}"#)]
#[case::cursor_text(r#"{"cursor":"1","more":false,"entries":[]}"#)]
#[case::cursor_float(r#"{"cursor":1.0,"more":false,"entries":[]}"#)]
#[case::cursor_huge(r#"{"cursor":18446744073709551616,"more":false,"entries":[]}"#)]
#[case::more_number(r#"{"cursor":1,"more":0,"entries":[]}"#)]
#[case::reset_null(r#"{"cursor":1,"more":false,"reset":null,"entries":[]}"#)]
#[case::entries_object(r#"{"cursor":1,"more":false,"entries":{}}"#)]
#[case::entry_text(r#"{"cursor":1,"more":false,"entries":["a"]}"#)]
#[case::entry_without_names(r#"{"cursor":1,"more":false,"entries":[["a",null,null,1]]}"#)]
#[case::entry_without_end(r#"{"cursor":1,"more":false,"entries":[{"jti":"a"}]}"#)]
#[case::entry_with_more(r#"{"cursor":1,"more":false,"entries":[{"jti":"a","exp":1,"iat":1}]}"#)]
#[case::jti_number(r#"{"cursor":1,"more":false,"entries":[{"jti":1,"exp":1}]}"#)]
#[case::jti_twice(r#"{"cursor":1,"more":false,"entries":[{"jti":"a","jti":"b","exp":1}]}"#)]
#[case::end_too_late(r#"{"cursor":1,"more":false,"entries":[{"jti":"a","exp":4294967296}]}"#)]
#[case::end_negative(r#"{"cursor":1,"more":false,"entries":[{"jti":"a","exp":-1}]}"#)]
#[case::other_spelling(r#"{"cursor":1,"more":false,"entries":[{"sub":"a","not_before":1,"exp":1}]}"#)]
fn what_is_no_page_is_refused(#[case] body: &str) {
    assert_eq!(Page::parse(body.as_bytes()).err(), Some(Unusable::NotAPage));
}

#[test]
fn a_page_beyond_the_limit_is_refused_unread() {
    let mut body = br#"{"cursor":1,"more":false,"entries":[]}"#.to_vec();
    body.resize(MAX_PAGE_BYTES, b' ');
    assert!(Page::parse(&body).is_ok());
    body.push(b' ');
    assert_eq!(Page::parse(&body).err(), Some(Unusable::NotAPage));
    assert_eq!(Page::parse(b"\xff").err(), Some(Unusable::NotAPage));
}

/// One entry that cannot be understood may be the one that matters, so the whole page is of no use.
#[rstest]
#[case::nothing(json!({"exp": now() + 1}))]
#[case::both(json!({"jti": "a", "sub": "a", "notBefore": 1, "exp": now() + 1}))]
#[case::token_with_a_cut_off(json!({"jti": "a", "notBefore": 1, "exp": now() + 1}))]
#[case::subject_without_a_cut_off(json!({"sub": "a", "exp": now() + 1}))]
fn an_entry_is_a_token_or_a_subject(#[case] entry: Value) {
    let page = json!({"cursor": 1, "more": false, "entries": [jti("good"), entry]});
    assert_eq!(Page::parse(page.to_string().as_bytes()).err(), Some(Unusable::NotAPage));
}

#[test]
fn tokens_are_refused_whenever_issued_and_subjects_before_their_cut_off() {
    let known = known(&[jti("a"), sub("b", now())]);
    let (token, subject) = (Fingerprint::of_token("a"), Fingerprint::of_subject("b"));
    for issued_at in [0, NOW, u64::from(u32::MAX), u64::MAX] {
        assert!(known.refuses(token, issued_at));
        assert_eq!(known.refuses(subject, issued_at), issued_at < NOW);
        // A token's name is no subject's.
        assert!(!known.refuses(Fingerprint::of_subject("a"), issued_at));
        assert!(!known.refuses(Fingerprint::of_token("b"), issued_at));
    }
    assert!(known.refuses(subject, NOW - 1));
}

#[test]
fn the_order_of_entries_and_pages_does_not_matter() {
    let all = [jti("a"), sub("a", 5), jti("b"), sub("b", 9), jti("c")];
    let forwards = known(&all);
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(known(&reversed), forwards);
    let first = merged(&Revocations::default(), &entries(0, &all[3..]));
    assert_eq!(merged(&first, &entries(1, &all[..3])), forwards);
    assert_eq!((forwards.count(), forwards.cursor()), (5, 1));
}

#[test]
fn of_two_entries_for_one_name_the_stricter_counts() {
    let long = json!({"sub": "a", "notBefore": 5, "exp": now() + 900});
    let late = json!({"sub": "a", "notBefore": 9, "exp": now() + 1});
    for (one, other) in [(&long, &late), (&late, &long)] {
        let at_once = known(&[one.clone(), other.clone()]);
        let in_turn = merged(&known(std::slice::from_ref(one)), &entries(1, &[other.clone(), one.clone()]));
        assert_eq!(at_once, in_turn);
        assert_eq!(at_once.count(), 1);
        assert!(at_once.refuses(Fingerprint::of_subject("a"), 8));
        let later = at_once.merged(&entries(2, &[]), NOW + 899, LIMIT).unwrap().unwrap();
        assert!(later.refuses(Fingerprint::of_subject("a"), 8));
    }
}

#[test]
fn an_entry_is_forgotten_when_no_leeway_lets_its_token_live() {
    let before = known(&[jti("a")]);
    let at = |now_seconds| before.merged(&entries(2, &[]), now_seconds, LIMIT).unwrap().unwrap().count();
    assert_eq!((at(NOW + 900 + 299), at(NOW + 900 + 300)), (1, 0));
    assert_eq!(known(&[json!({"jti": "a", "exp": now() - 300})]).count(), 0);
}

#[test]
fn a_reset_starts_anew() {
    let before = known(&[jti("a")]);
    let reset = json!({"cursor": 1, "more": false, "reset": true, "entries": [jti("b")]});
    let after = merged(&before, &page(&reset));
    assert_eq!((refuses_token(&after, "a"), refuses_token(&after, "b")), (false, true));
    let empty = merged(&after, &page(&with(reset, json!({"entries": []}))));
    assert_eq!((empty.count(), empty.cursor()), (0, 1));
}

#[test]
fn a_page_without_news_changes_nothing() {
    let before = known(&[jti("a")]);
    assert_eq!(before.merged(&entries(1, &[]), NOW, LIMIT), Ok(None));
    let later = merged(&before, &entries(2, &[]));
    assert_eq!((later.cursor(), &later.as_bytes()[8..]), (2, &before.as_bytes()[8..]));
}

#[test]
fn more_than_the_limit_is_no_list() {
    let three =
        entries(1, &[jti("a"), jti("b"), jti("c"), json!({"jti": "gone", "exp": now() - 300}), jti("a")]);
    assert_eq!(Revocations::default().merged(&three, NOW, 2), Err(Unusable::TooMany));
    assert!(Revocations::default().merged(&three, NOW, 3).is_ok());
    let one = known(&[jti("z")]);
    assert_eq!(one.merged(&three, NOW, 3), Err(Unusable::TooMany));
}

#[test]
fn shared_bytes_are_a_head_and_whole_records() {
    for length in 0..200_usize {
        for byte in [0, 0x7f, 0xff] {
            let shared = Revocations::from_bytes(vec![byte; length]);
            let whole = length.checked_sub(8).filter(|records| records % 24 == 0);
            assert_eq!(shared.as_ref().map(Revocations::count), whole.map(|records| records / 24));
            if let Some(shared) = shared {
                assert_eq!(shared.cursor().to_le_bytes(), [byte; 8]);
                let _ = refuses_token(&shared, "a");
                assert!(refuses_token(&merged(&shared, &entries(1, &[jti("a")])), "a"));
            }
        }
    }
    let known = known(&[jti("a"), sub("b", 1)]);
    assert_eq!(Revocations::from_bytes(known.as_bytes().to_vec()), Some(known));
}

#[test]
fn a_hundred_thousand_entries_are_each_found() {
    let mut known = Revocations::default();
    for cursor in 0..20_u64 {
        let list: Vec<_> = (0..5_000).map(|index| jti(&format!("{}", cursor * 5_000 + index))).collect();
        known = merged(&known, &entries(cursor, &list));
    }
    assert_eq!((known.count(), known.as_bytes().len()), (100_000, 8 + 24 * 100_000));
    assert!((0..100_000).all(|index| refuses_token(&known, &index.to_string())));
    assert!(!(100_000..200_000).any(|index| refuses_token(&known, &index.to_string())));
    assert_eq!(known.merged(&entries(20, &[jti("one more")]), NOW, 100_000), Err(Unusable::TooMany));
}

struct Fed {
    config: Config,
    verifier: Verifier<InModule>,
}

impl Fed {
    fn new() -> Self {
        let mut config = config();
        config["providers"][0]["revocations"] =
            json!({"cluster": "auth", "authority": "auth", "path": "/revocations"});
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let verifier = common::verifier(&config, &[jwk()]);
        Self { config, verifier }
    }

    fn feed(&mut self, list: &[Value]) {
        self.verifier.set_feed(0, Feed::Known(Rc::new(known(list))));
    }

    fn reason(&mut self, token: &str) -> Option<Reason> {
        let fault = self.verifier.verify(&self.config, token.as_bytes(), NOW).err()?;
        assert_eq!(fault.provider, Some(0));
        Some(fault.reason)
    }
}

#[test]
fn without_its_revocations_no_token_passes() {
    let (mut fed, token) = (Fed::new(), common::valid());
    assert_eq!(fed.reason(&token), Some(Reason::RevocationsUnavailable));
    fed.feed(&[]);
    assert_eq!(fed.reason(&token), None);
    fed.verifier.set_feed(0, Feed::Unavailable);
    assert_eq!(fed.reason(&token), Some(Reason::RevocationsUnavailable));
    fed.verifier.set_feed(0, Feed::Off);
    assert_eq!(fed.reason(&token), None);
}

#[rstest]
#[case::token(jti("j1"), Some(Reason::Revoked))]
#[case::subject_after(sub("alice", now() + 1), Some(Reason::Revoked))]
#[case::subject_at_that_second(sub("alice", now()), None)]
#[case::others(jti("j2"), None)]
#[case::subject_as_token(jti("alice"), None)]
fn a_remembered_token_is_refused_at_its_next_use(#[case] entry: Value, #[case] expected: Option<Reason>) {
    let (mut fed, token) = (Fed::new(), common::valid());
    fed.feed(&[jti("another")]);
    assert_eq!([fed.reason(&token), fed.reason(&token)], [None, None]);
    assert_eq!(fed.verifier.cache_hits(), 1);
    fed.feed(&[jti("another"), entry]);
    assert_eq!([fed.reason(&token), fed.reason(&token)], [expected, expected]);
    assert_eq!(fed.verifier.cached_tokens(), usize::from(expected.is_none()));
    // What is taken back can be given back.
    fed.feed(&[]);
    assert_eq!(fed.reason(&token), None);
}

#[test]
fn a_token_that_hides_its_age_is_older_than_any_cut_off() {
    let mut fed = Fed::new();
    let token =
        sign(&with(header(), json!({"typ": "JWT"})), &with(claims(), json!({"iat": null, "jti": null})));
    fed.feed(&[sub("bob", 1)]);
    assert_eq!(fed.reason(&token), None);
    fed.feed(&[sub("alice", 1)]);
    assert_eq!(fed.reason(&token), Some(Reason::Revoked));
}

#[test]
fn the_second_form_of_a_signature_is_as_revoked_as_the_first() {
    let (mut fed, token) = (Fed::new(), common::valid());
    let (text, _) = token.rsplit_once('.').unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&common::signature(text)).unwrap();
    let (r, s) = signature.split_scalars();
    let second = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
    let second = format!("{text}.{}", common::b64(second.to_bytes()));
    fed.feed(&[]);
    assert_eq!([fed.reason(&token), fed.reason(&second)], [None, None]);
    fed.feed(&[jti("j1")]);
    assert_eq!([fed.reason(&token), fed.reason(&second)], [Some(Reason::Revoked); 2]);
}
