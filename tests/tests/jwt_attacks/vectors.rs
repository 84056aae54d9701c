//! Published vectors: nothing that must be refused is ever taken.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};
use tests::issuer::{Conduct, Issuer};
use tests::jwt::{Tools, configuration, metric, with};
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
