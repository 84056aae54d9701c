//! Payments and ledger entries.

use amount_core::json::Value;
use amount_core::money::Money;
use jiff::Timestamp;
use kit::amounts::{Reader, Total};
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

impl NewPayment {
    /// From a body that the amount rule has passed.
    pub fn read(body: &Value<'_>) -> Result<Self, Problem> {
        let reader = Reader::new(body);
        let order_id = reader.text("/orderId", 64)?.to_owned();
        let money =
            Money { minor: reader.minor_units("/amount")?, currency: reader.currency("/currency", None)? };
        let payment_method = reader.payment_method("/paymentMethod")?.to_owned();
        Ok(Self { order_id, total: Total::from(money), payment_method })
    }
}

/// A payment that was made. First real form: authorised and captured in one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// UUID, version 7.
    pub payment_id: String,
    /// `captured`.
    pub state: &'static str,
    /// What was asked for.
    #[serde(flatten)]
    pub new: NewPayment,
    /// RFC 3339.
    pub created_at: String,
    /// The token's subject.
    #[serde(skip)]
    pub payer: String,
}

/// The only state yet.
pub const CAPTURED: &str = "captured";

impl Payment {
    /// A payment made now.
    pub fn captured(new: NewPayment, payer: String) -> Self {
        let created_at = Timestamp::now().to_string();
        Self { payment_id: Uuid::now_v7().to_string(), state: CAPTURED, new, created_at, payer }
    }

    /// The ledger's rows: the payer's account down, the merchant's up, zero in all.
    pub fn postings(&self) -> Option<[(String, i64); 2]> {
        let amount = self.new.total.amount;
        Some([(format!("payer:{}", self.payer), amount.checked_neg()?), (MERCHANT.to_owned(), amount)])
    }
}
