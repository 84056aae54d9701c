//! From HTTP to the domain and back.

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use kit::amounts::Judged;
use kit::idempotency::{Attempt, Key, Scope};
use kit::{Answer, Caller, Forward, Problem};

use crate::State;
use crate::domain::{NewPayment, Payment};
use crate::error::Error;
use crate::store::Outcome;

pub(crate) async fn create(
    Shared(state): Shared<State>,
    caller: Caller,
    Ok(forward): Result<Forward, std::convert::Infallible>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    body: Judged,
) -> Result<Response, Error> {
    let scope = Scope { subject: &caller.subject, method: method.as_str(), path: uri.path() };
    let key = Key::from_headers(&headers, scope)?.ok_or(Error::KeyMissing)?;
    let new = NewPayment::read(&body.tree()?)?;
    let attempt = Attempt::new(key, &new)?;
    if let Some(answer) = state.store.replay(&attempt).await? {
        return Ok(answer.replayed());
    }
    let (payment, answer) = match state.auth.may_pay(&caller.subject, &new.total, &forward).await {
        Ok(()) => {
            let payment = Payment::captured(new, caller.subject);
            let answer = Answer::created(format!("/payment/{}", payment.payment_id), &payment)?;
            (Some(payment), answer)
        }
        Err(refusal @ (Error::PayerFrozen | Error::LimitExceeded)) => {
            (None, Problem::from(refusal).into_answer()?)
        }
        Err(undecided) => return Err(undecided),
    };
    match state.store.decide(&attempt, payment.as_ref(), &answer).await? {
        Outcome::Decided => Ok(answer.into_response()),
        Outcome::Replayed(earlier) => Ok(earlier.replayed()),
    }
}

pub(crate) async fn read(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(payment_id): Path<String>,
) -> Result<Json<Payment>, Error> {
    state.store.payment(&caller.subject, &payment_id).await.map(Json)
}
