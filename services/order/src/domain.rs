//! Orders.

use amount_core::money::Money;
use jiff::Timestamp;
use kit::amounts::{MovesMoney, Reader, Total};
use kit::problem::Problem;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Of an order that names none.
const DEFAULT_CURRENCY: &str = "USD";

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The seller's id of it.
    pub id: String,
    /// How many.
    pub quantity: i64,
    /// Of one, in minor units of the order's currency.
    pub price: i64,
}

/// An order to be made, as its body says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// Who orders: the token's subject.
    pub user_id: String,
    /// What.
    pub items: Vec<Item>,
    /// The sum of quantity x price.
    pub total: Total,
    /// How it is paid.
    pub payment_method: String,
}

impl MovesMoney for NewOrder {
    /// The rule has seen that the total is the sum of the items.
    fn read(body: Reader<'_, '_>) -> Result<Self, Problem> {
        let currency = body.currency("/currency", Some(DEFAULT_CURRENCY))?;
        let items = (0..body.length("/items")?)
            .map(|index| {
                let at = |name: &str| format!("/items/{index}/{name}");
                Ok(Item {
                    id: body.text(&at("id"), 128)?.to_owned(),
                    quantity: body.minor_units(&at("quantity"))?,
                    price: body.minor_units(&at("price"))?,
                })
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        Ok(Self {
            user_id: body.text("/userId", 64)?.to_owned(),
            items,
            total: Total::from(Money { minor: body.minor_units("/totalAmount")?, currency }),
            payment_method: body.payment_method("/paymentMethod")?.to_owned(),
        })
    }

    fn money(&self) -> Money {
        self.total.money()
    }
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its payment was not decided yet.
    Pending,
    /// Paid.
    Paid,
    /// Its payment was refused.
    Cancelled,
}

impl State {
    /// As the store has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    /// From the store.
    pub fn stored(text: &str) -> Option<Self> {
        [Self::Pending, Self::Paid, Self::Cancelled].into_iter().find(|state| state.as_str() == text)
    }
}

/// The payment of an order, as it was when the order was paid: payment itself tells what was given back since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentSummary {
    /// Payment's id of it.
    pub payment_id: String,
    /// `captured`.
    pub state: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Shown")]
pub struct Order {
    /// UUID, version 7; also the payment's idempotency key.
    pub order_id: String,
    /// How far it is.
    pub state: State,
    /// What was asked for.
    pub new: NewOrder,
    /// Once paid.
    pub payment: Option<PaymentSummary>,
    /// RFC 3339.
    pub created_at: String,
}

impl Order {
    /// An order made now, not paid yet.
    pub fn pending(new: NewOrder) -> Self {
        let created_at = Timestamp::now().to_string();
        Self { order_id: Uuid::now_v7().to_string(), state: State::Pending, new, payment: None, created_at }
    }

    /// The same order, paid.
    #[must_use]
    pub fn paid(self, payment: PaymentSummary) -> Self {
        Self { state: State::Paid, payment: Some(payment), ..self }
    }
}

/// An order as answers show it. The price of an item is money too, so it has currency and exponent there; the store and
/// the request's fingerprint keep it as the bare number that came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    order_id: String,
    state: State,
    user_id: String,
    items: Vec<ShownItem>,
    total: Total,
    payment_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentSummary>,
    created_at: String,
}

#[derive(Serialize)]
struct ShownItem {
    id: String,
    quantity: i64,
    price: Total,
}

impl From<Order> for Shown {
    fn from(order: Order) -> Self {
        let Order { order_id, state, new, payment, created_at } = order;
        let NewOrder { user_id, items, total, payment_method } = new;
        let priced = |Item { id, quantity, price }| ShownItem {
            id,
            quantity,
            price: Total { amount: price, ..total },
        };
        let items = items.into_iter().map(priced).collect();
        Self { order_id, state, user_id, items, total, payment_method, payment, created_at }
    }
}
