//! Every algorithm, by the host's cryptography and by the module's: the same verdicts.

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::Envoy;
use tests::issuer::{Issuer, Signer};
use tests::jwt::{Tools, configuration, metric, with};
use tests::{raw, tokens};

async fn status(envoy: &Envoy, token: &str) -> Result<u16> {
    Ok(raw::bearer(envoy.address, "/a", token).await?.status)
}

/// Good and bad tokens of an algorithm, and whether each holds.
fn cases(signer: &Signer, others: &[Signer], issuer: &Issuer) -> Result<Vec<(String, String, bool)>> {
    let good = signer.token(&issuer.claims(&json!({})))?;
    let name = |what: &str| format!("{}: {what}", signer.algorithm);
    let signature = tokens::signature(&good)?;
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut signature = signature.clone();
        change(&mut signature);
        tokens::with_signature(&good, &signature)
    };
    let length = signature.len();
    let mut cases = vec![
        (name("good"), good.clone(), true),
        (name("good again"), good.clone(), true),
        (name("another"), signer.token(&issuer.claims(&json!({"sub": "bob"})))?, true),
        (name("expired"), signer.token(&issuer.claims(&json!({"exp": 1000})))?, false),
        (name("tampered"), tokens::tampered(&good, "sub", json!("admin"))?, false),
        (name("first bit"), changed(&|bytes| bytes[0] ^= 0x80)?, false),
        (name("last bit"), changed(&|bytes| bytes[length - 1] ^= 1)?, false),
        (name("middle"), changed(&|bytes| bytes[length / 2] ^= 1)?, false),
        (name("shorter"), changed(&|bytes| bytes.truncate(length - 1))?, false),
        (name("longer"), changed(&|bytes| bytes.push(0))?, false),
        (name("a zero in front"), changed(&|bytes| bytes.insert(0, 0))?, false),
        (name("zeros"), changed(&|bytes| bytes.fill(0))?, false),
        (name("ones"), changed(&|bytes| bytes.fill(0xff))?, false),
        (name("no signature"), changed(&Vec::clear)?, false),
    ];
    for other in others.iter().filter(|other| other.algorithm != signer.algorithm) {
        let theirs = other.token(&issuer.claims(&json!({})))?;
        let (_, signature) = theirs.rsplit_once('.').unwrap_or_default();
        let (input, _) = good.rsplit_once('.').unwrap_or_default();
        cases.push((
            name(&format!("a signature of {}", other.algorithm)),
            format!("{input}.{signature}"),
            false,
        ));
    }
    Ok(cases)
}

#[tokio::test]
async fn host_and_module_judge_alike() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let signers = Signer::all()?;
    let keys: Vec<&Value> = signers.iter().map(|signer| &signer.jwk).collect();
    let names: Vec<&str> = signers.iter().map(|signer| signer.algorithm).collect();
    let inline = json!({"inline": json!({"keys": keys}).to_string()});
    let provider = with(issuer.provider_with(&inline), &json!({"algorithms": names}));
    let host = tools.start(&configuration(std::slice::from_ref(&provider)), &[]).await?;
    let module = with(configuration(&[provider]), &json!({"signatures": "module"}));
    let module = tools.start(&module, &[]).await?;
    assert_eq!(metric(&host, "finpay_jwt.host_signatures").await?, 1);
    assert_eq!(metric(&module, "finpay_jwt.host_signatures").await?, 0);
    let mut wrong = Vec::new();
    let mut count = 0;
    for signer in &signers {
        for (name, token, holds) in cases(signer, &signers, &issuer)? {
            let expected = if holds { 200 } else { 401 };
            for (who, envoy) in [("host", &host), ("module", &module)] {
                let status = status(envoy, &token).await?;
                wrong.extend((status != expected).then(|| format!("{name}, {who}: {status}")));
            }
            count += 1;
        }
    }
    eprintln!("{count} tokens of {} algorithms, judged by host and module", signers.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(metric(&host, "finpay_jwt.host_signatures").await?, 1, "the host was not given up");
    Ok(())
}

#[tokio::test]
async fn an_algorithm_that_is_not_listed_is_refused() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let signers = Signer::all()?;
    let keys: Vec<&Value> = signers.iter().map(|signer| &signer.jwk).collect();
    let inline = json!({"inline": json!({"keys": keys}).to_string()});
    let provider = with(issuer.provider_with(&inline), &json!({"algorithms": ["EdDSA", "PS256"]}));
    let envoy = tools.start(&configuration(&[provider]), &[]).await?;
    for signer in &signers {
        let expected = if ["EdDSA", "PS256"].contains(&signer.algorithm) { 200 } else { 401 };
        let token = signer.token(&issuer.claims(&json!({})))?;
        assert_eq!(status(&envoy, &token).await?, expected, "{}", signer.algorithm);
    }
    Ok(())
}
