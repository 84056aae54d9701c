//! The key set, what describes it, and its next key.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kit::Caller;
use kit::json::Strict;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::State;
use crate::error::Error;
use crate::keys::{SIGNS_IN_SECONDS, published};
use crate::token;

/// Short, so that a new key is known soon; the filter refreshes on its own clock anyway.
const CACHE_CONTROL: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=60");

const SIGNS_IN_LIMITS: std::ops::RangeInclusive<i64> = 0..=86_400;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    #[serde(default = "signs_in_seconds")]
    signs_in_seconds: i64,
}

fn signs_in_seconds() -> i64 {
    SIGNS_IN_SECONDS
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewKey {
    kid: String,
    signs_from: i64,
}

pub(crate) async fn add(
    _: Caller,
    Shared(state): Shared<State>,
    Strict(body): Strict<NewKeyBody>,
) -> Result<(StatusCode, Json<NewKey>), Error> {
    if !SIGNS_IN_LIMITS.contains(&body.signs_in_seconds) {
        return Err(Error::Invalid("/signsInSeconds", "0 to 86400"));
    }
    let next = token::generate(Timestamp::now().as_second() + body.signs_in_seconds);
    // However new the newest key is.
    state.store.add_key(&next, i64::MAX).await?;
    Ok((StatusCode::CREATED, Json(NewKey { kid: next.kid, signs_from: next.signs_from })))
}

pub(crate) async fn jwks(Shared(state): Shared<State>, headers: HeaderMap) -> Result<Response, Error> {
    let keys = state.store.signing_keys().await?;
    let set = token::key_set(published(&keys, Timestamp::now().as_second()))?;
    Ok(unless_known(&headers, &set))
}

pub(crate) async fn openid_configuration(Shared(state): Shared<State>, headers: HeaderMap) -> Response {
    unless_known(&headers, &state.issuer.discovery())
}

/// The document with a strong `ETag`, or 304 to a client that has it (RFC 9110 section 13.1.2).
fn unless_known(request: &HeaderMap, document: &Value) -> Response {
    let body = document.to_string();
    // The same on every replica: made from the content alone.
    let tag = format!("\"{:x}\"", Bytes::copy_from_slice(&Sha256::digest(&body)));
    let fields = [CACHE_CONTROL, (header::ETAG, tag.as_str())];
    if knows(request, &tag) {
        return (StatusCode::NOT_MODIFIED, fields).into_response();
    }
    (fields, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn knows(request: &HeaderMap, tag: &str) -> bool {
    let lists =
        request.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| HeaderValue::to_str(list).ok());
    // Compared weakly, as the section has it: a cache on the way may have made the tag weak.
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
