//! What was paid through the gateway goes back the same way: in parts, once each, and no further.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use tests::metrics::{self, Source};
use tests::{Answer, System, User, orders};

struct Payment<'s> {
    system: &'s System,
    path: String,
}

impl<'s> Payment<'s> {
    /// Of the seed system's order: one dollar.
    async fn of(system: &'s System, user: &User) -> Result<Self> {
        let order = system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
        let id = order.body["payment"]["paymentId"].as_str().with_context(|| format!("{order:?}"))?;
        Ok(Self { system, path: format!("/payment/{id}") })
    }

    async fn refund(&self, token: &str, key: &str, body: &Value) -> Result<Answer> {
        let request = self.system.request(Method::POST, &format!("{}/refunds", self.path)).bearer_auth(token);
        self.system.send(request.header("idempotency-key", key).json(body)).await
    }
}

fn cents(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

#[tokio::test]
async fn a_payment_goes_back_in_parts_and_no_further() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let payment = Payment::of(&system, &user).await?;
    let first = payment.refund(&user.token, "one", &cents(30)).await?;
    assert_eq!((first.verdict().as_str(), &first.body["state"]), ("201", &json!("partially_refunded")));
    assert_eq!(first.body["refunded"], json!({"amount": 30, "currency": "USD", "exponent": 2}));
    let again = payment.refund(&user.token, "one", &cents(30)).await?;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    assert_eq!(payment.refund(&user.token, "two", &cents(71)).await?.verdict(), "422 remainder-exceeded");
    let rest = payment.refund(&user.token, "three", &cents(70)).await?;
    assert_eq!((rest.verdict().as_str(), &rest.body["state"]), ("201", &json!("refunded")));
    assert_eq!(system.get(&payment.path, &user.token).await?.body, rest.body);
    Ok(())
}

/// How often the sidecars' filters have refused by the route's own rule.
async fn refused_by_the_rule(system: &System) -> Result<f64> {
    let texts = metrics::scrape(&system.client, "payment-service", Source::Sidecar).await?;
    let labels = [r#"rule="payment-refund""#, r#"verdict="deny""#];
    Ok(texts.iter().map(|text| metrics::sum(text, "finpay_amount_requests_total", &labels)).sum())
}

/// The filter refuses what the rule says, the service what no rule can know.
#[tokio::test]
async fn what_is_no_refund_of_ones_own_is_refused() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, other) = (system.new_user().await?, system.new_user().await?);
    let payment = Payment::of(&system, &user).await?;
    let before = refused_by_the_rule(&system).await?;
    for (token, body, expected, by_the_rule) in [
        (&user.token, json!({"amount": 1.5, "currency": "USD"}), "422 invalid-amount not_an_integer", 1.0),
        (&user.token, json!({"amount": 0, "currency": "USD"}), "422 invalid-amount zero", 2.0),
        (&user.token, json!({"amount": 1}), "422 invalid-amount missing", 3.0),
        (
            &user.token,
            json!({"amount": 1, "currency": "USD", "to": 1}),
            "422 invalid-amount unknown_field",
            4.0,
        ),
        (&user.token, json!({"amount": 1, "currency": "EUR"}), "422 invalid-amount currency_mismatch", 4.0),
        (&other.token, cents(1), "404 not-found", 4.0),
    ] {
        let refused = payment.refund(token, "key", &body).await?;
        let fault = refused.body["errors"][0]["code"].as_str().unwrap_or_default();
        assert_eq!(format!("{} {fault}", refused.verdict()).trim_end(), expected, "{body}");
        let count = refused_by_the_rule(&system).await? - before;
        assert!((count - by_the_rule).abs() < f64::EPSILON, "{count} instead of {by_the_rule}: {body}");
    }
    let read = system.get(&payment.path, &user.token).await?;
    assert_eq!((&read.body["state"], &read.body["refunded"]["amount"]), (&json!("captured"), &json!(0)));
    Ok(())
}
