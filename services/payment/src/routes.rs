//! From HTTP to the domain and back.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use kit::amounts::Judged;
use kit::idempotency::{Attempt, Key, Scope};
use kit::{Caller, Forward, Problem};

use crate::State;
use crate::domain::{NewPayment, NewRefund, Payment, Refund};
use crate::error::Error;
use crate::store::{Change, Outcome, made};

pub(crate) async fn create(
    Shared(state): Shared<State>,
    caller: Caller,
    Ok(forward): Result<Forward, Infallible>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    Judged(new): Judged<NewPayment>,
) -> Result<Response, Error> {
    let attempt = Attempt::new(key(&caller, &method, &uri, &headers)?, &new)?;
    if let Some(answer) = state.store.replay(&attempt).await? {
        return Ok(answer.replayed());
    }
    let (payment, answer) = match state.auth.may_pay(&caller.subject, &new.total, &forward).await {
        Ok(()) => {
            let payment = Payment::captured(new, caller.subject);
            let answer = made(&payment)?;
            (Some(payment), answer)
        }
        Err(refusal @ (Error::PayerFrozen | Error::LimitExceeded)) => {
            (None, Problem::from(refusal).into_answer()?)
        }
        Err(undecided) => return Err(undecided),
    };
    let change = payment.as_ref().map_or(Change::Nothing, Change::Payment);
    state.store.decide(&attempt, change, &answer).await.map(IntoResponse::into_response)
}

pub(crate) async fn refund(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(payment_id): Path<String>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    Judged(new): Judged<NewRefund>,
) -> Result<Response, Error> {
    let attempt = Attempt::new(key(&caller, &method, &uri, &headers)?, &new)?;
    let refund = Refund { payment_id, payer: caller.subject, total: new.total };
    let refusal = Problem::from(Error::RemainderExceeded).into_answer()?;
    state.store.decide(&attempt, Change::Refund(&refund), &refusal).await.map(IntoResponse::into_response)
}

pub(crate) async fn read(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(payment_id): Path<String>,
) -> Result<Json<Payment>, Error> {
    state.store.payment(&caller.subject, &payment_id).await.map(Json)
}

/// The request's key, which has to be there.
fn key(caller: &Caller, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Key, Error> {
    let scope = Scope { subject: &caller.subject, method: method.as_str(), path: uri.path() };
    Key::from_headers(headers, scope)?.ok_or(Error::KeyMissing)
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        match self {
            Self::Decided(answer) => answer.into_response(),
            Self::Replayed(earlier) => earlier.replayed(),
        }
    }
}
