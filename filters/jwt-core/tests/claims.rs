//! What a provider asks of its tokens' claims, and what the service is told of them.

mod common;

use common::{NOW, claims, config, header, jwk, sign, with};
use jwt_core::config::Config;
use jwt_core::verdict::Reason;
use jwt_core::verify::Fault;
use rstest::rstest;
use serde_json::{Value, json};

fn configured(changes: Value) -> Config {
    let provider = with(config()["providers"][0].clone(), changes);
    let config = with(config(), json!({"providers": [provider]}));
    Config::from_json(config.to_string().as_bytes()).expect("a sound configuration")
}

/// Why a token of this header and these claims is refused under these settings.
fn refused(settings: Value, header: &Value, claims: &Value) -> Option<Reason> {
    let config = configured(settings);
    let verdict = common::verifier(&config, &[jwk()]).verify(&config, sign(header, claims).as_bytes(), NOW);
    verdict.err().map(|Fault { reason, provider }| {
        assert_eq!(provider, Some(0));
        reason
    })
}

fn refusal(settings: Value, changes: Value) -> Option<Reason> {
    refused(settings, &header(), &with(claims(), changes))
}

#[rstest]
#[case::exact("alice", None)]
#[case::beginning("svc-orders", None)]
#[case::beginning_alone("svc-", None)]
#[case::longer("alice2", Some(Reason::Subject))]
#[case::within("xsvc-a", Some(Reason::Subject))]
#[case::other_case("SVC-a", Some(Reason::Subject))]
fn subjects_are_listed(#[case] sub: &str, #[case] expected: Option<Reason>) {
    let settings = json!({"subjects": {"exact": ["alice", "bob"], "prefixes": ["svc-"]}});
    assert_eq!(refusal(settings, json!({"sub": sub})), expected);
}

#[rstest]
#[case::just(json!({}), None)]
#[case::a_second_longer(json!({"exp": NOW + 901}), Some(Reason::Lifetime))]
#[case::issued_before(json!({"iat": NOW - 1}), Some(Reason::Lifetime))]
#[case::shorter(json!({"exp": NOW + 1}), None)]
#[case::without_beginning(json!({"iat": null}), Some(Reason::Claims))]
#[case::ends_before_it_begins(json!({"exp": NOW - 1, "nbf": null}), None)]
fn the_lifetime_has_a_limit(#[case] changes: Value, #[case] expected: Option<Reason>) {
    let typ = with(header(), json!({"typ": "JWT"}));
    let token = with(claims(), changes);
    assert_eq!(refused(json!({"maxLifetimeSeconds": 900}), &typ, &token), expected);
}

#[rstest]
#[case(json!({"tenant": "a", "realm": {"roles": ["user"]}}), None)]
#[case(json!({"tenant": "a", "realm": {"roles": "old user"}}), None)]
#[case(json!({"tenant": "a", "realm": {"roles": ["users"]}}), Some(Reason::Claims))]
#[case(json!({"tenant": "b", "realm": {"roles": ["user"]}}), Some(Reason::Claims))]
#[case(json!({"tenant": ["a"], "realm": {"roles": ["user"]}}), Some(Reason::Claims))]
#[case(json!({"tenant": "a"}), Some(Reason::Claims))]
#[case(json!({"tenant": "a", "realm": [{"roles": ["user"]}]}), Some(Reason::Claims))]
fn required_claims_must_all_be_there(#[case] changes: Value, #[case] expected: Option<Reason>) {
    let required = json!([
        {"claim": "tenant", "equals": "a"},
        {"pointer": "/realm/roles", "contains": "user"},
        {"claim": "client_id"},
    ]);
    assert_eq!(refusal(json!({"requiredClaims": required}), changes), expected);
}

#[rstest]
#[case::array(json!(["a", "b"]), Ok("a b"))]
#[case::empty_array(json!([]), Ok(""))]
#[case::text(json!("a b"), Ok("a b"))]
#[case::longest(json!("a".repeat(1024)), Ok(&*"a".repeat(1024)))]
#[case::too_long(json!("a".repeat(1025)), Err(Reason::Claims))]
#[case::too_long_in_sum(json!(["a".repeat(600), "b".repeat(600)]), Err(Reason::Claims))]
#[case::empty_member(json!(["a", ""]), Err(Reason::Claims))]
#[case::member_with_a_space(json!(["a b"]), Err(Reason::Claims))]
#[case::member_no_text(json!(["a", 1]), Err(Reason::Claims))]
#[case::null(json!([null]), Err(Reason::Claims))]
#[case::number(json!(1), Err(Reason::Claims))]
#[case::space_at_the_end(json!("a "), Err(Reason::Claims))]
#[case::backslash(json!("a\\b"), Err(Reason::Claims))]
fn scopes_stand_in_the_configured_claim(#[case] scopes: Value, #[case] expected: Result<&str, Reason>) {
    let config = configured(json!({"scopeClaim": "permissions"}));
    let token = sign(&header(), &with(claims(), json!({"permissions": scopes, "scope": {}})));
    let verdict = common::verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), NOW);
    let scope = verdict.as_ref().map(|identity| {
        let headers = identity.headers(&config.providers[0]);
        let scope = headers.filter(|(name, _)| *name == "x-jwt-scope").map(|(_, value)| value);
        str::from_utf8(scope.last().expect("a header")).expect("text")
    });
    assert_eq!(scope.map_err(|fault| fault.reason), expected);
}

