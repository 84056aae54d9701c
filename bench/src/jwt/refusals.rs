//! Whether the time of a refusal tells how near a forged token came: the same token, wrong in one place.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;

use super::documents::Documents;
use super::issuer::{Algorithm, Issuer};
use super::ours::Ours;
use super::{COLUMNS, PATH, PREFIX};
use crate::rows::{Common, OURS};
use crate::subject::Rig;
use crate::table::Table;
use crate::traffic::Traffic;

/// The row that the others are compared with.
const FIRST: &str = "signature wrong in its first byte";

pub(super) async fn run(rig: &Rig<'_>) -> Result<Table> {
    let issuer = Issuer::new(Algorithm::Es256, 1)?;
    let documents = Documents::start(&issuer.jwks, &[]).await?;
    let token = issuer.tokens(1)?.pop().context("no token")?;
    let paths = [PREFIX.to_owned()];
    let mut common =
        Common::new(Traffic::get(PATH, std::slice::from_ref(&token))?, vec![documents.cluster()]);
    let mut rows = rig.rows();
    rows.empty(&common);
    let forged = [
        (FIRST, with_wrong_signature(&token, 0)?),
        ("signature wrong in the middle", with_wrong_signature(&token, 31)?),
        ("signature wrong in its last byte", with_wrong_signature(&token, 63)?),
        ("kid wrong in its first character", with_wrong_kid(&token, true)?),
        ("kid wrong in its last character", with_wrong_kid(&token, false)?),
    ];
    for (label, token) in forged {
        common.traffic = Arc::new(Traffic::get(PATH, &[token])?.answered(StatusCode::UNAUTHORIZED));
        let ours = Ours { cached_tokens: Some(0), paths: &paths, ..Ours::default() };
        rows.ours(&common, label, &format!("{OURS}, {FIRST}"), &ours.configuration());
    }
    rig.measure("Refusals, beside the first one of them", &COLUMNS, rows).await
}

fn with_wrong_signature(token: &str, place: usize) -> Result<String> {
    let (signed, signature) = token.rsplit_once('.').context("no signature")?;
    let mut bytes = URL_SAFE_NO_PAD.decode(signature)?;
    *bytes.get_mut(place).context("a short signature")? ^= 1;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn with_wrong_kid(token: &str, first: bool) -> Result<String> {
    let (header, rest) = token.split_once('.').context("no header")?;
    let mut header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    let mut kid = header["kid"].as_str().context("no kid")?.to_owned();
    let place = if first { 0 } else { kid.len() - 1 };
    kid.replace_range(place..=place, "!");
    header["kid"] = kid.into();
    Ok(format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string())))
}
