//! What holds for all paths, cookies, parameters, revocations and remembered tokens: each compared with a model that
//! is too slow or too simple to be used.

mod common;

use std::collections::HashMap;
use std::rc::Rc;

use common::{NOW, claims, parsed, with};
use jwt_core::cache::Cache;
use jwt_core::claims::Claims;
use jwt_core::identity::Identity;
use jwt_core::place::{without_cookie, without_parameter};
use jwt_core::revocations::{Fingerprint, Page, Revocations, Unusable};
use proptest::prelude::*;
use proptest::sample::select;
use route::{HostPattern, Match, PathPattern, normal_path};
use serde_json::{Value, json};

fn path() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(select(&["a", "b", "ab", "c.d"][..]), 0..4);
    (segments, select(&["", "/"][..])).prop_map(|(segments, end)| {
        let path = format!("/{}", segments.join("/"));
        if path.ends_with('/') { path } else { path + end }
    })
}

fn pattern() -> impl Strategy<Value = PathPattern> {
    let segments = prop::collection::vec(select(&["a", "b", "ab", "{x}"][..]), 1..4);
    prop_oneof![
        path().prop_map(PathPattern::Exact),
        path().prop_map(PathPattern::Prefix),
        segments.prop_map(|segments| PathPattern::template(&format!("/{}", segments.join("/"))).unwrap()),
    ]
}

fn a_match() -> impl Strategy<Value = Match> {
    let hosts = prop::collection::vec(select(&["a.b", "*.b", "*.a.b", "c"][..]), 0..3);
    let methods = prop::collection::vec(select(&["GET", "PUT"][..]), 0..3);
    (hosts, methods, pattern()).prop_map(|(hosts, methods, path)| Match {
        hosts: hosts.into_iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
        methods: methods.into_iter().map(str::to_owned).collect(),
        path,
    })
}

/// Pairs of a name and a value, one of which names is ours.
fn pairs() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let name = select(&["token", "token", "token2", "xtoken", "Token", "a", "b"][..]);
    prop::collection::vec((name, select(&["", "secret", "x=token", "token", "1"][..])), 0..6)
}

fn text(pairs: &[(&str, &str)], separator: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(separator)
}

/// An entry of the feed: kind, name, cut-off and end.
type Entry = (bool, &'static str, u32, u32);

fn pages() -> impl Strategy<Value = Vec<(Vec<Entry>, bool, u64)>> {
    // Kept for the largest leeway beyond their end.
    let end = u32::try_from(NOW).unwrap() - 300;
    let entry = (any::<bool>(), select(&["a", "b", "c", "d"][..]), 0..4_u32, end..end + 8);
    let page = (prop::collection::vec(entry, 0..5), prop::bool::weighted(0.1), 0..8_u64);
    prop::collection::vec(page, 1..12)
}

fn entry_json((is_token, name, not_before, exp): Entry) -> Value {
    if is_token {
        json!({"jti": name, "exp": exp})
    } else {
        json!({"sub": name, "notBefore": not_before, "exp": exp})
    }
}

/// What is done with remembered tokens: put, asked for, removed, or all of a provider forgotten.
#[derive(Debug, Clone)]
enum Deed {
    Put(usize, usize),
    Get(usize),
    Remove(usize),
    Forget(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..12_usize, 0..2_usize).prop_map(|(token, provider)| Deed::Put(token, provider)),
        6 => (0..12_usize).prop_map(Deed::Get),
        1 => (0..12_usize).prop_map(Deed::Remove),
        1 => (0..2_usize).prop_map(Deed::Forget),
    ];
    prop::collection::vec(deed, 0..60)
}

fn identities() -> [Rc<Identity>; 2] {
    let config = parsed();
    [0, 1].map(|provider| {
        let claims = with(claims(), json!({"sub": format!("s{provider}")})).as_object().cloned().unwrap();
        let claims = Claims::check(claims, &config.providers[0], false, NOW).unwrap();
        Rc::new(Identity::new(provider, &config.providers[0], &claims, "", &config.demands))
    })
}

