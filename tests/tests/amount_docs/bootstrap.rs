//! The complete Envoy, and what the document says of it.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::example::api::Api;
use crate::example::{Example, SERVICE_PORT, document};
use crate::{CONFIGURATION, FILE, FILTER, assert_count, configure, start};

#[tokio::test]
async fn the_complete_example_does_what_it_says() -> Result<()> {
    let api = Arc::new(Api::default());
    let servers = vec![(SERVICE_PORT, api.router())];
    let Some(example) = Example::start(FILE, servers, |_| {}).await? else { return Ok(()) };
    let verified = "x-amount-verified";

    let body = r#"{ "amount": 850, "currency": "EUR", "reference": "A-7" }"#;
    let answer =
        example.send_body("POST", "/checkout", &[(verified, "1;currency=EUR;exponent=2")], body).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["body"], body);
    let header = document::block(FILE, "text x-amount-verified")?.replace("USD", "EUR");
    assert_eq!(format!("{verified}: {}", answer.body["headers"][verified].as_str().unwrap_or("?")), header);

    let refused = body.replace("850", "1000001");
    let answer = example.send_body("POST", "/checkout", &[], &refused).await?;
    let documented: Value = serde_json::from_str(&document::block(FILE, "json answer")?)?;
    assert_eq!(answer.body, documented, "right: the document");
    assert_eq!(answer.header("cache-control"), "no-store");
    for (headers, body, verdict, code) in [
        ([("content-type", "text/plain")], body.to_owned(), "415 unsupported-media-type", "content_type"),
        ([("content-encoding", "gzip")], body.to_owned(), "415 unsupported-media-type", "content_encoding"),
        ([("x-large", "1")], " ".repeat(65_537), "413 body-too-large", "too_large_body"),
        ([("x-empty", "1")], String::new(), "400 malformed-body", "empty_body"),
        ([("x-null", "1")], "null".to_owned(), "422 invalid-amount", "not_an_object"),
    ] {
        let answer = example.send_body("POST", "/checkout", &headers, &body).await?;
        assert_eq!(answer.verdict(), verdict, "{answer:?}");
        assert_eq!(answer.body["errors"][0]["code"], code, "{answer:?}");
    }
    assert_eq!((api.begun(), api.complete()), (1, 1), "what reached the service");

    // A route that no rule matches: any body, and still no copy of the client's own.
    let answer =
        example.send_body("PUT", "/notes", &[(verified, "1"), ("content-type", "text/plain")], "-1").await?;
    assert_eq!((answer.status.as_u16(), &answer.body["body"]), (200, &json!("-1")));
    assert_eq!(answer.body["headers"][verified], Value::Null, "a client's own copy");
    let answer = example.send("GET", "/checkout", &[(verified, "1")]).await?;
    assert_eq!((answer.status.as_u16(), &answer.body["headers"][verified]), (200, &Value::Null));

    let text = example.metrics().await?;
    assert_count(&text, &["verdict=\"allow\"", "reason=\"ok\"", "rule=\"checkout\""], 1);
    assert_count(&text, &["verdict=\"deny\"", "reason=\"above_cap\"", "rule=\"checkout\""], 1);
    Ok(())
}

#[tokio::test]
async fn verified_amounts_need_held_headers() -> Result<()> {
    let bootstrap: Value = serde_saphyr::from_str(&document::block(FILE, "yaml envoy")?)?;
    let text = bootstrap.pointer(&format!("{FILTER}/configuration/value")).and_then(Value::as_str);
    let configuration: Value = serde_json::from_str(text.context("no configuration")?)?;
    let api = Arc::new(Api::default());
    let Some(example) = start(&api, &configuration, false).await? else { return Ok(()) };
    let body = r#"{"amount": 850, "currency": "EUR"}"#;
    let headers = [("x-amount-verified", "1"), ("X-Amount-Verified", "2")];
    let answer = example.send_body("POST", "/checkout", &headers, body).await?;
    assert_eq!((answer.status.as_u16(), &answer.body["headers"]["x-amount-verified"]), (200, &Value::Null));
    let log = example.log()?;
    let warnings = log.lines().filter(|line| line.contains("verified") && line.contains("holdHeaders"));
    assert!(warnings.count() > 0, "{log}");
    Ok(())
}

