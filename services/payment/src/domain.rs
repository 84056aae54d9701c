//! Payments, refunds and ledger entries.

use amount_core::money::Money;
use jiff::Timestamp;
use kit::amounts::{MovesMoney, Reader, Total};
use kit::problem::Problem;
use serde::Serialize;
use uuid::Uuid;

/// The account that payments go to.
pub const MERCHANT: &str = "merchant";

/// A payment to be made, as its body says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPayment {
    /// The order that it pays.
    pub order_id: String,
    /// How much.
    #[serde(flatten)]
    pub total: Total,
    /// How.
    pub payment_method: String,
}

impl MovesMoney for NewPayment {
    fn read(body: Reader<'_, '_>) -> Result<Self, Problem> {
        Ok(Self {
            order_id: body.text("/orderId", 64)?.to_owned(),
            total: total(body)?,
            payment_method: body.payment_method("/paymentMethod")?.to_owned(),
        })
    }

    fn money(&self) -> Money {
        self.total.money()
    }
}

/// What is to be refunded of a payment, as the body says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NewRefund {
    /// How much.
    #[serde(flatten)]
    pub total: Total,
}

impl MovesMoney for NewRefund {
    fn read(body: Reader<'_, '_>) -> Result<Self, Problem> {
        Ok(Self { total: total(body)? })
    }

    fn money(&self) -> Money {
        self.total.money()
    }
}

fn total(body: Reader<'_, '_>) -> Result<Total, Problem> {
    let money = Money { minor: body.minor_units("/amount")?, currency: body.currency("/currency", None)? };
    Ok(Total::from(money))
}

/// A refund to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Of this payment.
    pub payment_id: String,
    /// Who asks for it: the token's subject.
    pub payer: String,
    /// How much.
    pub total: Total,
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Authorised and captured, in one step.
    Captured,
    /// A part was given back.
    PartiallyRefunded,
    /// All was given back.
    Refunded,
}

/// A payment that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// UUID, version 7.
    pub payment_id: String,
    /// As its amounts say.
    pub state: State,
    /// What was asked for.
    #[serde(flatten)]
    pub new: NewPayment,
    /// What was given back of it, in all.
    pub refunded: Total,
    /// RFC 3339.
    pub created_at: String,
    /// The token's subject.
    #[serde(skip)]
    pub payer: String,
}

impl Payment {
    /// A payment made now.
    pub fn captured(new: NewPayment, payer: String) -> Self {
        let (payment_id, created_at) = (Uuid::now_v7().to_string(), Timestamp::now().to_string());
        Self::new(payment_id, new, 0, created_at, payer)
    }

    /// A payment of which so many minor units were given back.
    pub fn new(
        payment_id: String,
        new: NewPayment,
        refunded: i64,
        created_at: String,
        payer: String,
    ) -> Self {
        let state = match refunded {
            0 => State::Captured,
            part if part < new.total.amount => State::PartiallyRefunded,
            _ => State::Refunded,
        };
        let refunded = Total { amount: refunded, ..new.total };
        Self { payment_id, state, new, refunded, created_at, payer }
    }
}

/// The ledger's rows of so many minor units that go from the payer to the merchant, or back where they are negative:
/// zero in all.
pub fn postings(payer: &str, amount: i64) -> Option<[(String, i64); 2]> {
    Some([(format!("payer:{payer}"), amount.checked_neg()?), (MERCHANT.to_owned(), amount)])
}
