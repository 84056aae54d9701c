//! Auth says of a payer whether and how much: what could be read in two ways is no answer.

use axum::http::StatusCode;
use testing::{Database, Kind};

use crate::support::{BODY, auth, code, numbers, pay, standing, start};

const ACTIVE: &str = r#""standing":"active""#;

/// A body in which the limit has these members.
fn limited(members: &str) -> String {
    format!("{{{ACTIVE},\"limit\":{{{members}}}}}")
}

#[tokio::test]
async fn a_limit_with_two_readings_decides_nothing() {
    let long = "x".repeat(65 << 10);
    let mut decided = Vec::new();
    for answer in [
        // Doubled, in the one order and in the other.
        limited(r#""amount":1,"currency":"USD","exponent":2,"amount":1000"#),
        limited(r#""amount":1000,"currency":"USD","exponent":2,"\u0061mount":1"#),
        format!(
            r#"{{{ACTIVE},"limit":{{"amount":1000,"currency":"USD","exponent":2}},"standing":"frozen"}}"#
        ),
        limited(r#""amount":1000.5,"currency":"USD","exponent":2"#),
        limited(r#""amount":1e3,"currency":"USD","exponent":2"#),
        limited(r#""amount":"1000","currency":"USD","exponent":2"#),
        limited(r#""amount":9007199254740992,"currency":"USD","exponent":2"#),
        limited(r#""amount":1000,"currency":"usd","exponent":2"#),
        limited(r#""amount":1000,"currency":"XXX","exponent":2"#),
        // Dollars with the yen's exponent, and with none.
        limited(r#""amount":1000,"currency":"USD","exponent":0"#),
        limited(r#""amount":1000,"currency":"USD""#),
        limited(r#""currency":"USD","exponent":2"#),
        format!("{{{ACTIVE}}}"),
        r#"{"limit":{"amount":1000,"currency":"USD","exponent":2}}"#.to_owned(),
        format!("{}{{}}", standing("active")),
        format!(r#"{{{ACTIVE},"limit":{{"amount":1000,"currency":"USD","exponent":2}},"note":"{long}"}}"#),
        String::new(),
    ] {
        let Some(database) = Database::new(Kind::Sqlite) else { return };
        let short: String = answer.chars().take(200).collect();
        let auth_url = auth(move |_| answer.clone()).await;
        let state = start(&database, &auth_url).await;
        let app = kit::server::with_defaults(payment::router(state.clone()));
        let (status, _, body) = pay(&app, "user", "k", BODY).await;
        let keys = numbers(&state, "SELECT COUNT(*) AS keys FROM idempotency_keys", ["keys"]).await;
        if (status, code(&body).as_str(), keys)
            != (StatusCode::SERVICE_UNAVAILABLE, "upstream-unavailable", [0])
        {
            decided.push((short, status, keys));
        }
    }
    assert!(decided.is_empty(), "the key must still be free: {decided:#?}");
}

#[tokio::test]
async fn what_auth_says_beside_does_not_matter() {
    let Some(database) = Database::new(Kind::Sqlite) else { return };
    let answer = limited(r#""exponent":2,"currency":"USD","amount":100,"since":1.5"#);
    let auth_url = auth(move |_| answer.clone()).await;
    let app = kit::server::with_defaults(payment::router(start(&database, &auth_url).await));
    assert_eq!(pay(&app, "user", "k", BODY).await.0, StatusCode::CREATED, "up to the limit");
    let above = BODY.replace(":100", ":101").replace("o-1", "o-2");
    assert_eq!(code(&pay(&app, "user", "above", &above).await.2), "limit-exceeded");
}
