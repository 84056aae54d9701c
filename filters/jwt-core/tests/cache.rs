//! Remembered tokens: what they spare, what they never spare, and how many there are.

mod common;

use std::cell::Cell;
use std::rc::Rc;

use common::{NOW, b64, claims, config, header, jwk, set, sign, with};
use jwt_core::algorithm::Algorithm;
use jwt_core::cache::Cache;
use jwt_core::claims::Claims;
use jwt_core::config::Config;
use jwt_core::identity::Identity;
use jwt_core::jwks::Key;
use jwt_core::signature::{InModule, SignatureCheck};
use jwt_core::token::Signed;
use jwt_core::verdict::Reason;
use jwt_core::verify::Verifier;
use rstest::rstest;
use serde_json::{Value, json};

/// Counts how often it is asked.
struct Counting(Rc<Cell<usize>>);

impl SignatureCheck for Counting {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        self.0.set(self.0.get() + 1);
        InModule.is_signed_by(signed, algorithm, key)
    }
}

struct Verifying {
    config: Config,
    verifier: Verifier<Counting>,
    checks: Rc<Cell<usize>>,
}

impl Verifying {
    fn new(config: &Value) -> Self {
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let checks = Rc::default();
        let mut verifier = Verifier::new(&config, Counting(Rc::clone(&checks)));
        for index in 0..config.providers.len() {
            verifier.set_keys(index, Some(set(&[jwk()])));
        }
        Self { config, verifier, checks }
    }

    fn limited(tokens: u64, bytes: u64) -> Self {
        Self::new(&with(config(), json!({"limits": {"cachedTokens": tokens, "cachedBytes": bytes}})))
    }

    fn reason(&mut self, token: &str, now_seconds: u64) -> Option<Reason> {
        self.verifier.verify(&self.config, token.as_bytes(), now_seconds).err().map(|fault| fault.reason)
    }

    fn checks(&self) -> usize {
        self.checks.get()
    }
}

fn two_issuers() -> Value {
    let mut config = config();
    let mut second = config["providers"][0].clone();
    second["issuer"] = json!("https://other.example");
    second["name"] = json!("two");
    config["providers"][0]["name"] = json!("one");
    config["providers"].as_array_mut().unwrap().push(second);
    config
}

fn token(changes: Value) -> String {
    sign(&header(), &with(claims(), changes))
}

#[test]
fn the_second_request_costs_no_signature() {
    let mut verifying = Verifying::new(&config());
    let token = token(json!({}));
    let first = verifying.verifier.verify(&verifying.config, token.as_bytes(), NOW).unwrap();
    let second = verifying.verifier.verify(&verifying.config, token.as_bytes(), NOW + 1).unwrap();
    assert!(Rc::ptr_eq(&first, &second));
    assert_eq!((verifying.checks(), verifying.verifier.cache_hits()), (1, 1));
    assert_eq!(verifying.verifier.cached_tokens(), 1);
}

#[rstest]
#[case::no_tokens(0, 1 << 20)]
#[case::no_bytes(10, 0)]
#[case::fewer_bytes_than_one_takes(10, 1000)]
fn without_room_every_signature_is_checked(#[case] tokens: u64, #[case] bytes: u64) {
    let mut verifying = Verifying::limited(tokens, bytes);
    let token = token(json!({}));
    assert_eq!([verifying.reason(&token, NOW), verifying.reason(&token, NOW)], [None, None]);
    assert_eq!((verifying.checks(), verifying.verifier.cached_tokens()), (2, 0));
}

