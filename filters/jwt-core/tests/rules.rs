//! Rules: which one is for a request, and what it then asks.

mod common;

use common::{claims, config, header, jwk, sign, with};
use jwt_core::judge::Decision;
use jwt_core::verdict::{Reason, Verdict};
use route::{HostPattern, Match, PathPattern};
use rstest::rstest;
use serde_json::{Value, json};

/// Two issuers, `one` and `two`, with these rules and other members.
fn configured(rules: &Value, others: Value) -> Value {
    let keys = json!({"inline": json!({"keys": [jwk()]}).to_string()});
    let changes = json!({"name": "one", "algorithms": ["ES256"], "jwks": keys});
    let one = with(config()["providers"][0].clone(), changes);
    let two = with(one.clone(), json!({"name": "two", "issuer": "https://two.example"}));
    with(with(config(), json!({"providers": [one, two], "rules": rules})), others)
}

fn with_rules(rules: &Value) -> Value {
    configured(rules, json!({}))
}

fn token(changes: Value) -> String {
    format!("Bearer {}", sign(&header(), &with(claims(), changes)))
}

fn decide(config: &Value, method: &str, path: &str, token: Option<&str>) -> Decision {
    let mut headers = vec![(":method", method), (":path", path), (":authority", "api.example")];
    headers.extend(token.map(|token| ("authorization", token)));
    common::decide(config, &headers)
}

fn reason(decision: &Decision) -> Reason {
    decision.verdict.labels(decision.is_dry_run).1
}

/// Why a request without a token passes or not.
fn bare(config: &Value, method: &str, path: &str) -> Reason {
    reason(&decide(config, method, path, None))
}

#[test]
fn the_first_rule_that_matches_counts() {
    let config = with_rules(&json!([
        {"match": {"path": {"exact": "/a/b"}}, "public": true},
        {"match": {"path": {"prefix": "/a"}}, "scopes": ["admin"]},
        {"match": {"path": {"prefix": "/"}}, "optional": true},
    ]));
    assert_eq!(bare(&config, "GET", "/a/b"), Reason::Public);
    assert_eq!(bare(&config, "GET", "/a/b/"), Reason::MissingToken);
    assert_eq!(bare(&config, "GET", "/b"), Reason::Anonymous);
    assert_eq!(reason(&decide(&config, "GET", "/a", Some(&token(json!({}))))), Reason::Scope);
}

/// What only a lenient server takes for a rule's route has to meet that rule all the same.
#[rstest]
#[case::itself("GET", "/admin", Reason::Privilege)]
#[case::slash("GET", "/admin/", Reason::Privilege)]
#[case::dot("GET", "/admin.", Reason::Privilege)]
#[case::capitals("HEAD", "/Admin?x", Reason::Privilege)]
#[case::other_method("POST", "/admin/", Reason::Ok)]
#[case::other("GET", "/admin/x", Reason::Ok)]
#[case::placeholder("GET", "/orders/7/", Reason::Scope)]
#[case::literal_beside_it("GET", "/ORDERS/7", Reason::Scope)]
#[case::slash_of_a_prefix("GET", "/files", Reason::Scope)]
#[case::rule_that_matches_too("GET", "/orders/new/", Reason::Privilege)]
#[case::public("GET", "/FILES/a", Reason::Public)]
fn no_spelling_is_a_way_around_a_rule(#[case] method: &str, #[case] path: &str, #[case] expected: Reason) {
    let admin = json!([{"claim": "role", "equals": "admin"}]);
    let config = with_rules(&json!([
        {"match": {"methods": ["GET"], "path": {"exact": "/admin"}}, "claims": admin},
        {"match": {"path": {"template": "/orders/{id}"}}, "scopes": ["orders"]},
        {"match": {"path": {"exact": "/orders/new/"}}, "claims": admin},
        {"match": {"path": {"exact": "/FILES/a"}}, "public": true},
        {"match": {"path": {"prefix": "/files/"}}, "scopes": ["files"]},
        {"match": {"path": {"prefix": "/"}}, "optional": true},
    ]));
    let of = |scope: &str| reason(&decide(&config, method, path, Some(&token(json!({"scope": scope})))));
    let scope = if path.starts_with("/orders/new") { "orders" } else { "x" };
    assert_eq!(of(scope), expected);
    let bare_expected = match expected {
        Reason::Ok => Reason::Anonymous,
        Reason::Public => Reason::Public,
        _ => Reason::MissingToken,
    };
    assert_eq!(bare(&config, method, path), bare_expected);
}

