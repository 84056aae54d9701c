//! What is revoked, and how it comes to be.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use jiff::Timestamp;
use kit::Caller;
use kit::json::Strict;
use serde::Deserialize;

use super::NO_STORE;
use crate::State;
use crate::domain::{TokenId, UserId};
use crate::error::Error;
use crate::store::Feed;
use crate::token::LIFETIME_SECONDS;

/// Entries in one answer, which stays below half a megabyte with ids like ours.
const PAGE_LIMIT: u16 = 5_000;

const YEAR_SECONDS: i64 = 365 * 86_400;

#[derive(Deserialize)]
pub(crate) struct FeedQuery {
    #[serde(default)]
    after: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationBody {
    jti: String,
    exp: Option<u64>,
}

pub(crate) async fn feed(
    Shared(state): Shared<State>,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], Json<Feed>), Error> {
    let Query(query) = query.map_err(|_| Error::Invalid("/after", "a cursor of this feed"))?;
    // What no database counts to was not counted by this one.
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    Ok((NO_STORE, Json(state.store.revocations(after, PAGE_LIMIT).await?)))
}

pub(crate) async fn logout(caller: Caller, Shared(state): Shared<State>) -> Result<StatusCode, Error> {
    let expires_at = caller.token_expires_at.ok_or(Error::NoExpiry)?;
    state.store.revoke_token(&caller.token_id.parse()?, expires_at).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn revoke(
    _: Caller,
    Shared(state): Shared<State>,
    Strict(body): Strict<RevocationBody>,
) -> Result<StatusCode, Error> {
    let token_id: TokenId = body.jti.parse()?;
    let now = Timestamp::now().as_second();
    let expires_at = match body.exp {
        None => now + LIFETIME_SECONDS,
        Some(exp) => i64::try_from(exp)
            .ok()
            .filter(|exp| *exp <= now + YEAR_SECONDS)
            .ok_or(Error::Invalid("/exp", "at most a year from now"))?,
    };
    state.store.revoke_token(&token_id, expires_at).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn revoke_user(
    _: Caller,
    Shared(state): Shared<State>,
    Path(user_id): Path<String>,
) -> Result<StatusCode, Error> {
    let user_id: UserId = user_id.parse()?;
    state.store.revoke_user(&user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
