//! Every attack that the filter is to withstand, by the real module in a real Envoy.

mod forged;
mod key_sets;
mod passed_on;
mod shapes;
mod times;
mod vectors;
mod wire;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::envoy::Envoy;
use tests::issuer::Issuer;
use tests::jwt::{arrived, configuration, faults};
use tests::raw;

const INVALID: &str = "401 invalid-token";
const MALFORMED: &str = "400 invalid-request";

/// What is tried, and the one right answer.
struct Attack {
    name: String,
    token: String,
    answer: &'static str,
}

/// Attacks by bad tokens.
#[derive(Default)]
struct Attacks(Vec<Attack>);

impl Attacks {
    fn add(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.0.push(Attack { name: name.into(), token: token.into(), answer: INVALID });
    }

    /// Not even credentials: no token could look so.
    fn malformed(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.0.push(Attack { name: name.into(), token: token.into(), answer: MALFORMED });
    }
}

/// Every request needs a token of this issuer, but for one public path.
fn guarded(issuer: &Issuer) -> Value {
    let mut configuration = configuration(&[issuer.inline_provider()]);
    configuration["rules"] = json!([
        {"match": {"path": {"exact": "/public"}}, "public": true},
        {"match": {"path": {"exact": "/optional"}}, "optional": true},
    ]);
    configuration
}

/// Tries them all: each must be refused in the right form, reach nobody, and leave no trace.
async fn withstands(envoy: &Envoy, issuer: &Issuer, attacks: Attacks) -> Result<()> {
    let before = arrived(envoy).await?;
    let mut wrong = Vec::new();
    let mut connection = raw::Connection::open(envoy.address).await?;
    for attack in &attacks.0 {
        let value = format!("Bearer {}", attack.token);
        let request = raw::request("GET", b"/order/1", &[(b"authorization", value.as_bytes())]);
        let reply = connection.send(&request).await.with_context(|| attack.name.clone())?;
        let secrets: Vec<_> = attack.token.split('.').filter(|segment| segment.len() > 8).collect();
        let found = faults(&reply, attack.answer, &secrets);
        wrong.extend(found.into_iter().map(|fault| format!("{}: {fault}", attack.name)));
    }
    eprintln!("{} attacks", attacks.0.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(arrived(envoy).await?, before, "a refused request arrived");

    let good = issuer.token(&json!({}))?;
    assert_eq!(
        connection
            .send(&raw::request(
                "GET",
                b"/order/1",
                &[(b"authorization", format!("Bearer {good}").as_bytes())]
            ))
            .await?
            .status,
        200,
        "a good token is good after all of that"
    );
    assert_eq!(arrived(envoy).await?, before + 1, "the counter counts what does arrive");
    // Its line is the last one.
    let log = envoy.logs("access: GET /order/1 200").await?;
    assert!(log.contains("access: GET /order/1 401"), "the log tells of refused requests");
    for Attack { name, token, .. } in &attacks.0 {
        let leaked = token.split('.').find(|segment| segment.len() > 16 && log.contains(*segment));
        assert_eq!(leaked, None, "{name}: the token is in the log");
    }
    Ok(())
}
