//! `docs/metrics.md` lists what is exported, and nothing else: names, types and labels.

mod example;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use example::Example;
use example::document;
use serde_json::{Value, json};
use tests::issuer::Pair;
use tests::wait::until;
use tests::{System, metrics};

/// Type and labels by name.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

/// The tables of these sections.
fn documented(headings: &[&str]) -> Result<Families> {
    let text = document::read("metrics.md")?;
    let mut families = Families::new();
    for section in text.split("\n## ") {
        let Some((heading, section)) = section.split_once('\n') else { continue };
        let rows =
            section.lines().filter(|line| headings.contains(&heading) && line.starts_with("| `finpay_"));
        for row in rows {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [_, name, kind, labels, _, _] = cells[..] else { panic!("not four cells: {row}") };
            let name = name.trim_matches('`');
            let labels = labels.split(", ").map(|label| label.trim_matches('`'));
            let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned).collect();
            let is_new = families.insert(name.to_owned(), (kind.to_owned(), labels)).is_none();
            assert!(is_new, "{name} stands there twice");
        }
    }
    assert!(!families.is_empty(), "no table under {headings:?}");
    Ok(families)
}

/// What a scrape has of ours.
fn exported(text: &str) -> Families {
    let mut families = Families::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
            && name.starts_with("finpay_")
        {
            families.entry(name.to_owned()).or_insert_with(|| (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, rest)) = line.split_once('{')
            && let Some((labels, _)) = rest.rsplit_once('}')
        {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let base = base.filter(|base| families.contains_key(*base)).unwrap_or(name);
            if let Some((_, known)) = families.get_mut(base) {
                let names = labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
                known.extend(names.filter(|label| label != "le"));
            }
        }
    }
    families
}

/// The documentation's configuration with all that has a metric of its own: a feed, a bad key, a dry run.
fn with_everything(bootstrap: &mut Value) {
    let filters = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        ["http_filters"];
    let value = &mut filters[0]["typed_config"]["config"]["configuration"]["value"];
    let mut config: Value = serde_json::from_str(value.as_str().unwrap_or_default()).unwrap_or_default();
    config["providers"][0]["revocations"] =
        json!({"cluster": "idp", "authority": "idp.example.com", "path": "/revocations"});
    config["providers"][0]["jwks"]["remote"]["minRefetchSeconds"] = json!(1);
    config["rules"] = json!([{"match": {"path": {"prefix": "/dry"}}, "dryRun": true}]);
    *value = config.to_string().into();
    let mut amount = filters[0].clone();
    amount["name"] = "amount".into();
    amount["typed_config"]["config"]["name"] = "amount".into();
    amount["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = "amount.wasm".into();
    let rule = |name: &str, dry_run: bool| {
        json!({
            "name": name,
            "match": {"methods": ["POST"], "path": {"exact": "/transfers"}},
            "dryRun": dry_run,
            "currency": {"pointer": "/currency", "allowed": ["USD"]},
            "amounts": [{"pointer": "/amount", "caps": {"USD": if dry_run { 10 } else { 100 }}}],
        })
    };
    let rules = json!({"rules": [rule("transfer", false), rule("lower-cap", true)]});
    amount["typed_config"]["config"]["configuration"]["value"] = rules.to_string().into();
    if let Some(filters) = filters.as_array_mut() {
        filters.insert(1, amount);
    }
    if let Some(tags) = bootstrap["stats_config"]["stats_tags"].as_array_mut() {
        tags.push(json!({"tag_name": "rule", "regex": r"(rule=\.=(.*?);\.;)"}));
    }
}

#[tokio::test]
async fn the_filters_metrics_are_those_of_the_documentation() -> Result<()> {
    let pair = Pair::generate("k1")?;
    let jwks = json!({"keys": [pair.jwk, {"kty": "oct", "kid": "k2", "k": "AA"}]}).to_string();
    let feed = async |RawQuery(query): RawQuery| {
        assert!(query.is_some_and(|query| query.starts_with("after=")), "a cursor");
        json!({"cursor": 1, "more": false, "entries": [{"jti": "gone", "exp": u32::MAX}]}).to_string()
    };
    let documents =
        Router::new().route("/.well-known/jwks.json", get(async || jwks)).route("/revocations", get(feed));
    let Some(example) = Example::jwt(documents, with_everything).await? else { return Ok(()) };
    let token = example::token(&pair, &json!({}));
    for _ in 0..2 {
        assert_eq!(example.get("/items", &token).await?.status, 200);
    }
    assert_eq!(example.send("GET", "/dry", &[]).await?.status, 200);
    let revoked = example.get("/items", &example::token(&pair, &json!({"jti": "gone"}))).await?;
    assert_eq!(revoked.verdict(), "401 invalid-token");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    assert_eq!(example.send("POST", "/transfers", &headers).await?.verdict(), "400 malformed-body");
    let body = r#"{"amount": 50, "currency": "USD"}"#;
    assert_eq!(example.send_body("POST", "/transfers", &headers, body).await?.status, 200);

    let documented = documented(&["The jwt filter", "The amount filter"])?;
    until("all metrics of the documentation", async || {
        let exported = exported(&example.metrics().await?);
        // Gauges and the cache's counter are told once a second.
        let is_complete = documented.keys().all(|name| exported.contains_key(name));
        Ok(is_complete.then_some(()))
    })
    .await
    .context(example.metrics().await?)?;
    let text = example.metrics().await?;
    assert_eq!(exported(&text), documented, "left: Envoy, right: docs/metrics.md");
    let dry = metrics::sum(&text, "finpay_jwt_requests_total", &["would_deny", "missing_token"]);
    assert!(dry > 0.0, "{text}");
    for (verdict, reason, rule) in [
        ("allow", "ok", "transfer"),
        ("would_deny", "above_cap", "lower-cap"),
        ("deny", "empty_body", "transfer"),
        ("would_deny", "empty_body", "lower-cap"),
    ] {
        let labels = [("verdict", verdict), ("reason", reason), ("rule", rule)]
            .map(|(name, value)| format!("{name}=\"{value}\""));
        let labels = labels.each_ref().map(String::as_str);
        let count = metrics::sum(&text, "finpay_amount_requests_total", &labels);
        assert!((count - 1.0).abs() < f64::EPSILON, "{labels:?}: {count}\n{text}");
    }
    let bytes = metrics::sum(&text, "finpay_amount_body_bytes_total", &[]);
    assert_eq!(format!("{bytes}"), body.len().to_string(), "bytes of bodies judged");
    assert!(metrics::sum(&text, "finpay_jwt_revocations_entries", &["provider=\"idp\""]) > 0.0, "{text}");
    assert!(metrics::sum(&text, "finpay_jwt_cache_hits_total", &[]) >= 0.0);
    Ok(())
}

#[tokio::test]
async fn the_services_metrics_are_those_of_the_documentation() -> Result<()> {
    let Some(system) = System::from_env() else { return Ok(()) };
    system.new_user().await?;
    let documented = documented(&["The services"])?;
    let ours = |text: &String| {
        let mut families = exported(text);
        families.retain(|name, _| name.starts_with("finpay_http_"));
        families
    };
    let texts = metrics::scrape(&system.client, "auth-service", metrics::Source::Service).await?;
    let busiest = texts.iter().map(ours).max_by_key(Families::len).context("no replica of auth")?;
    assert_eq!(busiest, documented, "left: auth, right: docs/metrics.md");
    Ok(())
}
