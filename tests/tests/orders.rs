//! The main road: an order paid through the gateway, once.

use anyhow::Result;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::{System, orders};

#[tokio::test]
async fn the_seed_order_is_paid_and_its_owner_alone_can_read_it() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, other) = (system.new_user().await?, system.new_user().await?);
    let created = system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.body["state"], "paid");
    assert_eq!(created.body["payment"]["state"], "captured");
    assert_eq!(created.body["total"], json!({"amount": 100, "currency": "USD", "exponent": 2}));

    let path = created.header("location");
    let read = system.get(path, &user.token).await?;
    assert_eq!((read.status, &read.body["orderId"]), (StatusCode::OK, &created.body["orderId"]));
    assert_eq!(system.get(path, &other.token).await?.verdict(), "404 not-found");
    Ok(())
}

#[tokio::test]
async fn one_key_gives_one_order_and_the_same_answer() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let send = |body: serde_json::Value| {
        let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token).json(&body);
        system.send(request.header("idempotency-key", "one-key"))
    };
    let first = send(orders::seed(&user.id)).await?;
    let again = send(orders::seed(&user.id)).await?;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let mut other = orders::seed(&user.id);
    other["paymentMethod"] = json!("debit_card");
    assert_eq!(send(other).await?.verdict(), "422 idempotency-key-reused");
    Ok(())
}

#[tokio::test]
async fn a_payment_without_a_key_is_refused() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    let body = json!({"orderId": "o-1", "amount": 100, "currency": "USD", "paymentMethod": "credit_card"});
    let refused = system.post("/payment", &user.token, &body).await?;
    assert_eq!(refused.verdict(), "400 idempotency-key-missing");
    Ok(())
}

#[tokio::test]
async fn a_frozen_user_with_a_valid_token_pays_nothing() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let user = system.new_user().await?;
    assert_eq!(system.set_standing(&user.id, "frozen").await?.status, StatusCode::OK);
    let refused = system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
    assert_eq!(refused.verdict(), "403 payer-frozen");
    assert_eq!(system.set_standing(&user.id, "active").await?.status, StatusCode::OK);
    let paid = system.post("/order/create", &user.token, &orders::seed(&user.id)).await?;
    assert_eq!(paid.status, StatusCode::CREATED, "{paid:?}");
    Ok(())
}

#[tokio::test]
async fn a_user_orders_for_nobody_else_and_freezes_nobody() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, other) = (system.new_user().await?, system.new_user().await?);
    let refused = system.post("/order/create", &user.token, &orders::seed(&other.id)).await?;
    assert_eq!(refused.verdict(), "403 user-mismatch");
    let path = format!("/auth/users/{}/standing", other.id);
    let request = system.request(Method::PUT, &path).bearer_auth(&user.token);
    let refused = system.send(request.json(&json!({"standing": "frozen"}))).await?;
    assert_eq!(refused.verdict(), "403 insufficient-scope");
    assert!(refused.header("www-authenticate").contains("users:admin"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn identity_headers_of_a_client_never_arrive() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    let (user, other) = (system.new_user().await?, system.new_user().await?);
    for name in ["x-jwt-sub", "X-JWT-Sub", "x-jwt-scope", "x-jwt-anything"] {
        let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
        let body = orders::seed(&other.id);
        let refused = system.send(request.header(name, &other.id).json(&body)).await?;
        assert_eq!(refused.verdict(), "403 user-mismatch", "{name}");
    }
    let request = system.request(Method::POST, "/order/create").bearer_auth(&user.token);
    let underscore =
        system.send(request.header("x_jwt_sub", &other.id).json(&orders::seed(&other.id))).await?;
    assert_eq!(underscore.status, StatusCode::BAD_REQUEST, "the gateway refuses underscores");
    Ok(())
}
