//! What holds for all requests: of what a verdict may not depend, and what it never is laxer than.

mod common;
mod world;

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::LazyLock;

use common::{NOW, claims, header, jwk, parsed, set, sign, verifier, with};
use jwt_core::algorithm::Algorithm;
use jwt_core::judge::judge;
use jwt_core::jwks::Key;
use jwt_core::request::Request;
use jwt_core::revocations::{Page, Revocations};
use jwt_core::signature::{InModule, SignatureCheck};
use jwt_core::token::Signed;
use jwt_core::verify::{Feed, Verifier};
use jwt_simple::prelude::*;
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::DecodePublicKey;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use world::{METHODS, PATHS, ask, configured, shown, tokens};

static TOKENS: LazyLock<Vec<String>> = LazyLock::new(tokens);

/// What happens to a worker.
#[derive(Debug, Clone)]
enum Step {
    Request { method: &'static str, path: &'static str, token: Index, after_seconds: u64 },
    Keys(Option<&'static str>),
    Feed(Option<&'static str>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let request =
        (select(&METHODS[..]), select(&PATHS[..]), any::<Index>(), select(&[0, 29, 90, 959, 960][..]));
    let request = request.prop_map(|(method, path, token, after_seconds)| Step::Request {
        method,
        path,
        token,
        after_seconds,
    });
    let keys = select(&[None, Some("k1"), Some("k2")][..]).prop_map(Step::Keys);
    let names = [None, Some("j1"), Some("j2"), Some("nobody"), Some("nobody")];
    let feed = select(names.to_vec()).prop_map(Step::Feed);
    prop::collection::vec(prop_oneof![12 => request, 1 => keys, 2 => feed], 1..40)
}

fn revoked(jti: &str) -> Feed {
    let page = json!({"cursor": 1, "more": false, "entries": [{"jti": jti, "exp": NOW + 9_000}]});
    let page = Page::parse(page.to_string().as_bytes()).unwrap();
    Feed::Known(Rc::new(Revocations::default().merged(&page, NOW, 10).unwrap().unwrap()))
}

/// Keys of which `k1` is the right one, and what else a set may hold.
fn keys() -> Vec<Value> {
    let changed = |changes| with(jwk(), changes);
    vec![
        jwk(),
        changed(json!({"kid": "k2"})),
        changed(json!({"kid": "k3", "alg": "ES384"})),
        changed(json!({"kid": "k4", "d": "AA"})),
        changed(json!({"kid": "k1", "use": "enc"})),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k5", "x": jwk()["x"]}),
        // Another key of a name that is there already: RFC 7515 appendix A.3's.
        changed(json!({
            "kid": "k2",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })),
    ]
}

fn headers() -> Vec<(&'static str, &'static str)> {
    vec![
        ("accept", "*/*"),
        ("accept", "text/html"),
        ("cookie", "a=1; authorization=2"),
        ("x-jwt-sub", "admin"),
        ("x-authorization", "Bearer a.b.c"),
        ("origin", "https://shop.example"),
        (":scheme", "https"),
    ]
}

/// What our claims may be changed to: every kind of value where another one is due, and times around all borders.
fn changes() -> impl Strategy<Value = Value> {
    let name = select(&["exp", "nbf", "iat", "aud", "iss", "sub", "jti", "scope", "nonce", "kid", "x"][..]);
    let at = |seconds: i64| json!(i64::try_from(NOW).unwrap() + seconds);
    let value = prop_oneof![
        (-70_i64..70).prop_map(at),
        select(vec![json!(""), json!("finpay"), json!("https://auth.finpay.example"), json!("a b")]),
        select(vec![
            json!(["finpay"]),
            json!(["x", "finpay"]),
            json!([]),
            json!([1]),
            json!({}),
            json!(true)
        ]),
        select(vec![json!(0), json!(-1), json!(1.5), json!(u32::MAX), json!(u64::MAX), Value::Null]),
    ];
    prop::collection::vec((name, value), 0..4)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        .prop_map(Value::Object)
}

/// Arithmetic alone, as a host has it: it never sees the claims.
struct Arithmetic;

impl SignatureCheck for Arithmetic {
    fn is_signed_by(&self, signed: &Signed<'_>, algorithm: Algorithm, key: &Key) -> bool {
        let point = p256::ecdsa::VerifyingKey::from_public_key_der(key.der());
        let signature = p256::ecdsa::Signature::from_slice(signed.signature());
        let (Ok(point), Ok(signature), Algorithm::Es256) = (point, signature, algorithm) else {
            return false;
        };
        point.verify(signed.text(), &signature).is_ok()
    }
}

/// jwt-simple alone, asked for the same.
fn plain(token: &str) -> bool {
    let key = ES256KeyPair::from_bytes(&[7; 32]).unwrap().public_key().with_key_id("k1");
    let one = |text: &str| Some(HashSet::from([text.to_owned()]));
    let options = VerificationOptions {
        artificial_time: Some(UnixTimeStamp::from_secs(NOW)),
        time_tolerance: Some(Duration::from_secs(60)),
        allowed_issuers: one("https://auth.finpay.example"),
        allowed_audiences: one("finpay"),
        required_key_id: Some("k1".to_owned()),
        max_header_length: Some(16_384),
        ..VerificationOptions::default()
    };
    key.verify_token::<NoCustomClaims>(token, Some(options)).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_verdict_depends_on_what_is_remembered(steps in steps()) {
        let configs = [0, 2, 10_000].map(configured);
        let mut verifiers = configs.each_ref().map(|config| verifier(config, &[jwk()]));
        for step in steps {
            let mut all = Vec::new();
            for (config, verifier) in configs.iter().zip(&mut verifiers) {
                match &step {
                    Step::Keys(kid) => {
                        verifier.set_keys(0, kid.map(|kid| set(&[with(jwk(), json!({"kid": kid}))])));
                    }
                    Step::Feed(jti) => verifier.set_feed(0, jti.map_or(Feed::Unavailable, revoked)),
                    Step::Request { method, path, token, after_seconds } => {
                        let bearer = format!("Bearer {}", token.get(&TOKENS));
                        let headers = [(":method", *method), (":path", *path), ("authorization", &*bearer)];
                        let decision = ask(config, verifier, &headers, NOW + after_seconds);
                        all.push(shown(config, &decision));
                    }
                }
            }
            prop_assert!(all.windows(2).all(|two| two[0] == two[1]), "{step:?} {all:#?}");
        }
        prop_assert_eq!(verifiers[0].cached_tokens(), 0);
        prop_assert!(verifiers[1].cached_tokens() <= 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_verdict_depends_on_the_order_of_keys(keys in Just(keys()).prop_shuffle(), token in any::<Index>()) {
        let config = parsed();
        let token = token.get(&TOKENS);
        let verdict = |keys: &[Value]| verifier(&config, keys).verify(&config, token.as_bytes(), NOW);
        prop_assert_eq!(verdict(&keys), verdict(&self::keys()));
    }

    #[test]
    fn no_verdict_depends_on_other_headers_or_the_scheme_s_case(
        headers in Just(headers()).prop_shuffle(),
        place in any::<Index>(),
        scheme in "[Bb][Ee][Aa][Rr][Ee][Rr] {1,3}",
        token in any::<Index>(),
        method in select(&METHODS[..]),
        path in select(&PATHS[..]),
    ) {
        let config = configured(10);
        let decide = |scheme: &str, others: &[(&str, &str)], place: usize| {
            let bearer = format!("{scheme}{}", token.get(&TOKENS));
            let mut headers = others.to_vec();
            headers.insert(place, ("authorization", &bearer));
            headers.splice(place..place, [(":method", method), (":path", path)]);
            let mut verifier = verifier(&config, &[jwk()]);
            verifier.set_feed(0, Feed::Off);
            shown(&config, &ask(&config, &mut verifier, &headers, NOW))
        };
        let expected = decide("Bearer ", &[], 0);
        prop_assert_eq!(decide(&scheme, &headers, place.index(headers.len())), expected);
    }

    #[test]
    fn what_we_take_jwt_simple_takes(
        changes in changes(),
        typ in select(&["JWT", "at+jwt", "application/at+jwt", "AT+JWT", "jwt", "other", ""][..]),
        kid in select(&["k1", "k2", ""][..]),
        alg in select(&["ES256", "ES256", "ES256", "ES384", "EdDSA", "none"][..]),
    ) {
        // OpenID Connect's, and of no meaning here; jwt-simple wants it to be a text.
        prop_assume!(changes.get("nonce").is_none_or(|nonce| nonce.is_string() || nonce.is_null()));
        let token = sign(&with(header(), json!({"typ": typ, "kid": kid, "alg": alg})), &with(claims(), changes));
        let config = parsed();
        let ours = verifier(&config, &[jwk(), with(jwk(), json!({"kid": "k2"}))]).verify(&config, token.as_bytes(), NOW);
        prop_assert!(ours.is_err() || kid != "k1" || plain(&token), "{token}");
    }

    #[test]
    fn no_verdict_depends_on_who_checks_signatures(changes in changes()) {
        let token = sign(&header(), &with(claims(), changes));
        let config = parsed();
        let ours = verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), NOW);
        let mut verifier = Verifier::new(&config, Arithmetic);
        verifier.set_keys(0, Some(set(&[jwk()])));
        prop_assert_eq!(verifier.verify(&config, token.as_bytes(), NOW), ours);
    }

    #[test]
    fn no_request_panics(
        headers in prop::collection::vec(
            (select(&[":method", ":path", ":authority", "authorization", "cookie", "origin", "x-jwt-sub"][..]),
             prop::collection::vec(any::<u8>(), 0..40)),
            0..8,
        ),
        name in prop::collection::vec(any::<u8>(), 0..20),
        bearer in "(Bearer )?[A-Za-z0-9_.=-]{0,60}",
        now in any::<u64>(),
    ) {
        let config = configured(10);
        let mut headers: Vec<(&[u8], &[u8])> =
            headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
        headers.push((&name, b"a"));
        headers.push((b"authorization", bearer.as_bytes()));
        headers.push((b":path", b"/opt"));
        let request = Request::read(&config, headers.into_iter());
        let decision = judge(&config, &mut Verifier::new(&config, InModule), &request, now);
        prop_assert_eq!(decision.provider, None);
        let _ = (request.clean_target(&config), request.other_cookies("session"));
    }

    #[test]
    fn no_time_panics(now in any::<u64>(), exp in any::<u64>(), iat in any::<u64>(), nbf in any::<u32>()) {
        let token = sign(&header(), &with(claims(), json!({"exp": exp, "iat": iat, "nbf": nbf})));
        let config = parsed();
        let taken = verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), now).is_ok();
        prop_assert!(!taken || now < exp.saturating_add(60));
    }
}
