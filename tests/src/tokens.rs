//! Tokens that nobody should honour, made on purpose.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::ES256KeyPair;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Header and claims of a token, unverified.
pub fn unverified(token: &str) -> Result<(Value, Value)> {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part));
    let header = parts.next().context("no header")??;
    let claims = parts.next().context("no claims")??;
    Ok((serde_json::from_slice(&header)?, serde_json::from_slice(&claims)?))
}

/// A token over any header and claims, signed by this ES256 key.
pub fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature: Signature = key.sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// A signing key that no issuer knows.
pub fn foreign_key() -> Result<SigningKey> {
    let pair = ES256KeyPair::generate();
    SigningKey::from_slice(&pair.to_bytes()).context("a new key")
}

/// The token with one claim replaced and its signature kept.
pub fn tampered(token: &str, claim: &str, value: Value) -> Result<String> {
    let (header, mut claims) = unverified(token)?;
    claims[claim] = value;
    let signature = token.rsplit('.').next().context("no signature")?;
    Ok(format!("{}.{}.{signature}", encode(&header), encode(&claims)))
}

/// RFC 8725 section 2.1: `alg` "none" and an empty signature.
pub fn unsigned(token: &str) -> Result<String> {
    let (mut header, claims) = unverified(token)?;
    header["alg"] = json!("none");
    Ok(format!("{}.{}.", encode(&header), encode(&claims)))
}

/// RFC 8725 section 2.1: HS256 with the issuer's public key as the secret.
pub fn hs256_with_public_key(token: &str, public_key: &[u8]) -> Result<String> {
    let (mut header, claims) = unverified(token)?;
    header["alg"] = json!("HS256");
    let input = format!("{}.{}", encode(&header), encode(&claims));
    let mac = hmac_sha256(public_key, input.as_bytes());
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    let mut mac =
        hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length"));
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A token over these very texts, sound or not.
pub fn sign_texts(key: &SigningKey, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature: Signature = key.sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The token with these bytes for its signature.
pub fn with_signature(token: &str, signature: &[u8]) -> Result<String> {
    let (input, _) = token.rsplit_once('.').context("no signature")?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The signature's bytes.
pub fn signature(token: &str) -> Result<Vec<u8>> {
    let (_, signature) = token.rsplit_once('.').context("no signature")?;
    Ok(URL_SAFE_NO_PAD.decode(signature)?)
}

/// The same token under the other signature that ECDSA's arithmetic holds for as good.
pub fn mirrored(token: &str) -> Result<String> {
    let (r, s) = Signature::from_slice(&signature(token)?)?.split_scalars();
    with_signature(token, &Signature::from_scalars(r, -s)?.to_bytes())
}