#[test]
fn a_token_that_does_not_hold_is_not_remembered() {
    let mut verifying = Verifying::new(&config());
    let good = token(json!({}));
    let (text, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{text}.{}", b64(common::signature("another text")));
    for checks in 1..=2 {
        assert_eq!(verifying.reason(&forged, NOW), Some(Reason::Signature));
        assert_eq!((verifying.checks(), verifying.verifier.cached_tokens()), (checks, 0));
    }
}

/// Only a token's end is hashed, so this is the collision that a forger can make at will.
#[test]
fn a_forged_token_never_hits_by_its_end() {
    let mut verifying = Verifying::new(&config());
    let good = token(json!({}));
    let (_, end) = good.rsplit_once('.').unwrap();
    assert_eq!(verifying.reason(&good, NOW), None);
    for changes in [json!({"sub": "admin"}), json!({"sub": "alicf"}), json!({"scope": "payments:write"})] {
        let other = token(changes);
        let forged = format!("{}.{end}", other.rsplit_once('.').unwrap().0);
        assert_eq!(verifying.reason(&forged, NOW), Some(Reason::Signature));
    }
    assert_eq!((verifying.verifier.cache_hits(), verifying.verifier.cached_tokens()), (0, 1));
}

#[test]
fn time_is_judged_at_every_use() {
    let mut verifying = Verifying::new(&config());
    let token = token(json!({}));
    for (now_seconds, expected, checks) in [
        (NOW, None, 1),
        (NOW + 959, None, 1),
        (NOW + 960, Some(Reason::Expired), 1),
        // It is no longer remembered.
        (NOW, None, 2),
        (NOW - 60, None, 2),
        (NOW - 61, Some(Reason::NotYetValid), 2),
        (NOW, None, 3),
    ] {
        assert_eq!(verifying.reason(&token, now_seconds), expected, "{now_seconds}");
        assert_eq!(verifying.checks(), checks, "{now_seconds}");
    }
}

#[test]
fn a_remembered_token_needs_its_key() {
    let mut verifying = Verifying::new(&config());
    let token = token(json!({}));
    assert_eq!(verifying.reason(&token, NOW), None);
    verifying.verifier.set_keys(0, Some(set(&[with(jwk(), json!({"kid": "k2"}))])));
    assert_eq!(verifying.reason(&token, NOW), Some(Reason::UnknownKey));
    verifying.verifier.set_keys(0, Some(set(&[jwk()])));
    assert_eq!(verifying.reason(&token, NOW), None);
    verifying.verifier.set_keys(0, None);
    assert_eq!(verifying.reason(&token, NOW), Some(Reason::KeysUnavailable));
    assert_eq!(verifying.verifier.cached_tokens(), 0);
}

#[test]
fn a_change_of_keys_forgets_that_issuer_s_tokens_alone() {
    let mut verifying = Verifying::new(&two_issuers());
    let (first, second) = (token(json!({})), token(json!({"iss": "https://other.example"})));
    assert_eq!([verifying.reason(&first, NOW), verifying.reason(&second, NOW)], [None, None]);
    verifying.verifier.set_keys(0, Some(set(&[jwk()])));
    assert_eq!((verifying.verifier.cached_tokens(), verifying.checks()), (1, 2));
    assert_eq!([verifying.reason(&second, NOW), verifying.reason(&first, NOW)], [None, None]);
    assert_eq!((verifying.verifier.cached_tokens(), verifying.checks()), (2, 3));
    // One that does not exist changes nothing.
    verifying.verifier.set_keys(2, None);
    assert_eq!(verifying.verifier.cached_tokens(), 2);
}

#[rstest]
#[case::even(10)]
#[case::odd(7)]
#[case::one(1)]
fn there_are_never_more_than_the_limit(#[case] limit: usize) {
    let mut verifying = Verifying::limited(limit as u64, 1 << 20);
    let mut most = 0;
    for index in 0..60 {
        let token = token(json!({"jti": format!("j{index}")}));
        // The newest one is always there.
        assert_eq!([verifying.reason(&token, NOW), verifying.reason(&token, NOW)], [None, None]);
        assert_eq!(verifying.checks(), index + 1);
        most = most.max(verifying.verifier.cached_tokens());
    }
    // Two halves of whole tokens.
    assert_eq!(most, (limit / 2 * 2).max(1));
}

#[test]
fn there_are_never_more_bytes_than_the_limit() {
    let mut verifying = Verifying::limited(1_000, 16 << 10);
    let mut most = 0;
    for index in 0..60 {
        let token = token(json!({"jti": format!("j{index}")}));
        assert_eq!(verifying.reason(&token, NOW), None);
        most = most.max(verifying.verifier.cached_tokens() * token.len());
    }
    assert!((4 << 10..16 << 10).contains(&most), "{most}");
}

/// Else whoever holds one large token could make the worker forget all others.
#[test]
fn a_token_too_large_to_remember_pushes_no_other_out() {
    let mut verifying = Verifying::limited(100, 4 << 10);
    let (small, large) = (token(json!({})), token(json!({"more": "a".repeat(4 << 10)})));
    assert_eq!(verifying.reason(&small, NOW), None);
    for _ in 0..3 {
        assert_eq!(verifying.reason(&large, NOW), None);
    }
    assert_eq!((verifying.reason(&small, NOW), verifying.checks()), (None, 4));
}

fn identity(config: &Config, provider: usize, sub: &str) -> Rc<Identity> {
    let changes = json!({"sub": sub, "iss": config.providers[provider].issuer});
    let claims = with(claims(), changes).as_object().cloned().unwrap();
    let claims = Claims::check(claims, &config.providers[provider], false, NOW).unwrap();
    Rc::new(Identity::new(provider, &config.providers[provider], &claims, "", &config.demands))
}

fn parsed(config: &Value) -> Config {
    Config::from_json(config.to_string().as_bytes()).unwrap()
}

#[test]
fn who_is_asked_often_stays() {
    let config = parsed(&config());
    let alice = identity(&config, 0, "alice");
    let mut cache = Cache::new(4, 1 << 20);
    assert!(cache.is_empty());
    for token in ["a", "b", "c"] {
        cache.put(token.as_bytes(), &alice);
    }
    // Two generations of two: a hit in the older one brings the token to the younger.
    assert!(cache.get(b"a").is_some());
    assert_eq!(cache.len(), 3);
    cache.put(b"d", &alice);
    assert_eq!(
        ["a", "b", "c", "d"].map(|token| cache.get(token.as_bytes()).is_some()),
        [true, false, true, true]
    );
}

#[test]
fn tokens_with_one_end_are_kept_apart() {
    let config = parsed(&config());
    let (alice, bob) = (identity(&config, 0, "alice"), identity(&config, 0, "bob"));
    let end = "e".repeat(40);
    let mut cache = Cache::new(10, 1 << 20);
    cache.put(format!("a{end}").as_bytes(), &alice);
    assert_eq!(cache.get(format!("b{end}").as_bytes()), None);
    cache.put(format!("b{end}").as_bytes(), &bob);
    // Never another's. Of two with one end, which no two signatures have, the later one is remembered.
    assert_eq!(cache.get(format!("a{end}").as_bytes()), None);
    assert_eq!(cache.get(format!("b{end}").as_bytes()), Some(bob));
    assert_eq!((cache.get(end.as_bytes()), cache.get(format!("c{end}").as_bytes())), (None, None));
    cache.remove(format!("a{end}").as_bytes());
    assert_eq!(cache.len(), 1);
}

/// Tokens of about 300 bytes, three in a generation: a fourth that still counted would push the others out.
#[test]
fn what_is_forgotten_or_put_twice_takes_no_room() {
    let config = parsed(&two_issuers());
    let (ours, others) = (identity(&config, 0, "alice"), identity(&config, 1, "alice"));
    let mut cache = Cache::new(100, 1800);
    cache.put(b"ours", &ours);
    for token in ["1", "2"] {
        cache.put(token.as_bytes(), &others);
    }
    cache.forget(0);
    assert_eq!((cache.len(), cache.get(b"ours")), (2, None));
    for token in ["3", "4", "5", "6"] {
        cache.put(token.as_bytes(), &others);
    }
    assert_eq!(cache.len(), 6);
    let mut cache = Cache::new(100, 1800);
    for token in ["1", "1", "1", "2", "3", "4", "5"] {
        cache.put(token.as_bytes(), &others);
    }
    assert_eq!(cache.len(), 5);
}
