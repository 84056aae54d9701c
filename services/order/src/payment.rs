//! Charges an order through the payment service.

use kit::{Answer, Forward};
use reqwest::{Client, StatusCode, Url, header};
use serde_json::{Value, json};

use crate::domain::{Order, PaymentSummary};
use crate::error::Error;

/// Payment's own decisions against a payer, which it keeps: any other refusal comes from the mesh in between (a token
/// that ran out, a missing scope) and decides nothing.
const REFUSALS: [&str; 2] =
    ["https://finpay.example/problems/payer-frozen", "https://finpay.example/problems/limit-exceeded"];

/// What the payment service decided.
pub(crate) enum Decision {
    /// Captured.
    Captured(PaymentSummary),
    /// Refused for good: its own problem, which the client gets too.
    Refused(Answer),
}

/// The payment service.
#[derive(Debug, Clone)]
pub(crate) struct Payments {
    client: Client,
    url: Url,
}

impl Payments {
    pub(crate) fn new(base: &Url) -> Result<Self, Error> {
        let url =
            base.join("/payment").map_err(|problem| Error::Config(format!("PAYMENT_URL: {problem}")))?;
        Ok(Self { client: kit::client()?, url })
    }

    /// Asks for the payment of this order, with the order's id as key: asked again, it is the same payment. Anything
    /// but a decision is [`Error::Payment`], and leaves the order pending.
    pub(crate) async fn charge(&self, order: &Order, forward: &Forward) -> Result<Decision, Error> {
        let body = json!({
            "orderId": order.order_id,
            "amount": order.new.total.amount,
            "currency": order.new.total.currency,
            "paymentMethod": order.new.payment_method,
        });
        let request =
            self.client.post(self.url.clone()).header("idempotency-key", &order.order_id).json(&body);
        let response = forward.apply(request).send().await;
        let response = response.map_err(|problem| Error::Payment(problem.without_url().to_string()))?;
        let status = response.status();
        let field =
            |name| response.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let content_type = field(header::CONTENT_TYPE).unwrap_or_default().to_owned();
        let body = kit::read_answer(response).await.map_err(Error::Payment)?;
        if status == StatusCode::CREATED {
            let captured = serde_json::from_slice(&body);
            return captured.map(Decision::Captured).map_err(|problem| Error::Payment(problem.to_string()));
        }
        if !is_refusal(&body) {
            return Err(Error::Payment(format!("answered {status}")));
        }
        Ok(Decision::Refused(Answer { status: status.as_u16(), content_type, location: None, body }))
    }
}

fn is_refusal(body: &[u8]) -> bool {
    let problem: Option<Value> = serde_json::from_slice(body).ok();
    problem.is_some_and(|problem| REFUSALS.iter().any(|refusal| problem["type"] == *refusal))
}
