//! Every algorithm, by the host's cryptography and by the module's: the same verdicts.

use anyhow::{Context, Result};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use tests::envoy::Envoy;
use tests::issuer::{Issuer, Pair, Signer, header};
use tests::jwt::{Tools, configuration, metric, verdicts, with};
use tests::{raw, tokens};

async fn status(envoy: &Envoy, token: &str) -> Result<u16> {
    Ok(raw::bearer(envoy.address, "/a", token).await?.status)
}

/// A provider with these keys that allows these algorithms.
fn provider<'a>(issuer: &Issuer, keys: impl IntoIterator<Item = &'a Value>, algorithms: &[&str]) -> Value {
    let keys: Vec<_> = keys.into_iter().collect();
    let inline = json!({"inline": json!({"keys": keys}).to_string()});
    with(issuer.provider_with(&inline), &json!({"algorithms": algorithms}))
}

fn names(signers: &[Signer]) -> Vec<&'static str> {
    signers.iter().map(|signer| signer.algorithm).collect()
}

/// The host's cryptography, and the module's.
async fn both(tools: &Tools, provider: Value) -> Result<[Envoy; 2]> {
    let configuration = configuration(&[provider]);
    let host = tools.start(&configuration, &[]).await?;
    let module = tools.start(&with(configuration, &json!({"signatures": "module"})), &[]).await?;
    assert_eq!(metric(&host, "finpay_jwt.host_signatures").await?, 1);
    assert_eq!(metric(&module, "finpay_jwt.host_signatures").await?, 0);
    Ok([host, module])
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
    let keys = signers.iter().map(|signer| &signer.jwk);
    let [host, module] = both(&tools, provider(&issuer, keys, &names(&signers))).await?;
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
    let keys = signers.iter().map(|signer| &signer.jwk);
    let provider = provider(&issuer, keys, &["EdDSA", "PS256"]);
    let envoy = tools.start(&configuration(&[provider]), &[]).await?;
    for signer in &signers {
        let expected = if ["EdDSA", "PS256"].contains(&signer.algorithm) { 200 } else { 401 };
        let token = signer.token(&issuer.claims(&json!({})))?;
        assert_eq!(status(&envoy, &token).await?, expected, "{}", signer.algorithm);
    }
    Ok(())
}

/// RFC 8725 section 2.1 between algorithms with public keys: whatever a token says, and by whatever its key can really
/// sign, it holds by the key's own algorithm alone. All seven are allowed. An RSA key that names no algorithm serves all
/// of RSA's, and no other family.
#[tokio::test]
async fn a_token_cannot_choose_its_keys_algorithm() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let signers = Signer::all()?;
    let names = names(&signers);
    for is_bound in [true, false] {
        let changes = if is_bound { json!({}) } else { json!({"alg": null}) };
        let keys: Vec<_> = signers.iter().map(|signer| with(signer.jwk.clone(), &changes)).collect();
        let envoys = both(&tools, provider(&issuer, &keys, &names)).await?;
        let (mut wrong, mut refused) = (Vec::new(), 0);
        for (signer, says, by) in choices(&signers) {
            let claims = issuer.claims(&json!({}));
            let Some(token) = signer.token_that_says(says, by, &claims)? else { continue };
            let holds = says == by && (says == signer.algorithm || !is_bound);
            let expected = if holds { 200 } else { 401 };
            refused += u64::from(!holds);
            for (who, envoy) in ["host", "module"].iter().zip(&envoys) {
                let status = status(envoy, &token).await?;
                let name = format!("a key for {} (alg: {is_bound}), {says} signed by {by}", signer.algorithm);
                wrong.extend((status != expected).then(|| format!("{name}, {who}: {status}")));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        eprintln!("{refused} tokens that say or use another algorithm than their key's (alg: {is_bound})");
        for envoy in &envoys {
            let by_algorithm = verdicts(envoy, "deny", "algorithm").await?;
            let by_signature = verdicts(envoy, "deny", "signature").await?;
            assert_eq!(by_algorithm + by_signature, refused, "{by_algorithm} + {by_signature}");
        }
    }
    Ok(())
}

/// Each key with each algorithm that a token may say, and each that may be used.
fn choices(signers: &[Signer]) -> Vec<(&Signer, &'static str, &'static str)> {
    let names = names(signers);
    let pairs = names.iter().flat_map(|says| names.iter().map(move |by| (*says, *by)));
    let pairs: Vec<_> = pairs.collect();
    signers.iter().flat_map(|signer| pairs.iter().map(move |(says, by)| (signer, *says, *by))).collect()
}

/// BoringSSL checks any digest on any curve: a token that says ES384 over a key of P-256 must not have it do that.
#[tokio::test]
async fn a_curve_has_its_digest() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let (pair, signers) = (Pair::generate("key")?, Signer::all()?);
    let keys = signers.iter().map(|signer| &signer.jwk).chain([&pair.jwk]);
    for envoy in both(&tools, provider(&issuer, keys, &names(&signers))).await? {
        for alg in ["ES256", "ES384"] {
            let header = with(header(&pair), &json!({"alg": alg}));
            let token = pair.sign(&header, &issuer.claims(&json!({})));
            let (input, _) = token.rsplit_once('.').context("a signature")?;
            let signature: Signature = pair.key.sign_prehash(&Sha384::digest(input))?;
            let token = tokens::with_signature(&token, &signature.to_bytes())?;
            assert_eq!(status(&envoy, &token).await?, 401, "{alg}");
        }
    }
    Ok(())
}