#[test]
fn a_rule_that_only_counts_refuses_no_spelling() {
    let claims = json!([{"claim": "role", "equals": "admin"}]);
    let rules = json!([
        {"match": {"path": {"exact": "/a"}}, "claims": claims, "dryRun": true},
        {"match": {"path": {"exact": "/b"}}, "scopes": ["b"]},
        {"match": {"path": {"prefix": "/"}}, "claims": claims, "dryRun": true},
    ]);
    let decide = |path: &str, scope: &str| {
        let decision = decide(&with_rules(&rules), "GET", path, Some(&token(json!({"scope": scope}))));
        (reason(&decision), decision.is_dry_run)
    };
    assert_eq!(decide("/a/", "b"), (Reason::Privilege, true));
    assert_eq!(decide("/b/", "a"), (Reason::Scope, false));
    assert_eq!(decide("/b/", "b"), (Reason::Ok, false));
}

#[test]
fn without_a_rule_any_valid_token_will_do() {
    let config = with_rules(&json!([]));
    assert_eq!(bare(&config, "GET", "/a"), Reason::MissingToken);
    assert_eq!(reason(&decide(&config, "GET", "/a", Some(&token(json!({"scope": null}))))), Reason::Ok);
}

#[rstest]
#[case("GET", Reason::Public)]
#[case("HEAD", Reason::Public)]
#[case("PUT", Reason::Public)]
#[case("get", Reason::Path)]
#[case("PUt", Reason::Path)]
#[case("POST", Reason::MissingToken)]
#[case("GETS", Reason::MissingToken)]
#[case("", Reason::MissingToken)]
fn methods_are_compared_exactly_and_head_follows_get(#[case] method: &str, #[case] expected: Reason) {
    let config =
        with_rules(&json!([{"match": {"methods": ["GET", "PUT"], "path": {"prefix": "/"}}, "public": true}]));
    assert_eq!(bare(&config, method, "/a"), expected);
}

#[test]
fn head_never_reaches_a_rule_behind_get_s() {
    let config = with_rules(&json!([
        {"match": {"methods": ["GET"], "path": {"prefix": "/"}}, "scopes": ["admin"]},
        {"match": {"path": {"prefix": "/"}}, "public": true},
    ]));
    assert_eq!(bare(&config, "HEAD", "/a"), Reason::MissingToken);
    assert_eq!(bare(&config, "POST", "/a"), Reason::Public);
}

#[rstest]
#[case::exact("api.example", Reason::Public)]
#[case::case_and_port("API.example:8080", Reason::Public)]
#[case::below("a.b.example", Reason::Public)]
#[case::parent("b.example", Reason::MissingToken)]
#[case::nothing_below(".b.example", Reason::MissingToken)]
#[case::joined("ab.example", Reason::MissingToken)]
#[case::other("api.example.org", Reason::MissingToken)]
#[case::trailing_dot("api.example.", Reason::Path)]
#[case::two_ports("api.example:80:80", Reason::Path)]
#[case::no_port("api.example:x", Reason::Path)]
#[case::brackets("[api.example]", Reason::Path)]
#[case::bracket("api.example]", Reason::Path)]
#[case::address("[::1]:80", Reason::MissingToken)]
#[case::with_user("x@api.example", Reason::Path)]
#[case::none("", Reason::Path)]
fn hosts_have_one_reading(#[case] authority: &str, #[case] expected: Reason) {
    let rules = json!([
        {"match": {"hosts": ["api.example", "*.b.example"], "path": {"prefix": "/"}}, "public": true},
    ]);
    let headers = [(":method", "GET"), (":path", "/a"), (":authority", authority)];
    assert_eq!(reason(&common::decide(&with_rules(&rules), &headers)), expected);
    // Where no rule names hosts, none is looked at.
    let rules = json!([{"match": {"path": {"prefix": "/"}}, "public": true}]);
    assert_eq!(reason(&common::decide(&with_rules(&rules), &headers)), Reason::Public);
}

#[rstest]
#[case("/order/1/lines", Reason::Public)]
#[case("/order/1/lines?a=/x", Reason::Public)]
#[case("/order/lines", Reason::MissingToken)]
#[case("/order/1/lines/", Reason::MissingToken)]
#[case("/order/1/2/lines", Reason::MissingToken)]
#[case("/item/1", Reason::Public)]
#[case("/item/", Reason::MissingToken)]
#[case("/order//lines", Reason::Path)]
#[case("/order/../lines", Reason::Path)]
#[case("/order/1%2F2/lines", Reason::Path)]
fn a_placeholder_is_one_segment(#[case] path: &str, #[case] expected: Reason) {
    let config = with_rules(&json!([
        {"match": {"path": {"template": "/order/{id}/lines"}}, "public": true},
        {"match": {"path": {"template": "/item/{id}"}}, "public": true},
    ]));
    assert_eq!(bare(&config, "GET", path), expected);
}

