//! What stands around a token: header fields, their number and spelling, and the path.

use anyhow::Result;
use serde_json::json;
use tests::envoy::Options;
use tests::issuer::Issuer;
use tests::jwt::{Tools, arrived, faults};
use tests::raw;

use super::{INVALID, MALFORMED, guarded};

const MISSING: &str = "401 missing-token";
type Field<'a> = (&'a [u8], &'a [u8]);

#[tokio::test]
async fn credentials_are_read_one_way() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let token = issuer.token(&json!({}))?;
    let value = |before: &str, after: &str| format!("{before}{token}{after}").into_bytes();
    let (good, name) = (value("Bearer ", ""), b"authorization".as_slice());
    let joined = value(&format!("Bearer {token},Bearer "), "");
    let apart = value(&format!("Bearer {token}, Bearer "), "");
    let two = value(&format!("Bearer {token} "), "");
    let latin = [good.as_slice(), b"\xe9"].concat();
    let no_text = [b"Bearer \xff\xfe\x80", token.as_bytes()].concat();
    let single: Vec<(&str, Vec<u8>, &str)> = vec![
        ("lower case", value("bearer ", ""), "200"),
        ("upper case", value("BEARER ", ""), "200"),
        ("more spaces", value("Bearer    ", ""), "200"),
        ("space around it", value("  Bearer ", "  "), "200"),
        ("joined", joined, MALFORMED),
        ("joined with a space", apart, MALFORMED),
        ("two tokens", two, MALFORMED),
        ("a tab", value("Bearer\t", ""), MALFORMED),
        ("a colon", value("Bearer:", ""), MALFORMED),
        ("an equals sign", value("Bearer=", ""), MALFORMED),
        ("quotes", value("Bearer \"", "\""), MALFORMED),
        ("a parameter", value("Bearer token=\"", "\""), MALFORMED),
        ("no token", b"Bearer".to_vec(), MALFORMED),
        ("spaces for a token", b"Bearer   ".to_vec(), MALFORMED),
        ("a byte of Latin-1", latin, MALFORMED),
        ("no text", no_text, MALFORMED),
        ("no text at all", b"\xff\xfe\xfd".to_vec(), MALFORMED),
        ("empty", Vec::new(), MISSING),
        ("another scheme", b"Basic dXNlcjpwYXNz".to_vec(), MISSING),
        ("no scheme", token.clone().into_bytes(), MISSING),
        ("a longer scheme", value("Bearers ", ""), MISSING),
        ("a scheme of two words", value("The Bearer ", ""), MALFORMED),
        ("garbage", b"Bearer garbage".to_vec(), INVALID),
    ];
    let mut wrong = Vec::new();
    for (case, value, expected) in &single {
        let reply = raw::send(envoy.address, &raw::request("GET", b"/order/1", &[(name, value)])).await?;
        if *expected == "200" {
            wrong.extend((reply.status != 200).then(|| format!("{case}: {}", reply.status)));
        } else {
            wrong.extend(
                faults(&reply, expected, &[&token]).into_iter().map(|fault| format!("{case}: {fault}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let nul = [good.as_slice(), b"\0"].concat();
    let reply = raw::send(envoy.address, &raw::request("GET", b"/order/1", &[(name, &nul)])).await?;
    assert_eq!(reply.status, 400, "Envoy itself takes no NUL");
    Ok(())
}

#[tokio::test]
async fn credentials_stand_in_one_place_once() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let token = issuer.token(&json!({}))?;
    let (good, name) = (format!("Bearer {token}").into_bytes(), b"authorization".as_slice());
    let mut wrong = Vec::new();
    let (basic, empty) = (b"Basic dXNlcjpwYXNz".as_slice(), b"".as_slice());
    // Envoy joins repeated ones by commas, and an empty one counts for nothing to it.
    let several: [(&str, Vec<Field<'_>>, &str); 5] = [
        ("the same twice", vec![(name, &good), (name, &good)], MALFORMED),
        ("in two spellings", vec![(b"Authorization", &good), (b"AUTHORIZATION", &good)], MALFORMED),
        ("another scheme last", vec![(name, &good), (name, basic)], MALFORMED),
        ("another scheme first", vec![(name, basic), (name, &good)], MALFORMED),
        ("two empty ones", vec![(name, empty), (name, empty)], MISSING),
    ];
    for (case, fields, expected) in &several {
        let reply = raw::send(envoy.address, &raw::request("GET", b"/order/1", fields)).await?;
        wrong.extend(faults(&reply, expected, &[&token]).into_iter().map(|fault| format!("{case}: {fault}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A route that needs no token is not to take for none what a service could find one in.
    for (fields, status) in [(&several[3].1, 400), (&vec![(name, basic)], 200)] {
        let reply = raw::send(envoy.address, &raw::request("GET", b"/optional", fields)).await?;
        assert_eq!(reply.status, status, "{} fields on an optional route", fields.len());
    }
    for (target, field) in [
        (format!("/order/1?access_token={token}"), ("x-nothing", String::new())),
        ("/order/1".to_owned(), ("cookie", format!("access_token={token}; token={token}"))),
        ("/order/1".to_owned(), ("x-access-token", token.clone())),
        ("/order/1".to_owned(), ("proxy-authorization", format!("Bearer {token}"))),
    ] {
        let reply = raw::get(envoy.address, &target, &[(field.0, &field.1)]).await?;
        assert_eq!(faults(&reply, MISSING, &[&token]), Vec::<String>::new(), "in {}", field.0);
    }
    Ok(())
}

#[tokio::test]
async fn a_path_has_one_reading() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let before = arrived(&envoy).await?;
    // Two readings: refused, with a token and without.
    let ambiguous: [&[u8]; 26] = [
        b"//public",
        b"/./public",
        b"/../public",
        b"/x/../public",
        b"/public/..",
        b"/public/.",
        b"/public/...",
        b"/public//",
        b"/public//x",
        b"/%70ublic",
        b"/public%2F",
        b"/public%2f..",
        b"/x%2F..%2Fpublic",
        b"/x/%2e%2e/public",
        b"/public%5C",
        b"/public\\",
        b"/x\\..\\public",
        b"/public;x=1",
        b"/public;/",
        b"/public%3Fx",
        b"/public%23x",
        b"/public%00",
        b"/public%",
        b"/public%zz",
        b"/public\xff",
        b"/\xe2\x80\xae/public",
    ];
    let token = issuer.token(&json!({}))?;
    let authorization = format!("Bearer {token}").into_bytes();
    let mut wrong = Vec::new();
    for target in ambiguous {
        let name = String::from_utf8_lossy(target).into_owned();
        for fields in [&[(b"authorization".as_slice(), authorization.as_slice())][..], &[]] {
            let reply = raw::send(envoy.address, &raw::request("GET", target, fields)).await?;
            // What is no HTTP at all Envoy refuses itself, with a plain 400.
            let is_ours = !reply.body.is_empty() && reply.header("content-type").contains("problem");
            let fine =
                reply.status == 400 && (!is_ours || faults(&reply, "400 invalid-path", &[&token]).is_empty());
            wrong.extend((!fine).then(|| format!("{name}: {}", reply.verdict())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let fragment = raw::get(envoy.address, "/public#x", &[]).await?;
    assert_eq!(fragment.status, 400, "a fragment is none of a request's parts");
    assert_eq!(arrived(&envoy).await?, before, "none of them arrived");
    Ok(())
}

#[tokio::test]
async fn a_path_that_only_looks_public_is_not() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let mut wrong = Vec::new();
    let others = [
        "/public/",
        "/public/x",
        "/PUBLIC",
        "/public.",
        "/public,",
        "/public&x",
        "/publi",
        "/public=",
        "/?/public",
        "/x?/public",
    ];
    for target in others {
        let reply = raw::get(envoy.address, target, &[]).await?;
        wrong.extend(faults(&reply, MISSING, &[]).into_iter().map(|fault| format!("{target}: {fault}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for target in
        ["/public", "/public?x=1", "/public?", "/public?next=/../%2F", "http://finpay.example/public"]
    {
        assert_eq!(raw::get(envoy.address, target, &[]).await?.status, 200, "{target} is the public path");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_speaks_for_the_filter() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let bare = tests::envoy::Envoy::start(tools.binary.clone(), vec![]).await?;
    let spellings = [
        "x-jwt-sub",
        "X-Jwt-Sub",
        "X-JWT-SUB",
        "x_jwt_sub",
        "x-jwt_sub",
        "x_jwt-sub",
        "X_JWT_SUB",
        "x-jwt-anything",
        "x_jwt_anything",
        "x-jwt-scope",
        "x-jwt_scope",
        "x-jwt-",
        "x-jwt-sub-more",
    ];
    let token = issuer.token(&json!({}))?;
    let authorization = format!("Bearer {token}");
    for name in spellings {
        let twice = [(name, "admin"), (name, "root"), ("authorization", &authorization)];
        let public = raw::get(envoy.address, "/public", &twice[..2]).await?;
        assert_eq!(public.status, 200);
        let seen = |reply: &raw::Reply| {
            reply.headers.iter().any(|(name, value)| {
                name.starts_with("seen-") && (value.contains("admin") || value.contains("root"))
            })
        };
        assert!(!seen(&public), "{name} on a public route: {public:?}");
        let guarded = raw::get(envoy.address, "/order/1", &twice).await?;
        assert_eq!(guarded.status, 200);
        assert!(!seen(&guarded), "{name} beside a token: {guarded:?}");
        assert_eq!(guarded.header("seen-x-jwt-sub"), "alice", "{name}");
    }
    for name in tests::envoy::SEEN {
        let reply = raw::get(bare.address, "/public", &[(name, "admin")]).await?;
        assert_eq!(reply.header(&format!("seen-{name}")), "admin", "without the filter {name} arrives");
    }
    Ok(())
}

#[tokio::test]
async fn size_and_number_are_bounded() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let usual = tools.start(&guarded(&issuer), &[]).await?;
    let generous = Options { is_generous: true, ..Options::default() };
    let generous = tools.start_with(&guarded(&issuer), &[], generous).await?;
    let large = "a".repeat(62 << 10);
    assert_eq!(raw::bearer(usual.address, "/order/1", &large).await?.status, 431, "more than Envoy takes");
    for bytes in [17 << 10, 62 << 10, 66 << 10, 200 << 10] {
        let reply = raw::bearer(generous.address, "/order/1", &"a".repeat(bytes)).await?;
        assert_eq!(faults(&reply, INVALID, &[]), Vec::<String>::new(), "{bytes} bytes");
    }
    let authorization = format!("Bearer {}", issuer.token(&json!({}))?);
    let names: Vec<String> = (0..900).map(|number| format!("x-jwt-{number}")).collect();
    let mut fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "admin")).collect();
    fields.push(("authorization", &authorization));
    assert_eq!(raw::get(usual.address, "/order/1", &fields).await?.status, 431);
    assert_eq!(
        raw::get(generous.address, "/order/1", &fields).await?.status,
        200,
        "900 headers and a good token"
    );
    fields.push(("authorization", &authorization));
    let twice = raw::get(generous.address, "/order/1", &fields).await?;
    assert_eq!(faults(&twice, MALFORMED, &[&authorization[7..]]), Vec::<String>::new());
    Ok(())
}