#[rstest]
#[case::other(json!("other"), None)]
#[case::none(json!(null), Some(Reason::Claims))]
#[case::array(json!(["a", "b"]), None)]
#[case::empty(json!([]), None)]
#[case::number(json!(1), Some(Reason::Claims))]
#[case::mixed(json!(["a", 1]), Some(Reason::Claims))]
#[case::object(json!({}), Some(Reason::Claims))]
fn any_audience_is_an_audience_still(#[case] audience: Value, #[case] expected: Option<Reason>) {
    let settings = json!({"anyAudience": true, "audiences": null});
    assert_eq!(refusal(settings, json!({"aud": audience})), expected);
}

/// Only of access tokens, which RFC 9068 asks it of, an audience is needed where none is compared.
#[test]
fn without_an_audience_a_token_of_another_type_is_for_all() {
    let settings = json!({"anyAudience": true, "audiences": null});
    let typ = with(header(), json!({"typ": "JWT"}));
    assert_eq!(refused(settings, &typ, &with(claims(), json!({"aud": null}))), None);
}

#[rstest]
#[case::none_and_none_needed(json!(null), json!({"needsType": false}), None)]
#[case::none_and_needed(json!(null), json!({}), Some(Reason::Type))]
#[case::other_and_none_needed(json!("dpop+jwt"), json!({"needsType": false}), Some(Reason::Type))]
#[case::listed(json!("a+jwt"), json!({"types": ["A+JWT"]}), None)]
#[case::listed_in_full(json!("application/a+jwt"), json!({"types": ["a+jwt"]}), None)]
#[case::no_longer_listed(json!("JWT"), json!({"types": ["a+jwt"]}), Some(Reason::Type))]
#[case::empty(json!(""), json!({"needsType": false}), Some(Reason::Type))]
#[case::no_jwt_by_its_name(json!("a"), json!({"types": ["a"]}), None)]
fn types_are_those_of_the_list(
    #[case] typ: Value,
    #[case] settings: Value,
    #[case] expected: Option<Reason>,
) {
    assert_eq!(refused(settings, &with(header(), json!({"typ": typ})), &claims()), expected);
}

/// RFC 9068 asks more of an access token, whatever else is configured.
#[rstest]
#[case::access_token("at+jwt", Some(Reason::Claims))]
#[case::in_full("application/AT+jwt", Some(Reason::Claims))]
#[case::another("JWT", None)]
fn only_access_tokens_need_a_client(#[case] typ: &str, #[case] expected: Option<Reason>) {
    let header = with(header(), json!({"typ": typ}));
    let settings = || json!({"needsType": false});
    for name in ["jti", "iat", "client_id"] {
        let claims = with(claims(), json!({name: null}));
        assert_eq!(refused(settings(), &header, &claims), expected, "{name}");
    }
}

#[rstest]
#[case::none(0, NOW, Some(Reason::Expired))]
#[case::none_and_just_valid(0, NOW + 1, None)]
#[case::some(300, NOW - 299, None)]
#[case::too_late(300, NOW - 300, Some(Reason::Expired))]
fn the_leeway_is_the_configured_one(#[case] leeway: u64, #[case] exp: u64, #[case] expected: Option<Reason>) {
    assert_eq!(refusal(json!({"leewaySeconds": leeway}), json!({"exp": exp})), expected);
}

/// The last second of 32 bits is one; with the leeway added it is still no overflow.
#[test]
fn the_end_of_time_is_a_time() {
    let config = configured(json!({}));
    let token = sign(&header(), &with(claims(), json!({"exp": u32::MAX})));
    let mut verifier = common::verifier(&config, &[jwk()]);
    let mut at = |now| verifier.verify(&config, token.as_bytes(), now).err().map(|fault| fault.reason);
    assert_eq!((at(NOW), at(u64::from(u32::MAX) + 60)), (None, Some(Reason::Expired)));
    assert_eq!(
        (at(u64::from(u32::MAX) + 59), at(u64::MAX), at(0)),
        (None, Some(Reason::Expired), Some(Reason::NotYetValid))
    );
    assert_eq!(refusal(json!({}), json!({"exp": u64::from(u32::MAX) + 1})), Some(Reason::Claims));
}