#[rstest]
#[case::all_and_one("a b x", Reason::Ok)]
#[case::all_and_both("y x b a", Reason::Ok)]
#[case::none_of_any("a b", Reason::Scope)]
#[case::not_all("a x", Reason::Scope)]
#[case::beginnings("aa bb xx", Reason::Scope)]
#[case::other_case("A B X", Reason::Scope)]
fn scopes_are_all_of_these_and_one_of_those(#[case] scope: &str, #[case] expected: Reason) {
    let rules = json!([{"match": {"path": {"prefix": "/"}}, "scopes": ["a", "b"], "anyScopes": ["x", "y"]}]);
    let decision = decide(&with_rules(&rules), "GET", "/a", Some(&token(json!({"scope": scope}))));
    assert_eq!(reason(&decision), expected);
    if let Verdict::Deny(denial) = &decision.verdict {
        let answer = denial.answer("finpay");
        let challenge = r#"Bearer realm="finpay", error="insufficient_scope", scope="a b x y""#;
        assert_eq!((answer.status, answer.challenge.as_deref()), (403, Some(challenge)));
    }
}

#[rstest]
#[case(json!({"level": 3, "roles": ["user", "admin"], "ns": {"a.b": null}}), Reason::Privilege)]
#[case(json!({"level": 3, "roles": ["user", "admin"], "ns": {"a.b": 0}}), Reason::Ok)]
#[case(json!({"level": "3", "roles": ["user", "admin"], "ns": {"a.b": 0}}), Reason::Privilege)]
#[case(json!({"level": 3, "roles": "user admin", "ns": {"a.b": 0}}), Reason::Ok)]
#[case(json!({"level": 3, "roles": ["administrator"], "ns": {"a.b": 0}}), Reason::Privilege)]
#[case(json!({}), Reason::Privilege)]
fn claims_are_all_asked_for(#[case] changes: Value, #[case] expected: Reason) {
    let rules = json!([{"match": {"path": {"prefix": "/"}}, "claims": [
        {"claim": "level", "equals": 3},
        {"claim": "roles", "contains": "admin"},
        {"pointer": "/ns/a.b"},
    ]}]);
    let decision = decide(&with_rules(&rules), "GET", "/a", Some(&token(changes)));
    assert_eq!(reason(&decision), expected);
    if let Verdict::Deny(denial) = &decision.verdict {
        let answer = denial.answer("finpay");
        let challenge = r#"Bearer realm="finpay", error="insufficient_scope""#;
        assert_eq!((answer.status, answer.challenge.as_deref()), (403, Some(challenge)));
    }
}

#[rstest]
#[case("/one", json!({}), Reason::Ok, 0)]
#[case("/one", json!({"iss": "https://two.example"}), Reason::Issuer, 1)]
#[case("/two", json!({}), Reason::Issuer, 0)]
#[case("/two", json!({"iss": "https://two.example"}), Reason::Ok, 1)]
#[case("/both", json!({"iss": "https://two.example"}), Reason::Ok, 1)]
#[case("/all", json!({}), Reason::Ok, 0)]
fn a_rule_may_name_issuers(
    #[case] path: &str,
    #[case] changes: Value,
    #[case] expected: Reason,
    #[case] provider: usize,
) {
    let config = with_rules(&json!([
        {"match": {"path": {"exact": "/one"}}, "providers": ["one"]},
        {"match": {"path": {"exact": "/two"}}, "providers": ["two"]},
        {"match": {"path": {"exact": "/both"}}, "providers": ["two", "one"]},
    ]));
    let decision = decide(&config, "GET", path, Some(&token(changes)));
    assert_eq!((reason(&decision), decision.provider), (expected, Some(provider)));
}

#[test]
fn an_optional_token_must_hold_all_the_same() {
    let config =
        with_rules(&json!([{"match": {"path": {"prefix": "/"}}, "optional": true, "scopes": ["a"]}]));
    assert_eq!(bare(&config, "GET", "/a"), Reason::Anonymous);
    let with_token = |changes| reason(&decide(&config, "GET", "/a", Some(&token(changes))));
    assert_eq!(with_token(json!({"scope": "a"})), Reason::Ok);
    assert_eq!(with_token(json!({"scope": "b"})), Reason::Scope);
    assert_eq!(with_token(json!({"exp": 1})), Reason::Expired);
    assert_eq!(reason(&decide(&config, "GET", "/a", Some("Bearer"))), Reason::Request);
    assert_eq!(reason(&decide(&config, "GET", "/a", Some("Basic YTpi"))), Reason::Anonymous);
}

