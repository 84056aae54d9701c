//! What payment keeps.

pub mod sqlite;

use async_trait::async_trait;
use kit::Answer;
use kit::idempotency::Attempt;

use crate::domain::Payment;
use crate::error::Error;

/// How a decision was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Now, by this request.
    Decided,
    /// Earlier, by the same request: its answer.
    Replayed(Answer),
}

/// The store of the payment service.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether it answers.
    async fn ready(&self) -> Result<(), Error>;
    /// The answer that this request was given before; [`Error::KeyReused`] when the payload was another.
    async fn replay(&self, attempt: &Attempt) -> Result<Option<Answer>, Error>;
    /// Writes a decision in one transaction, unless the key or the order is known already: key and answer, and with
    /// a payment its row and the ledger's. A refusal (no payment) is kept too, so that two tries of one request, of
    /// which one is refused and the other would be captured, cannot part.
    async fn decide(
        &self,
        attempt: &Attempt,
        payment: Option<&Payment>,
        answer: &Answer,
    ) -> Result<Outcome, Error>;
    /// A payer's payment as JSON; [`Error::NoSuchPayment`].
    async fn payment(&self, payer: &str, payment_id: &str) -> Result<Payment, Error>;
}

#[async_trait]
impl kit::server::Ready for dyn Store {
    async fn ready(&self) -> Result<(), String> {
        Store::ready(self).await.map_err(|problem| problem.to_string())
    }
}
