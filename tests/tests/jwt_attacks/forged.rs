//! Tokens that the issuer did not make: other algorithms, other keys, other signatures.

use anyhow::Result;
use serde_json::{Value, json};
use tests::issuer::{Issuer, Pair, header};
use tests::jwt::{Tools, with};
use tests::tokens;

use super::{Attacks, guarded, withstands};

/// The order of P-256's group (SEC 2 section 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn tokens_of_nobody() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let envoy = tools.start(&guarded(&issuer), &[]).await?;
    let mut attacks = Attacks::default();
    unsigned(&issuer, &mut attacks)?;
    symmetric(&issuer, &mut attacks)?;
    own_keys(&issuer, &mut attacks)?;
    key_names(&issuer, &mut attacks)?;
    algorithms(&issuer, &mut attacks)?;
    signatures(&issuer, &mut attacks)?;
    withstands(&envoy, &issuer, attacks).await
}

fn unsigned(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let pair = issuer.pair()?;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(header(&pair), &json!({"alg": alg}));
        let signed = pair.sign(&header, &issuer.claims(&json!({})));
        attacks.add(format!("alg {alg:?}, no signature"), tokens::with_signature(&signed, &[])?);
        attacks.add(format!("alg {alg:?}, a signature all the same"), signed);
    }
    let good = issuer.token(&json!({}))?;
    attacks.add("alg as it should be, no signature", tokens::with_signature(&good, &[])?);
    attacks.add("alg none by the usual forge", tokens::unsigned(&good)?);
    Ok(())
}

/// RFC 8725 section 2.1: every form of the public key that a library might take for a secret.
fn symmetric(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let (pair, good) = (issuer.pair()?, issuer.token(&json!({}))?);
    let point = pair.key.verifying_key().to_sec1_point(false);
    let secrets: [(&str, Vec<u8>); 4] = [
        ("JWK", pair.jwk.to_string().into_bytes()),
        ("JWKS", issuer.jwks().to_string().into_bytes()),
        ("point", point.as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ];
    for (name, secret) in secrets {
        attacks.add(format!("HS256 with {name}"), tokens::hs256_with_public_key(&good, &secret)?);
    }
    Ok(())
}

/// What a token says of keys is not asked, whoever signed it.
fn own_keys(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let (ours, theirs) = (issuer.pair()?, Pair::generate("key-1")?);
    let url = json!("http://127.0.0.1:1/keys");
    let members = [("jwk", theirs.jwk.clone()), ("jku", url.clone()), ("x5u", url), ("x5c", json!(["MIIB"]))];
    for (name, value) in members {
        let header = with(header(&ours), &json!({name: value}));
        let claims = issuer.claims(&json!({}));
        attacks.add(format!("{name}, signed by the forger"), theirs.sign(&header, &claims));
        attacks.add(format!("{name}, signed by the issuer"), ours.sign(&header, &claims));
    }
    attacks.add("the known kid, another key", theirs.sign(&header(&ours), &issuer.claims(&json!({}))));
    Ok(())
}

fn key_names(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let pair = issuer.pair()?;
    let kids = [
        json!("../../../../dev/null"),
        json!("' OR 1=1 --"),
        json!("key-1\0"),
        json!("key-1\0.pem"),
        json!("KEY-1"),
        json!(" key-1"),
        json!("key-1 "),
        json!("key-"),
        json!("ｋｅｙ-1"),
        json!(""),
        json!("k".repeat(5_000)),
        json!(1),
        json!(null),
        json!(["key-1"]),
        json!({"kid": "key-1"}),
    ];
    for kid in kids {
        let mut header = header(&pair);
        header["kid"] = kid.clone();
        attacks.add(format!("kid {kid:.40}"), pair.sign(&header, &issuer.claims(&json!({}))));
    }
    let header = with(header(&pair), &json!({"kid": null}));
    attacks.add("no kid", pair.sign(&header, &issuer.claims(&json!({}))));
    Ok(())
}

fn algorithms(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let pair = issuer.pair()?;
    let names = [
        "ES384", "ES512", "ES256K", "RS256", "RS512", "PS256", "EdDSA", "es256", "ES256 ", "ES256\0",
        "HS384", "RSA-OAEP", "dir",
    ];
    let others = [json!(256), json!(["ES256"]), json!(true)];
    for alg in names.iter().map(|name| json!(name)).chain(others) {
        let header = with(header(&pair), &json!({"alg": alg}));
        attacks.add(format!("alg {alg}"), pair.sign(&header, &issuer.claims(&json!({}))));
    }
    let header = with(header(&pair), &json!({"alg": Value::Null}));
    attacks.add("no alg", pair.sign(&header, &issuer.claims(&json!({}))));
    Ok(())
}

fn signatures(issuer: &Issuer, attacks: &mut Attacks) -> Result<()> {
    let good = issuer.token(&json!({}))?;
    let sound = tokens::signature(&good)?;
    let (r, s) = sound.split_at(32);
    let zero = [0; 32];
    let mut above = ORDER;
    above[31] += 1;
    let other = tokens::signature(&issuer.token(&json!({"sub": "mallory"}))?)?;
    let all: Vec<(&str, Vec<u8>)> = vec![
        ("r = 0", [&zero, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("both 0", [zero, zero].concat()),
        ("r = n", [&ORDER, s].concat()),
        ("s = n", [r, &ORDER].concat()),
        ("r > n", [&above, s].concat()),
        ("all ones", vec![0xff; 64]),
        ("halves exchanged", [s, r].concat()),
        ("a byte short", sound[..63].to_vec()),
        ("a byte more", [sound.as_slice(), &[0]].concat()),
        ("a leading zero", [&[0], sound.as_slice()].concat()),
        ("halves of 33 bytes", [&[0], r, &[0], s].concat()),
        ("of ES384's length", [&[0; 16], r, &[0; 16], s].concat()),
        ("DER", der(r, s)),
        ("twice", [sound.as_slice(), &sound].concat()),
        ("of another token", other),
        ("a bit flipped", [&[sound[0] ^ 1], &sound[1..]].concat()),
    ];
    for (name, signature) in all {
        attacks.add(format!("signature: {name}"), tokens::with_signature(&good, &signature)?);
    }
    for (claim, value) in
        [("sub", json!("admin")), ("scope", json!("users:admin")), ("exp", json!(9_999_999))]
    {
        attacks.add(format!("{claim} replaced"), tokens::tampered(&good, claim, value)?);
    }
    Ok(())
}

/// RFC 3279 section 2.2.3: two integers, each with a zero in front where its first bit is set.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let pad = if number[0] & 0x80 == 0 { &[][..] } else { &[0] };
        let length = u8::try_from(number.len() + pad.len()).unwrap_or(u8::MAX);
        [&[2, length], pad, number].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap_or(u8::MAX)], both.as_slice()].concat()
}
