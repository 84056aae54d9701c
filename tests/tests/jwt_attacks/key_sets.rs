//! A key set with bad company: each bad key is dropped and counted, the good one works.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::issuer::{Conduct, Issuer, JWKS};
use tests::jwt::{Tools, configuration, metric, with};
use tests::raw;
use tests::wait::until;

/// 65537 to the 128th: what CVE-2017-15361's generator makes looks so to every small prime.
fn broken_modulus() -> Vec<u8> {
    // Digits of 16 bits, the lowest first: 65537 times a number is the number, and the number one digit up.
    let mut digits = vec![1_u16];
    for _ in 0..128 {
        let mut carry = false;
        let mut product = Vec::with_capacity(digits.len() + 1);
        for at in 0..=digits.len() {
            let here = digits.get(at).copied().unwrap_or(0);
            let below = at.checked_sub(1).map_or(0, |below| digits[below]);
            let (digit, first) = here.overflowing_add(below);
            let (digit, second) = digit.overflowing_add(u16::from(carry));
            carry = first || second;
            product.push(digit);
        }
        product.push(u16::from(carry));
        while product.last() == Some(&0) {
            product.pop();
        }
        digits = product;
    }
    let bytes = digits.iter().rev().flat_map(|digit| digit.to_be_bytes());
    bytes.skip_while(|byte| *byte == 0).collect()
}

fn rsa(kid: &str, bits: usize, exponent: &[u8]) -> Value {
    // Any odd number will do: nobody signs with it.
    let mut modulus = vec![0xc5; bits / 8];
    modulus[bits / 8 - 1] = 0x01;
    json!({"kty": "RSA", "alg": "RS256", "kid": kid, "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent)})
}

/// Each with the reason under which it is counted.
fn bad_keys(good: &Value) -> Vec<(&'static str, Value)> {
    let other = |kid: &str, changes: Value| with(with(good.clone(), &json!({"kid": kid})), &changes);
    let broken = json!({"n": URL_SAFE_NO_PAD.encode(broken_modulus())});
    vec![
        ("private", json!({"kty": "oct", "kid": "oct", "k": "c2VjcmV0"})),
        ("private", json!({"kty": "oct", "kid": "hmac", "alg": "HS256", "k": "c2VjcmV0"})),
        ("private", other("d", json!({"d": "c2VjcmV0"}))),
        ("weak", rsa("short", 1024, &[1, 0, 1])),
        ("weak", rsa("exponent-1", 2048, &[1])),
        ("weak", rsa("exponent-3", 2048, &[3])),
        ("weak", with(rsa("roca", 2048, &[1, 0, 1]), &broken)),
        ("too_large", rsa("long", 8192, &[1, 0, 1])),
        ("malformed", other("coordinate", json!({"x": "AAAA"}))),
        ("malformed", other("off-the-curve", json!({"x": "A".repeat(43)}))),
        ("algorithm", other("alg", json!({"alg": "RS256"}))),
        ("algorithm", other("curve", json!({"crv": "P-521"}))),
        ("algorithm", json!({"kty": "XYZ", "kid": "kty"})),
        ("use", other("enc", json!({"use": "enc"}))),
        ("use", other("ops", json!({"key_ops": ["sign"]}))),
        ("kid", other("", json!({}))),
        ("kid", other("x", json!({"kid": null}))),
        ("malformed", json!("no key")),
        ("duplicate", other("twice", json!({}))),
    ]
}

#[tokio::test]
async fn bad_keys_are_dropped_one_by_one() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let good = issuer.pair()?;
    let bad = bad_keys(&good.jwk);
    let mut keys: Vec<Value> = bad.iter().map(|(_, key)| key.clone()).collect();
    keys.push(with(good.jwk.clone(), &json!({"kid": "twice"})));
    keys.push(good.jwk.clone());
    issuer.conduct(JWKS, Conduct::Says(json!({"keys": keys}).to_string()));
    let mut provider = issuer.provider();
    provider["algorithms"] = json!(["ES256", "RS256"]);
    let envoy = tools.start(&configuration(&[provider]), &[&issuer]).await?;
    until("the good key works", async || {
        let reply = raw::bearer(envoy.address, "/order/1", &issuer.token(&json!({}))?).await?;
        Ok((reply.status == 200).then_some(()))
    })
    .await?;
    for reason in ["private", "weak", "too_large", "malformed", "algorithm", "use", "kid", "duplicate"] {
        let expected = bad.iter().filter(|(known, _)| *known == reason).count();
        let name = format!("finpay_jwt_keys.verdict=.=dropped;.;reason=.={reason};.;");
        assert_eq!(usize::try_from(metric(&envoy, &name).await?)?, expected, "{reason}");
    }
    assert_eq!(metric(&envoy, "finpay_jwt_jwks.provider=.=default;.;keys").await?, 1);
    for (_, key) in bad {
        let Some(kid) = key["kid"].as_str() else { continue };
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
        let token = good.sign(&header, &issuer.claims(&json!({})));
        let reply = raw::bearer(envoy.address, "/order/1", &token).await?;
        assert_eq!(reply.verdict(), "401 invalid-token", "{kid}");
    }
    Ok(())
}
