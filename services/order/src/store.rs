//! What order keeps.

pub mod sqlite;

use async_trait::async_trait;
use kit::Answer;
use kit::idempotency::Attempt;

use crate::domain::Order;
use crate::error::Error;

/// What a request finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The order that is to be paid: made just now, or by an earlier try that did not come to its end.
    Pending(Box<Order>),
    /// The answer that the request was given before.
    Answered(Answer),
}

/// The store of the order service.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether it answers.
    async fn ready(&self) -> Result<(), Error>;
    /// Finds the request's order or writes this one; [`Error::KeyReused`] when the payload was another.
    async fn begin(&self, attempt: &Attempt, order: Order) -> Result<Found, Error>;
    /// Ends a pending order (paid or cancelled) with its answer. When another try has ended it already, that one's
    /// answer comes back.
    async fn finish(&self, order: &Order, answer: Answer) -> Result<Answer, Error>;
    /// A user's order; [`Error::NoSuchOrder`].
    async fn order(&self, user_id: &str, order_id: &str) -> Result<Order, Error>;
}

#[async_trait]
impl kit::server::Ready for dyn Store {
    async fn ready(&self) -> Result<(), String> {
        Store::ready(self).await.map_err(|problem| problem.to_string())
    }
}