#[rstest]
#[case::preflight("OPTIONS", true, true, Reason::Preflight)]
#[case::no_origin("OPTIONS", false, true, Reason::MissingToken)]
#[case::no_method_asked_for("OPTIONS", true, false, Reason::MissingToken)]
#[case::another_method("GET", true, true, Reason::MissingToken)]
fn a_preflight_passes(
    #[case] method: &str,
    #[case] origin: bool,
    #[case] asks: bool,
    #[case] expected: Reason,
) {
    let mut headers = vec![(":method", method), (":path", "/a"), (":authority", "api.example")];
    headers.extend(origin.then_some(("origin", "https://shop.example")));
    headers.extend(asks.then_some(("access-control-request-method", "PUT")));
    assert_eq!(reason(&common::decide(&with_rules(&json!([])), &headers)), expected);
    let without = configured(&json!([]), json!({"corsPreflight": false}));
    assert_eq!(reason(&common::decide(&without, &headers)), Reason::MissingToken);
    // What has two readings has them in a preflight too.
    headers[1].1 = "/a/../b";
    assert_eq!(reason(&common::decide(&with_rules(&json!([])), &headers)), Reason::Path);
}

#[test]
fn a_dry_run_counts_what_it_would_refuse() {
    let config = with_rules(&json!([
        {"match": {"path": {"prefix": "/dry"}}, "scopes": ["admin"], "dryRun": true},
    ]));
    let labels = |path: &str, token: Option<&str>| {
        let decision = decide(&config, "GET", path, token);
        decision.verdict.labels(decision.is_dry_run)
    };
    let (plain, admin) = (token(json!({})), token(json!({"scope": "admin"})));
    assert_eq!(labels("/dry", None), ("would_deny", Reason::MissingToken));
    assert_eq!(labels("/dry", Some(&plain)), ("would_deny", Reason::Scope));
    assert_eq!(labels("/dry", Some(&admin)), ("allow", Reason::Ok));
    assert_eq!(labels("/wet", None), ("deny", Reason::MissingToken));
    // Before the rule is known, nothing is dry.
    assert_eq!(labels("/dry/../wet", None), ("deny", Reason::Path));
}

/// Every list of up to two of these.
fn lists(all: &[&str]) -> Vec<Vec<String>> {
    let owned = |some: &[&str]| some.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let pairs = all.iter().flat_map(|one| all.iter().map(move |other| vec![*one, *other]));
    let mut lists = vec![owned(&[])];
    lists.extend(pairs.map(|pair| owned(&pair)));
    lists
}

/// On a small world every pair of matches is compared with all that it could be asked.
#[test]
fn a_match_covers_another_exactly_if_no_request_shows_otherwise() {
    let exact = |path: &str| PathPattern::Exact(path.to_owned());
    let prefix = |path: &str| PathPattern::Prefix(path.to_owned());
    let template = |path: &str| PathPattern::template(path).unwrap();
    let paths = [exact("/a"), prefix("/a"), prefix("/"), template("/{x}"), template("/{x}/{y}")];
    let hosts = ["a.b", "*.b", "*.a.b"];
    let world = lists(&hosts).into_iter().flat_map(|hosts| {
        let hosts: Vec<_> = hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect();
        lists(&["GET", "PUT"]).into_iter().map(move |methods| (hosts.clone(), methods))
    });
    let matches: Vec<_> = world
        .flat_map(|(hosts, methods)| {
            paths.clone().map(|path| Match { hosts: hosts.clone(), methods: methods.clone(), path })
        })
        .collect();
    let mut requests = Vec::new();
    for host in ["a.b", "x.b", "x.a.b", "b", "c"] {
        for method in ["GET", "PUT", "POST"] {
            requests
                .extend(["/", "/a", "/a/", "/a/c", "/b", "/b/c", "/a/c/d"].map(|path| (host, method, path)));
        }
    }
    let sets: Vec<Vec<bool>> = matches
        .iter()
        .map(|one| {
            requests.iter().map(|(host, method, path)| one.matches(Some(host), method, path)).collect()
        })
        .collect();
    for (ours, all) in matches.iter().zip(&sets) {
        for (theirs, some) in matches.iter().zip(&sets) {
            let covers = all.iter().zip(some).all(|(all, some)| *all || !some);
            assert_eq!(ours.covers(theirs), covers, "{ours:?} {theirs:?}");
        }
    }
}