#[tokio::test]
async fn envoy_has_a_limit_of_its_own() -> Result<()> {
    let rule = json!({
        "name": "large",
        "match": {"methods": ["POST"], "path": {"exact": "/large"}},
        "maxBodyBytes": 1_048_576,
        "currency": {"fixed": "EUR"},
        "amounts": [{"pointer": "/amount"}],
    });
    let text = r#"{"amount": 1}"#;
    let body = |bytes: usize| text.to_owned() + &" ".repeat(bytes - text.len());
    for (limit, bytes, expected, answers_itself) in [
        (None, 1_048_576, "200", false),
        (None, 1_048_577, "413 body-too-large", false),
        (Some(40_000), 40_000, "200", false),
        (Some(40_000), 100_000, "413", true),
    ] {
        let api = Arc::new(Api::default());
        let edit = |bootstrap: &mut Value| {
            configure(bootstrap, &json!({"rules": [rule]}), true);
            if let Some(bytes) = limit {
                let listener = &mut bootstrap["static_resources"]["listeners"][0];
                listener["per_connection_buffer_limit_bytes"] = json!(bytes);
            }
        };
        let servers = vec![(SERVICE_PORT, api.router())];
        let Some(example) = Example::start(FILE, servers, edit).await? else { return Ok(()) };
        let answer = example.send_body("POST", "/large", &[], &body(bytes)).await?;
        assert_eq!(answer.verdict(), expected, "{limit:?}, {bytes}: {answer:?}");
        assert_eq!(answer.header("content-type") == "text/plain", answers_itself, "{answer:?}");
        assert_eq!(api.begun(), usize::from(expected == "200"), "{limit:?}, {bytes}");
    }
    Ok(())
}

#[tokio::test]
async fn the_dry_run_only_counts() -> Result<()> {
    let blocks = document::blocks(FILE)?;
    let block = blocks.iter().find(|block| block.heading == "Dry run" && block.label == CONFIGURATION);
    let configuration: Value = serde_saphyr::from_str(&block.context("no configuration")?.text)?;
    let api = Arc::new(Api::default());
    let Some(example) = start(&api, &configuration, true).await? else { return Ok(()) };
    let header = configuration["dryRunHeader"].as_str().context("no dryRunHeader")?;
    for (body, code) in [
        (r#"{"amount": 5, "currency": "EUR", "more": 1}"#, ""),
        (r#"{"amount": 1000001, "currency": "EUR"}"#, "above_cap"),
        (r#"{"amount": "#, "syntax"),
    ] {
        let answer = example.send_body("POST", "/checkout", &[], body).await?;
        assert_eq!((answer.status.as_u16(), &answer.body["body"]), (200, &json!(body)));
        assert_eq!(answer.header(header), code, "{body}");
    }
    let answer = example.send_body("POST", "/checkout", &[("content-type", "text/plain")], "-1").await?;
    assert_eq!((answer.status.as_u16(), answer.header(header)), (200, "content_type"));
    let text = example.metrics().await?;
    assert_count(&text, &["verdict=\"would_deny\"", "reason=\"above_cap\"", "rule=\"checkout-trial\""], 1);
    assert_count(&text, &["verdict=\"would_deny\""], 3);
    assert_count(&text, &["verdict=\"allow\""], 1);
    Ok(())
}

#[tokio::test]
async fn the_wasm_plugins_configuration_is_one() -> Result<()> {
    let plugin: Value = serde_saphyr::from_str(&document::block(FILE, "yaml wasm-plugin")?)?;
    let api = Arc::new(Api::default());
    let Some(example) = start(&api, &plugin["spec"]["pluginConfig"], false).await? else { return Ok(()) };
    let body = r#"{"amount": 1000000, "currency": "JPY", "reference": "A-7"}"#;
    assert_eq!(example.send_body("POST", "/checkout", &[], body).await?.status, 200);
    let answer = example.send_body("POST", "/checkout", &[], &body.replace("JPY", "USD")).await?;
    assert_eq!(answer.verdict(), "422 invalid-amount");
    assert_eq!(api.complete(), 1);
    Ok(())
}
