//! From HTTP to the domain and back: users here, keys and revocations in the files beside.

pub(crate) mod keys;
pub(crate) mod revocations;

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use kit::Caller;
use kit::json::Strict;
use serde::{Deserialize, Serialize};

use crate::domain::{Standing, USER_SCOPE, UserId};
use crate::error::Error;
use crate::keys::signing;
use crate::store::{NewUser, PayerStanding, Store};
use crate::token::LIFETIME_SECONDS;
use crate::{ADMIN, State};

/// RFC 6749 section 5.1 wants it with tokens.
const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// A cut-off lies at most a second ahead of the clock that set it; more is a difference between clocks.
const CUT_OFF_WAIT_LIMIT: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginBody {
    user_id: String,
    password: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    user_id: UserId,
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
pub(crate) struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandingBody {
    standing: Standing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StandingAnswer {
    user_id: UserId,
    standing: Standing,
    limit: LimitAnswer,
}

#[derive(Serialize)]
struct LimitAnswer {
    amount: i64,
    currency: String,
    exponent: u16,
}

impl StandingAnswer {
    fn new(user_id: UserId, payer: PayerStanding) -> Result<Self, Error> {
        let currency: amount_core::money::Currency =
            payer.limit_currency.parse().map_err(|_| Error::Corrupt("an unknown currency"))?;
        let limit = LimitAnswer {
            amount: payer.limit_minor,
            exponent: currency.exponent(),
            currency: payer.limit_currency,
        };
        Ok(Self { user_id, standing: payer.standing, limit })
    }
}

pub(crate) async fn register(
    Shared(state): Shared<State>,
    Strict(body): Strict<LoginBody>,
) -> Result<(StatusCode, Json<Registered>), Error> {
    let (user_id, password) = (body.user_id.parse::<UserId>()?, body.password.parse()?);
    // Never to be had by registering, also where no administrator is configured yet.
    if user_id.as_str() == ADMIN {
        return Err(Error::UserExists);
    }
    let password_hash = state.passwords.hash(password).await?;
    let user = NewUser { user_id: user_id.clone(), password_hash, scope: USER_SCOPE.to_owned() };
    state.store.create_user(user).await?;
    Ok((StatusCode::CREATED, Json(Registered { user_id })))
}

pub(crate) async fn login(
    Shared(state): Shared<State>,
    Strict(body): Strict<LoginBody>,
) -> Result<([(HeaderName, &'static str); 1], Json<TokenAnswer>), Error> {
    // What cannot be a user or a password is told no more than what is wrong.
    let (Ok(user_id), Ok(password)) = (body.user_id.parse::<UserId>(), body.password.parse()) else {
        return Err(Error::BadCredentials);
    };
    let credentials = state.store.credentials(&user_id).await?;
    let (hash, scope) = credentials.map(|found| (found.password_hash, found.scope)).unzip();
    let right = state.passwords.verify(password, hash).await?;
    let scope = scope.filter(|_| right).ok_or(Error::BadCredentials)?;
    let issued_at = past_cut_off(&state.store, &user_id).await?;
    let keys = state.store.signing_keys().await?;
    let key = signing(&keys, issued_at)?;
    let access_token = state.issuer.token(key, issued_at, user_id.as_str(), &scope)?;
    let answer = TokenAnswer { access_token, token_type: "Bearer", expires_in: LIFETIME_SECONDS, scope };
    Ok((NO_STORE, Json(answer)))
}

/// The time at which to issue the user's next token: now, or where all its tokens have just been revoked as soon as
/// one is not refused with them.
async fn past_cut_off(store: &Store, user_id: &UserId) -> Result<i64, Error> {
    let not_before = store.tokens_not_before(user_id).await?;
    let wait_ms = not_before.saturating_mul(1_000).saturating_sub(Timestamp::now().as_millisecond());
    if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
        tokio::time::sleep(Duration::from_millis(wait_ms).min(CUT_OFF_WAIT_LIMIT)).await;
    }
    // Filters have a leeway for what is left when another replica's clock is far ahead.
    Ok(Timestamp::now().as_second().max(not_before))
}

pub(crate) async fn standing(
    _: Caller,
    Shared(state): Shared<State>,
    Path(user_id): Path<String>,
) -> Result<Json<StandingAnswer>, Error> {
    let user_id: UserId = user_id.parse()?;
    let payer = state.store.standing(&user_id).await?;
    Ok(Json(StandingAnswer::new(user_id, payer)?))
}

pub(crate) async fn set_standing(
    _: Caller,
    Shared(state): Shared<State>,
    Path(user_id): Path<String>,
    Strict(body): Strict<StandingBody>,
) -> Result<Json<StandingAnswer>, Error> {
    let user_id: UserId = user_id.parse()?;
    let payer = state.store.set_standing(&user_id, body.standing).await?;
    Ok(Json(StandingAnswer::new(user_id, payer)?))
}
