//! From HTTP to the domain and back.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use kit::amounts::Judged;
use kit::idempotency::{Attempt, Key, Scope};
use kit::{Answer, Caller, Forward};

use crate::State;
use crate::domain::{self, NewOrder, Order};
use crate::error::Error;
use crate::payment::Decision;
use crate::store::Found;

pub(crate) async fn create(
    Shared(state): Shared<State>,
    caller: Caller,
    Ok(forward): Result<Forward, Infallible>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    Judged(new): Judged<NewOrder>,
) -> Result<Response, Error> {
    let scope = Scope { subject: &caller.subject, method: method.as_str(), path: uri.path() };
    // Envoy keeps the request id across its own tries, so a repeat by the mesh finds the same order.
    let request_id = || forward.request_id().map(|id| Key::from_request_id(id, scope));
    let key = Key::from_headers(&headers, scope)?.or_else(request_id).ok_or(Error::KeyMissing)?;
    if new.user_id != caller.subject {
        return Err(Error::UserMismatch);
    }
    let attempt = Attempt::new(key, &new)?;
    match state.store.begin(&attempt, Order::pending(new)).await? {
        Found::Answered(answer) => Ok(answer.replayed()),
        Found::Pending(order) => pay(&state, *order, &forward).await.map(IntoResponse::into_response),
    }
}

/// Has the order paid, and ends it. When this breaks off anywhere, the order stays pending, and the same request sent
/// again takes it up: the payment's key is the order's id, so it is paid once.
async fn pay(state: &State, order: Order, forward: &Forward) -> Result<Answer, Error> {
    match state.payments.charge(&order, forward).await? {
        Decision::Captured(payment) => {
            let order = order.paid(payment);
            let answer = Answer::created(format!("/order/{}", order.order_id), &order)?;
            state.store.finish(&order, answer).await
        }
        Decision::Refused(answer) => {
            let order = Order { state: domain::State::Cancelled, ..order };
            state.store.finish(&order, answer).await
        }
    }
}

pub(crate) async fn read(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(order_id): Path<String>,
) -> Result<Json<Order>, Error> {
    state.store.order(&caller.subject, &order_id).await.map(Json)
}
