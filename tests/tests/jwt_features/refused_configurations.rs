//! A configuration that is not right opens no listener, and the log names the place.

use anyhow::Result;
use serde_json::{Value, json};
use tests::envoy::Options;
use tests::issuer::Issuer;
use tests::jwt::{Tools, configuration, metric, with};
use tests::raw;
use tests::wait::until;

fn bad(issuer: &Issuer) -> Vec<(&'static str, Value)> {
    let provider = issuer.inline_provider();
    let good = configuration(std::slice::from_ref(&provider));
    let named = |name: &str| with(provider.clone(), &json!({"name": name}));
    let rules = |rules: Value| with(good.clone(), &json!({"rules": rules}));
    let of_provider = |changes: Value| configuration(&[with(provider.clone(), &changes)]);
    let prefix = |prefix: &str| json!({"match": {"path": {"prefix": prefix}}});
    vec![
        ("leeway: unknown field", with(good.clone(), &json!({"leeway": 60}))),
        ("providers[0]", of_provider(json!({"leeway": 60}))),
        ("providers[1].issuer", configuration(&[named("a"), named("b")])),
        ("providers[0].algorithms[1]", of_provider(json!({"algorithms": ["ES256", "RS256"]}))),
        ("providers[0].algorithms[0]", of_provider(json!({"algorithms": ["none"]}))),
        ("providers[0].algorithms[0]", of_provider(json!({"algorithms": ["HS256"]}))),
        ("providers[0].audiences", of_provider(json!({"audiences": null}))),
        ("providers[0].jwks.inline", of_provider(json!({"jwks": {"inline": "{\"keys\": []}"}}))),
        ("providers[0].leewaySeconds", of_provider(json!({"leewaySeconds": 301}))),
        ("rules[1].match", rules(json!([prefix("/a"), prefix("/a/b")]))),
        ("rules[0].match.path.prefix", rules(json!([prefix("/a//b")]))),
        (
            "rules[0].scopes",
            rules(json!([{"match": {"path": {"exact": "/a"}}, "public": true, "scopes": ["x"]}])),
        ),
        (
            "rules[0].providers[0]",
            rules(json!([{"match": {"path": {"exact": "/a"}}, "providers": ["nobody"]}])),
        ),
        ("tokenPlaces[0]", with(good.clone(), &json!({"tokenPlaces": [{"cookie": "a", "query": "b"}]}))),
        ("limits.tokenBytes", with(good.clone(), &json!({"limits": {"tokenBytes": 1}}))),
        ("realm", with(good, &json!({"realm": "a\"b"}))),
    ]
}

#[tokio::test]
async fn a_wrong_configuration_opens_no_listener() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let wrong = with(configuration(&[issuer.inline_provider()]), &json!({"unknown": 1}));
    let Err(error) = tools.start(&wrong, &[]).await else { panic!("Envoy started") };
    let log = error.to_string();
    assert!(log.contains("pluginConfig refused: unknown"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_change_is_refused_and_the_log_names_the_place() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let issuer = Issuer::start().await?;
    let setup = Options { is_dynamic: true, ..Options::default() };
    let envoy = tools.start_with(&configuration(&[issuer.inline_provider()]), &[], setup).await?;
    let token = issuer.token(&json!({}))?;
    for (number, (place, configuration)) in bad(&issuer).into_iter().enumerate() {
        let before = envoy.log()?.len();
        envoy.change(&[tools.filter(&configuration)])?;
        until(&format!("the wrong {place} is refused"), async || {
            let rejected = metric(&envoy, "listener_manager.lds.update_rejected").await?;
            Ok((rejected > number as u64).then_some(()))
        })
        .await?;
        let log = envoy.log()?.split_off(before);
        let told = log.lines().find(|line| line.contains("pluginConfig refused"));
        assert!(told.is_some_and(|line| line.contains(place)), "{place}: {told:?} in {log}");
        assert_eq!(raw::bearer(envoy.address, "/a", &token).await?.status, 200, "what ran before runs on");
    }
    Ok(())
}
