//! Published vectors: nothing that must be refused is ever taken.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::issuer::{Conduct, Issuer, Signer};
use tests::jwt::{Tools, configuration, metric, verdict, with};
use tests::tokens;
use tests::wait::until;

use super::{Attacks, INVALID, MALFORMED, withstands};

const MAX_PROVIDERS: usize = 32;

/// The folder that `FINPAY_VECTORS` names, or `None` (with a word).
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FINPAY_VECTORS").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: FINPAY_VECTORS names no folder");
    }
    folder
}

fn read(file: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

/// All texts of a document that stand under these names, and all keys.
fn collect(value: &Value, names: &[&str], tokens: &mut Vec<String>, keys: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            if members.contains_key("kty") {
                keys.push(value.clone());
            }
            for (name, value) in members {
                match value {
                    Value::String(text) if names.contains(&name.as_str()) => tokens.push(text.clone()),
                    value => collect(value, names, tokens, keys),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, tokens, keys)),
        _ => {}
    }
}

/// None of them names our issuer, so the right answer to each is the same, whatever it was made to show.
#[tokio::test]
async fn published_tokens_are_not_ours() -> Result<()> {
    let (Some(tools), Some(folder)) = (Tools::from_env(), folder()) else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let (mut tokens, mut keys) = (Vec::new(), Vec::new());
    let mut pending = vec![folder.join("jose-cookbook"), folder.join("jwt_verify_lib")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                fs::read_dir(path)?
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        } else {
            collect(&read(&path)?, &["token", "jws", "compact"], &mut tokens, &mut keys);
        }
    }
    // The issuer of most of them, with their own keys: no exp, or a time long past, is what is left to refuse them.
    let iss = "628645741881-noabiu23f5a8m8ovd8ucv698lj78vv0l@developer.gserviceaccount.com";
    let mut all = issuer.jwks();
    let verify = read(&folder.join("jwt_verify_lib/verify_cases.json"))?;
    let theirs = verify[0]["key"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let theirs = theirs.as_ref().and_then(|set| set["keys"].as_array()).cloned().unwrap_or_default();
    all["keys"].as_array_mut().into_iter().for_each(|keys| keys.extend(theirs.clone()));
    let provider = with(issuer.provider_with(&json!({"inline": all.to_string()})), &json!({"name": "ours"}));
    let changes =
        json!({"name": "theirs", "issuer": iss, "needsType": false, "anyAudience": true, "audiences": null});
    let envoy = tools.start(&configuration(&[provider.clone(), with(provider, &changes)]), &[]).await?;
    let mut attacks = Attacks::default();
    for token in tokens {
        let sound = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
        let sound = sound && !token.is_empty();
        let attack = super::Attack {
            name: format!("{token:.60}"),
            token,
            answer: if sound { INVALID } else { MALFORMED },
        };
        attacks.0.push(attack);
    }
    assert!(attacks.0.len() > 60 && keys.len() > 10, "{} tokens, {} keys", attacks.0.len(), keys.len());
    withstands(&envoy, &issuer, attacks).await
}