/// Else a rule behind it that can never apply is not noticed.
#[test]
fn a_template_without_placeholders_is_its_path() {
    let (exact, template) = (PathPattern::Exact("/a/b".to_owned()), PathPattern::template("/a/b").unwrap());
    assert_eq!((template.covers(&exact), exact.covers(&template)), (true, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_covered_is_matched(ours in pattern(), theirs in pattern(), path in path()) {
        prop_assert_eq!(normal_path(path.as_bytes()), Some(path.as_str()));
        prop_assert!(!ours.covers(&theirs) || !theirs.matches(&path) || ours.matches(&path));
        prop_assert!(ours.covers(&ours));
    }

    #[test]
    fn a_covered_match_is_matched(
        (ours, theirs) in (a_match(), a_match()),
        host in select(&[None, Some("a.b"), Some("x.b"), Some("x.a.b"), Some("c")][..]),
        method in select(&["GET", "PUT", "POST"][..]),
        path in path(),
    ) {
        let both = theirs.matches(host, method, &path) && !ours.matches(host, method, &path);
        prop_assert!(!(ours.covers(&theirs) && both), "{:?} {:?}", ours, theirs);
    }

    /// A rule that is not near is not looked at again.
    #[test]
    fn what_matches_nearly_matches(
        rule in a_match(),
        host in select(&[None, Some("a.b"), Some("x.b"), Some("c")][..]),
        method in select(&["GET", "HEAD", "PUT"][..]),
        (path, end) in (path(), select(&["", "a.", "b.."][..])),
    ) {
        let path = path + end;
        prop_assert!(!rule.matches(host, method, &path) || rule.nearly_matches(host, method, &path), "{}", path);
    }

    #[test]
    fn a_parameter_is_taken_out_and_nothing_else(path in path(), pairs in pairs()) {
        let others: Vec<_> = pairs.iter().copied().filter(|(name, _)| *name != "token").collect();
        let target = |pairs: &[(&str, &str)]| {
            let query = text(pairs, "&");
            if query.is_empty() { path.clone() } else { format!("{path}?{query}") }
        };
        let left = without_parameter(target(&pairs).as_bytes(), "token");
        prop_assert_eq!(left.is_some(), others.len() < pairs.len());
        if let Some(left) = left {
            prop_assert_eq!(&left, &target(&others).into_bytes());
            prop_assert_eq!(without_parameter(&left, "token"), None);
        }
    }

    #[test]
    fn a_cookie_is_taken_out_and_nothing_else(pairs in pairs(), separator in select(&["; ", ";", " ; "][..])) {
        let others: Vec<_> = pairs.iter().copied().filter(|(name, _)| *name != "token").collect();
        let left = without_cookie(text(&pairs, separator).as_bytes(), "token");
        prop_assert_eq!(left.is_some(), others.len() < pairs.len());
        if let Some(left) = left {
            prop_assert_eq!(&left, &text(&others, "; ").into_bytes());
            prop_assert_eq!(without_cookie(&left, "token"), None);
        }
    }

    #[test]
    fn arbitrary_text_keeps_nothing_of_a_token(text in prop::collection::vec(any::<u8>(), 0..30), at in 0..30_usize) {
        let at = at.min(text.len());
        for separator in [b';', b'&'] {
            let text = [b"/?", &text[..at], &[separator], b"token=secret", &[separator], &text[at..]].concat();
            let left = match separator {
                b';' => without_cookie(&text, "token"),
                _ => without_parameter(&text, "token"),
            };
            let left = left.unwrap();
            prop_assert!(!left.windows(6).any(|part| part == b"secret"));
        }
    }

    #[test]
    fn revocations_are_a_map(pages in pages(), limit in 1..8_usize) {
        let mut known = Revocations::default();
        let mut model: HashMap<(bool, &str), (u32, u32)> = HashMap::new();
        let mut cursor = 0;
        for (now_seconds, (entries, reset, next)) in (NOW..).zip(pages) {
            let list: Vec<_> = entries.iter().copied().map(entry_json).collect();
            let page = json!({"cursor": next, "more": false, "reset": reset, "entries": list});
            let page = Page::parse(page.to_string().as_bytes()).unwrap();
            let changes = reset || !entries.is_empty() || next != cursor;
            let mut after = if reset { HashMap::new() } else { model.clone() };
            for (is_token, name, not_before, exp) in entries {
                let not_before = if is_token { u32::MAX } else { not_before };
                let known = after.entry((is_token, name)).or_insert((not_before, exp));
                *known = (known.0.max(not_before), known.1.max(exp));
            }
            after.retain(|_, (_, exp)| u64::from(*exp) + 300 > now_seconds);
            match known.merged(&page, now_seconds, limit) {
                Ok(None) => prop_assert!(!changes),
                Ok(Some(merged)) => {
                    prop_assert!(changes && after.len() <= limit);
                    (known, model, cursor) = (merged, after, next);
                }
                Err(error) => prop_assert!(error == Unusable::TooMany && after.len() > limit),
            }
            prop_assert_eq!((known.count(), known.cursor()), (model.len(), cursor));
            for name in ["a", "b", "c", "d", "e"] {
                for issued_at in 0..5 {
                    let kinds = [(true, Fingerprint::of_token(name)), (false, Fingerprint::of_subject(name))];
                    for (is_token, fingerprint) in kinds {
                        let entry = model.get(&(is_token, name));
                        let expected = entry.is_some_and(|(not_before, _)| issued_at < u64::from(*not_before));
                        prop_assert_eq!(known.refuses(fingerprint, issued_at), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_cache_forgets_but_never_errs(deeds in deeds(), half in 0..6_usize, bytes in select(&[0, 900, 3_000, 1 << 20][..])) {
        let (identities, mut model) = (identities(), HashMap::new());
        let mut cache = Cache::new(half * 2, bytes);
        let name = |token: usize| format!("{token}{}", "same end".repeat(8));
        for deed in deeds {
            match deed {
                // As the verifier does: what is known is not put again.
                Deed::Put(token, provider) if cache.get(name(token).as_bytes()).is_none() => {
                    cache.put(name(token).as_bytes(), &identities[provider]);
                    model.insert(token, provider);
                }
                Deed::Put(..) => {}
                Deed::Get(token) => {
                    let found = cache.get(name(token).as_bytes()).map(|identity| identity.provider);
                    prop_assert!(found.is_none() || found == model.get(&token).copied());
                }
                Deed::Remove(token) => {
                    cache.remove(name(token).as_bytes());
                    model.remove(&token);
                }
                Deed::Forget(provider) => {
                    cache.forget(provider);
                    model.retain(|_, of| *of != provider);
                }
            }
            prop_assert!(cache.len() <= half * 2 && cache.len() <= model.len());
            prop_assert!(cache.len() * name(0).len() <= bytes);
        }
    }
}
