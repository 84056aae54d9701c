//! A configuration is refused with the place of its fault.

mod common;

use common::config;
use jwt_core::config::Config;
use rstest::rstest;
use serde_json::{Value, json};

#[test]
fn a_sound_configuration_is_taken() {
    let config = Config::from_json(config().to_string().as_bytes()).unwrap();
    assert_eq!((config.realm.as_str(), config.providers.len(), config.rules.len()), ("finpay", 1, 4));
    assert_eq!(config.providers[0].leeway_seconds, 60);
}

#[rstest]
#[case("/realm", json!(""), "realm:")]
#[case("/realm", json!("a\"b"), "realm:")]
#[case("/realm", json!(1), "realm:")]
#[case("/providers", json!([]), "providers:")]
#[case("/providers/0/issuer", json!("a\nb"), "providers[0].issuer:")]
#[case("/providers/0/audiences", json!([]), "providers[0].audiences:")]
#[case("/providers/0/algorithms", json!(["ES256", "HS256"]), "providers[0].algorithms[1]:")]
#[case("/providers/0/algorithms", json!(["none"]), "providers[0].algorithms[0]:")]
#[case("/providers/0/types", json!([""]), "providers[0].types:")]
#[case("/providers/0/types", json!([" JWT"]), "providers[0].types:")]
#[case("/providers/0/types", json!(["a b"]), "providers[0].types:")]
#[case("/providers/0/types", json!(["application/"]), "providers[0].types:")]
#[case("/providers/0/audiences", json!(["a "]), "providers[0].audiences:")]
#[case("/providers/0/scopeClaim", json!(""), "providers[0].scopeClaim:")]
#[case("/providers/0/scopeClaim", json!("/realm/scope"), "providers[0].scopeClaim:")]
#[case("/providers/0/leewaySeconds", json!(301), "providers[0].leewaySeconds:")]
#[case("/providers/0/leewaySeconds", json!("60"), "providers[0].leewaySeconds:")]
#[case("/providers/0/leeway", json!(60), "providers[0].leeway:")]
#[case("/providers/0/jwks/remote/cluster", json!(""), "providers[0].jwks.remote.cluster:")]
#[case("/providers/0/jwks/remote/path", json!("jwks"), "providers[0].jwks.remote.path:")]
#[case("/providers/0/jwks/remote/timeoutMs", json!(0), "providers[0].jwks.remote.timeoutMs:")]
#[case("/providers/0/jwks/remote/refreshSeconds", json!(-1), "providers[0].jwks.remote.refreshSeconds:")]
#[case("/providers/0/jwks/remote/staleSeconds", json!(300), "providers[0].jwks.remote.staleSeconds:")]
#[case("/providers/0/jwks/local", json!({}), "providers[0].jwks.local:")]
#[case("/providers/0/jwks/inline", json!("{}"), "providers[0].jwks:")]
#[case("/providers/0/jwks", json!({"inline": "{\"keys\":[]}"}), "providers[0].jwks.inline:")]
#[case("/providers/0/name", json!("A"), "providers[0].name:")]
#[case("/providers/0/anyAudience", json!(true), "providers[0].audiences:")]
#[case("/providers/0/subjects", json!({}), "providers[0].subjects:")]
#[case("/providers/0/maxLifetimeSeconds", json!(0), "providers[0].maxLifetimeSeconds:")]
#[case("/providers/0/requiredClaims", json!([{}]), "providers[0].requiredClaims[0]:")]
#[case("/providers/0/requiredClaims", json!([{"claim": "/a/b"}]), "providers[0].requiredClaims[0].claim:")]
#[case("/providers/0/requiredClaims", json!([{"claim": ""}]), "providers[0].requiredClaims[0]")]
#[case("/providers/0/requiredClaims", json!([{"pointer": "a"}]), "providers[0].requiredClaims[0].pointer:")]
#[case(
    "/providers/0/requiredClaims",
    json!([{"claim": "a", "equals": 1, "contains": 1}]),
    "providers[0].requiredClaims[0]:"
)]
#[case(
    "/providers/0/claimHeaders",
    json!([{"header": "Host", "claim": "a"}]),
    "providers[0].claimHeaders[0].header:"
)]
#[case(
    "/providers/0/claimHeaders",
    json!([{"header": "x-a", "claim": "a"}, {"header": "X-A", "claim": "b"}]),
    "providers[0].claimHeaders[1].header:"
)]
#[case(
    "/providers/0/claimHeaders",
    json!([{"header": "x-a-b", "claim": "a"}, {"header": "X_A.B", "claim": "b"}]),
    "providers[0].claimHeaders[1].header:"
)]
#[case(
    "/providers/0/claimHeaders",
    json!([{"header": "x-a", "claim": "/a"}]),
    "providers[0].claimHeaders[0].claim:"
)]
#[case("/providers/0/claimHeaders", json!([{"header": "x-a"}]), "providers[0].claimHeaders[0]:")]
#[case(
    "/providers/0/revocations",
    json!({"cluster": "auth", "authority": "auth", "path": "/r?x"}),
    "providers[0].revocations.path:"
)]
#[case(
    "/providers/0/revocations",
    json!({"cluster": "auth", "authority": "auth", "path": "/r", "intervalMs": 1}),
    "providers[0].revocations.intervalMs:"
)]
#[case(
    "/providers/0/revocations",
    json!({"cluster": "auth", "authority": "auth", "path": "/r", "intervalMs": 5000, "staleSeconds": 5}),
    "providers[0].revocations.staleSeconds: must be more than intervalMs"
)]
#[case("/tokenPlaces", json!([]), "tokenPlaces:")]
#[case("/tokenPlaces", json!([{"cookie": "a", "query": "b"}]), "tokenPlaces[0]:")]
#[case("/tokenPlaces", json!([{"cookie": "a"}, {"cookie": "a"}]), "tokenPlaces[1]:")]
#[case("/tokenPlaces", json!([{"header": "cookie"}]), "tokenPlaces[0].header:")]
#[case(
    "/tokenPlaces",
    json!([{"header": "authorization", "scheme": "Bearer"}, {"header": "authorization", "scheme": "bearer"}]),
    "tokenPlaces[1]:"
)]
#[case("/tokenPlaces", json!([{"header": "x-a", "scheme": "A"}, {"header": "x-a"}]), "tokenPlaces[1]:")]
#[case("/providers/0/claimHeaders", json!([{"header": "Origin", "claim": "a"}]), "providers[0].claimHeaders[0].header:")]
#[case("/tokenPlaces", json!([{"header": "authorization", "scheme": "Bearer "}]), "tokenPlaces[0].scheme:")]
#[case("/tokenPlaces", json!([{"query": "a"}, {"header": "x-jwt-assertion"}]), "tokenPlaces[1].header:")]
#[case("/tokenPlaces", json!([{"header": "X_Jwt_Assertion"}]), "tokenPlaces[0].header:")]
#[case("/limits", json!([256, 1, 1024, 1, 0, 0, 1, 0]), "limits: must be an object")]
#[case("/rules/1/match", json!([["a.example"], ["GET"], {"prefix": "/b"}]), "rules[1].match: must be an object")]
#[case("/rules/1/match/path", json!(["/b", null, null]), "rules[1].match.path: must be an object")]
#[case("/providers", json!([[]]), "providers[0]")]
#[case("/providers/0/subjects", json!([["alice"], ["b"]]), "providers[0].subjects: must be an object")]
#[case("/limits", json!({"tokenBytes": 65537}), "limits.tokenBytes:")]
#[case("/limits", json!({"tokenDepth": 65}), "limits.tokenDepth: must be 1 to 64")]
#[case("/limits", json!({"tokenDepth": 0}), "limits.tokenDepth:")]
#[case("/limits", json!({"jwksBytes": 1023}), "limits.jwksBytes:")]
#[case("/limits", json!({"jwksKeys": 1001}), "limits.jwksKeys:")]
#[case("/limits", json!({"parkedRequests": -1}), "limits.parkedRequests:")]
#[case("/forward", json!("drop"), "forward:")]
#[case("/signatures", json!("none"), "signatures:")]
#[case("/rules/0/match/hosts", json!(["API.example"]), "rules[0].match.hosts[0]:")]
#[case("/rules/0/match/path", json!({"template": "order/{id}"}), "rules[0].match.path.template:")]
#[case("/rules/0/dryRun", json!(true), "rules[0].dryRun:")]
#[case("/rules/0/optional", json!(true), "rules[0]:")]
#[case("/rules/1/providers", json!([]), "rules[1].providers:")]
#[case("/rules/1/providers", json!(["other"]), "rules[1].providers[0]:")]
#[case("/rules/1/anyScopes", json!(["a\"b"]), "rules[1].anyScopes:")]
#[case("/rules/1/claims", json!([{"claim": "a", "contains": []}]), "rules[1].claims[0].contains:")]
#[case("/rules/0/match/methods", json!([]), "rules[0].match.methods:")]
#[case("/rules/0/match/methods", json!(["post"]), "rules[0].match.methods:")]
#[case("/rules/0/match/methods", json!(["HEAD"]), "rules[0].match.methods:")]
#[case("/rules/0/match/path", json!({}), "rules[0].match.path:")]
#[case("/rules/0/match/path", json!({"exact": "/a", "prefix": "/a"}), "rules[0].match.path:")]
#[case("/rules/0/match/path/exact", json!("auth"), "rules[0].match.path.exact:")]
#[case("/rules/0/match/path/exact", json!("/a%2Fb"), "rules[0].match.path.exact:")]
#[case("/rules/0/match/path/regex", json!(".*"), "rules[0].match.path.regex:")]
#[case("/rules/0/scopes", json!(["a"]), "rules[0].scopes:")]
#[case("/rules/1/scopes", json!(["a b"]), "rules[1].scopes:")]
#[case("/rules/1/scopes", json!(null), "rules[1].scopes: must have a value")]
#[case("/rules/1/scopes", json!([]), "rules[1].scopes: must name some")]
#[case("/rules/1/anyScopes", json!([]), "rules[1].anyScopes: must name some")]
#[case("/rules/1/claims", json!([]), "rules[1].claims: must name some")]
#[case("/rules/1/match/hosts", json!([]), "rules[1].match.hosts: must name some")]
#[case("/rules/1/match/hosts", json!(null), "rules[1].match.hosts: must have a value")]
#[case("/providers/0/maxLifetimeSeconds", json!(null), "providers[0].maxLifetimeSeconds: must have a value")]
#[case("/providers/0/audiences", json!(null), "providers[0].audiences: must have a value")]
#[case("/rules/1/when", json!([]), "rules[1].when:")]
fn a_fault_is_named_by_its_path(#[case] pointer: &str, #[case] value: Value, #[case] expected: &str) {
    let mut document = config();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    let error = Config::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

fn refusal(document: &Value) -> Option<String> {
    Config::from_json(document.to_string().as_bytes()).err().map(|error| error.to_string())
}

/// Where services are told of a bearer, nobody else's word may stand.
#[rstest]
#[case::only_another(json!([{"header": "authorization", "scheme": "Token"}]), false)]
#[case::both(json!([{"header": "authorization", "scheme": "Token"}, {"header": "authorization", "scheme": "bearer"}]), true)]
#[case::any(json!([{"header": "authorization"}]), true)]
#[case::none(json!([{"cookie": "a"}]), true)]
fn a_token_moves_to_a_place_of_its_scheme(#[case] places: Value, #[case] is_taken: bool) {
    let mut document = config();
    document["tokenPlaces"] = places;
    document["forward"] = json!("authorization");
    assert_eq!(refusal(&document).is_none(), is_taken);
    document["forward"] = json!("strip");
    assert_eq!(refusal(&document), None);
}

#[test]
fn no_token_stands_where_the_filter_writes() {
    let mut document = config();
    document["providers"][0]["claimHeaders"] = json!([{"header": "x-user", "claim": "a"}]);
    document["tokenPlaces"] = json!([{"header": "x-token"}]);
    assert_eq!(refusal(&document), None);
    document["tokenPlaces"] = json!([{"header": "x_user"}]);
    assert_eq!(
        refusal(&document).as_deref(),
        Some("tokenPlaces[0].header: is a header that this filter writes")
    );
    // Only where the token moves there is `Authorization` the filter's, and then it is a place for tokens too.
    document["tokenPlaces"] = json!([{"header": "authorization", "scheme": "Bearer"}]);
    document["forward"] = json!("authorization");
    assert_eq!(refusal(&document), None);
}

#[rstest]
#[case::beyond_64_bits("12345678901234567890123", true)]
#[case::below_64_bits("-12345678901234567890123", true)]
#[case::within("[{\"a\":1e30}]", true)]
#[case::the_largest("18446744073709551615", false)]
#[case::the_smallest("-9223372036854775808", false)]
#[case::a_fraction("0.5", false)]
fn a_number_is_compared_whole_or_not_at_all(#[case] number: &str, #[case] is_refused: bool) {
    let mut document = config();
    document["rules"][1]["claims"] = json!([{"claim": "a", "equals": "NUMBER"}]);
    let text = document.to_string().replace("\"NUMBER\"", number);
    let error = Config::from_json(text.as_bytes()).err().map(|error| error.to_string());
    assert_eq!(
        error.as_ref().is_some_and(|error| error.starts_with("rules[1].claims[0].equals:")),
        is_refused,
        "{error:?}"
    );
    if is_refused {
        let error = Config::from_json(text.replace("equals", "contains").as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("rules[1].claims[0].contains:"), "{error}");
    }
}

#[test]
fn a_value_has_no_key_twice() {
    let mut document = config();
    document["rules"][1]["claims"] = json!([{"claim": "a", "equals": "OBJECT"}]);
    let text = document.to_string().replace("\"OBJECT\"", r#"{"b":1,"b":2}"#);
    let error = Config::from_json(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("rules[1].claims[0].equals"), "{error}");
}

#[test]
fn a_claim_may_have_to_be_null() {
    let mut document = config();
    document["rules"][1]["claims"] =
        json!([{"claim": "a", "equals": null}, {"claim": "b", "contains": null}]);
    assert!(Config::from_json(document.to_string().as_bytes()).is_ok());
}

#[test]
fn one_issuer_cannot_be_configured_twice() {
    let mut document = config();
    document["providers"][0]["name"] = json!("one");
    let mut provider = document["providers"][0].clone();
    provider["name"] = json!("two");
    document["providers"].as_array_mut().unwrap().push(provider);
    let error = Config::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("providers[1].issuer:"), "{error}");
}

#[rstest]
#[case::the_same(json!({"methods": ["POST"], "path": {"exact": "/auth/login"}}), true)]
#[case::below_a_prefix(json!({"path": {"exact": "/payment/1"}}), true)]
#[case::template_below_a_prefix(json!({"path": {"template": "/payment/{id}"}}), true)]
#[case::host_of_all(json!({"hosts": ["a.example"], "path": {"prefix": "/payment"}}), true)]
#[case::another_method(json!({"methods": ["GET"], "path": {"exact": "/auth/login"}}), false)]
#[case::more_methods(json!({"methods": ["GET", "POST"], "path": {"exact": "/auth/login"}}), false)]
#[case::wider(json!({"path": {"prefix": "/"}}), false)]
fn a_rule_that_can_never_apply_is_refused(#[case] matches: Value, #[case] is_dead: bool) {
    let mut document = config();
    document["rules"].as_array_mut().unwrap().push(json!({"match": matches}));
    let error = Config::from_json(document.to_string().as_bytes()).err().map(|error| error.to_string());
    assert_eq!(
        error.as_ref().is_some_and(|error| error.starts_with("rules[4].match:")),
        is_dead,
        "{error:?}"
    );
}

#[rstest]
#[case::all_methods(json!({"methods": ["GET", "POST"], "path": {"exact": "/a/b"}}), Some("[0, 1]"))]
#[case::one_method_more(json!({"methods": ["GET", "POST", "PUT"], "path": {"exact": "/a/b"}}), None)]
#[case::any_method(json!({"path": {"exact": "/a/b"}}), None)]
#[case::hosts(json!({"hosts": ["a.example", "x.b.example"], "path": {"exact": "/c"}}), Some("[2, 3]"))]
#[case::one_host_more(json!({"hosts": ["a.example", "b.example"], "path": {"exact": "/c"}}), None)]
fn a_rule_that_earlier_ones_cover_together_is_refused(#[case] matches: Value, #[case] by: Option<&str>) {
    let mut document = config();
    document["rules"] = json!([
        {"match": {"methods": ["GET"], "path": {"prefix": "/a"}}},
        {"match": {"methods": ["POST"], "path": {"prefix": "/a"}}},
        {"match": {"hosts": ["a.example"], "path": {"prefix": "/c"}}},
        {"match": {"hosts": ["*.b.example"], "path": {"prefix": "/c"}}},
        {"match": matches},
    ]);
    let expected = by.map(|by| format!("rules[4].match: can never apply: rules {by} match all of it before"));
    assert_eq!(refusal(&document), expected);
}

#[test]
fn rules_may_not_ask_for_more_than_can_be_remembered() {
    let mut document = config();
    let scopes: Vec<String> = (0..129).map(|index| format!("s{index}")).collect();
    document["rules"] = json!([{"match": {"path": {"prefix": "/"}}, "scopes": scopes}]);
    let error = Config::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("rules[0].scopes:"), "{error}");
}

#[rstest]
#[case(b"")]
#[case(b"null")]
#[case(b"{}{}")]
fn what_is_no_object_is_refused(#[case] text: &[u8]) {
    assert!(Config::from_json(text).is_err());
}