#[tokio::test]
async fn no_key_comes_of_a_set_that_must_be_refused() -> Result<()> {
    let (Some(tools), Some(folder)) = (Tools::from_env(), folder()) else { return Ok(()) };
    let Value::Array(rows) = read(&folder.join("jwt_verify_lib/jwks_cases.json"))? else { return Ok(()) };
    let mut taken = 0;
    for (number, rows) in rows.chunks(MAX_PROVIDERS).enumerate() {
        let issuer = Issuer::start().await?;
        let providers = rows.iter().enumerate().map(|(at, row)| {
            let path = format!("/sets/{at}");
            issuer.conduct(&path, Conduct::Says(row["keys"].as_str().unwrap_or_default().to_owned()));
            let provider = issuer.provider_with(&json!({"remote": issuer.target(&path)}));
            with(
                provider,
                &json!({"name": format!("set-{at}"), "issuer": format!("https://set-{at}.example")}),
            )
        });
        let envoy = tools.start(&configuration(&providers.collect::<Vec<_>>()), &[&issuer]).await?;
        until("every set was asked for", async || {
            let all = (0..rows.len()).all(|at| issuer.answered(&format!("/sets/{at}"), 200) > 0);
            let told = metric(&envoy, "finpay_jwt_jwks.verdict=.=").await?;
            Ok((all && told >= rows.len() as u64).then_some(()))
        })
        .await?;
        for (at, row) in rows.iter().enumerate() {
            let of = format!("provider=.=set-{at};.;");
            let keys = metric(&envoy, &format!("finpay_jwt_jwks.{of}keys")).await?;
            let failed = metric(&envoy, &format!("verdict=.=failed;.;reason=.=document;.;{of}")).await?;
            let name = format!("{number}/{at} {}", row["test"]);
            if row["status"] != "Ok" {
                assert_eq!(keys, 0, "{name} must be refused");
                assert!(failed > 0, "{name}: its refusal is counted");
            }
            assert_eq!(keys > 0, failed == 0, "{name}: keys or a failure");
            taken += usize::from(keys > 0);
        }
    }
    eprintln!("{taken} of {} published key sets are of use", rows.len());
    assert_eq!(
        taken, 3,
        "of those that may be taken, the ones whose keys have names and are of a kind that we use"
    );
    Ok(())
}

/// The private keys of the vectors that are of a kind that we use: where each is, what it signs, and its `kid`, or ours
/// where it has none.
const PRIVATE_KEYS: [(&str, &str, &str, &str); 5] = [
    ("rfc7515_appendix_a.json", "/1/key", "RS256", "A.2"),
    ("rfc7515_appendix_a.json", "/2/key", "ES256", "A.3"),
    ("curve25519/jws.json", "/input/key", "EdDSA", "RFC 8037"),
    ("jwk/3_4.rsa_private_key.json", "", "RS256", "bilbo.baggins@hobbiton.example"),
    ("jwk/3_4.rsa_private_key.json", "", "PS256", "bilbo.baggins@hobbiton.example"),
];

/// The other tests only refuse: this one shows that the published keys themselves are read and used.
#[tokio::test]
async fn what_published_keys_sign_is_taken_and_a_bit_off_is_not() -> Result<()> {
    let (Some(tools), Some(folder)) = (Tools::from_env(), folder()) else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let (mut signers, mut keys) = (Vec::new(), Vec::new());
    for (file, pointer, algorithm, kid) in PRIVATE_KEYS {
        let document = read(&folder.join("jose-cookbook").join(file))?;
        let private = document.pointer(pointer).with_context(|| format!("{file}{pointer}"))?;
        signers.push(Signer::from_jwk(algorithm, kid, private)?);
        let parts = ["d", "p", "q", "dp", "dq", "qi"].map(|name| (name.to_owned(), Value::Null));
        let public =
            with(with(private.clone(), &Value::Object(parts.into_iter().collect())), &json!({"kid": kid}));
        if !keys.contains(&public) {
            keys.push(public);
        }
    }
    assert_eq!(keys.len(), 4);
    let algorithms = ["RS256", "ES256", "EdDSA", "PS256"];
    let provider = issuer.provider_with(&json!({"inline": json!({"keys": keys}).to_string()}));
    let provider = with(provider, &json!({"algorithms": algorithms}));
    for signatures in ["host", "module"] {
        let configuration =
            with(configuration(std::slice::from_ref(&provider)), &json!({"signatures": signatures}));
        let envoy = tools.start(&configuration, &[]).await?;
        for signer in &signers {
            let token = signer.token(&issuer.claims(&json!({})))?;
            let mut signature = tokens::signature(&token)?;
            let middle = signature.len() / 2;
            signature[middle] ^= 1;
            let changed = tokens::with_signature(&token, &signature)?;
            let name = format!("{} by {} with {signatures}", signer.algorithm, signer.jwk["kid"]);
            assert_eq!(verdict(&envoy, &changed).await?, INVALID, "{name}, a bit changed");
            assert_eq!(verdict(&envoy, &token).await?, "200", "{name}");
            assert_eq!(verdict(&envoy, &changed).await?, INVALID, "{name}, a bit changed, once more");
        }
    }
    Ok(())
}