#[rstest]
#[case::header_at_the_limit(3, 2, 1, None)]
#[case::header_beyond(3, 3, 1, Some(Reason::Malformed))]
#[case::claims_at_the_limit(3, 1, 2, None)]
#[case::claims_beyond(3, 1, 3, Some(Reason::Malformed))]
#[case::flat(1, 0, 0, None)]
#[case::flat_header(1, 1, 0, Some(Reason::Malformed))]
#[case::deep(64, 63, 63, None)]
fn what_nests_deeper_than_the_limit_is_refused(
    #[case] limit: u64,
    #[case] in_header: usize,
    #[case] in_claims: usize,
    #[case] expected: Option<Reason>,
) {
    let nested = |arrays| (0..arrays).fold(json!(1), |value, _| json!([value]));
    let config = with(config(), json!({"limits": {"tokenDepth": limit}}));
    let config = Config::from_json(config.to_string().as_bytes()).expect("a sound configuration");
    let token = sign(
        &with(header(), json!({"a": nested(in_header)})),
        &with(claims(), json!({"a": nested(in_claims)})),
    );
    let verdict = common::verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), NOW);
    assert_eq!(verdict.err().map(|fault| fault.reason), expected);
}

/// The headers that a service is told, as text.
fn told(claim_headers: &Value, changes: Value) -> Vec<(String, String)> {
    told_of(claim_headers, &sign(&header(), &with(claims(), changes)))
}

fn told_of(claim_headers: &Value, token: &str) -> Vec<(String, String)> {
    let config = configured(json!({"claimHeaders": claim_headers}));
    let identity =
        common::verifier(&config, &[jwk()]).verify(&config, token.as_bytes(), NOW).expect("a valid token");
    let headers = identity.headers(&config.providers[0]);
    headers.map(|(name, value)| (name.to_owned(), String::from_utf8(value.to_vec()).expect("text"))).collect()
}

#[test]
fn claims_become_headers_and_those_without_a_value_are_left_out() {
    let claim_headers = json!([
        {"header": "X-Tenant", "claim": "https://finpay.example/tenant"},
        {"header": "x-roles", "pointer": "/realm/roles"},
        {"header": "x-first-role", "pointer": "/realm/roles/0"},
        {"header": "x-missing", "claim": "missing"},
        {"header": "x-null", "claim": "nothing"},
        {"header": "x-broken", "claim": "broken"},
        {"header": "x-audience", "claim": "aud"},
        {"header": "x-level", "claim": "level"},
    ]);
    let changes = json!({
        "https://finpay.example/tenant": "a b",
        "realm": {"roles": ["user", "admin"]},
        "broken": "a\r\nx-tenant: b",
        "level": 3,
    });
    let mut token = claims();
    token["nothing"] = json!(null);
    let expected = [
        ("x-tenant", "a b"),
        ("x-roles", "user,admin"),
        ("x-first-role", "user"),
        ("x-audience", "finpay"),
        ("x-level", "3"),
    ];
    assert_eq!(
        told(&claim_headers, changes),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[rstest]
#[case::just(8, Some("12345678"))]
#[case::too_long(7, None)]
fn a_longer_value_is_left_out_whole(#[case] limit: u64, #[case] expected: Option<&str>) {
    let claim_headers = json!([
        {"header": "x-a", "claim": "a", "maxBytes": limit},
        {"header": "x-sub", "claim": "sub"},
    ]);
    let told = told(&claim_headers, json!({"a": "12345678"}));
    assert_eq!(told.iter().find(|(name, _)| name == "x-a").map(|(_, value)| value.as_str()), expected);
    // What follows stays in its place.
    assert_eq!(told.last(), Some(&("x-sub".to_owned(), "alice".to_owned())));
}

#[test]
fn the_payload_is_the_token_s_own() {
    let claims = claims().to_string().replace('{', "{ \"n\":12345678901234567890123,");
    let token = common::sign_texts(header().to_string(), claims);
    let told =
        told_of(&json!([{"header": "x-payload", "payload": true}, {"header": "x-n", "claim": "n"}]), &token);
    assert_eq!(told, [("x-payload".to_owned(), token.split('.').nth(1).unwrap_or_default().to_owned())]);
}

#[rstest]
#[case::beyond_64_bits("12345678901234567890123")]
#[case::below_64_bits("-12345678901234567890123")]
#[case::in_an_array("[1,12345678901234567890123]")]
#[case::in_an_object("{\"a\":[12345678901234567890123]}")]
fn a_number_that_would_be_rounded_is_left_out(#[case] number: &str) {
    let claims = claims().to_string().replace('{', &format!("{{\"n\":{number},"));
    let token = common::sign_texts(header().to_string(), claims);
    assert_eq!(told_of(&json!([{"header": "x-n", "claim": "n"}]), &token), []);
}
