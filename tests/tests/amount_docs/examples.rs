//! The worked examples: each configuration with its bodies, those that pass and those that are refused.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;
use tests::Answer;

use crate::example::Example;
use crate::example::api::Api;
use crate::example::document::{self, Block};
use crate::{CONFIGURATION, FILE, assert_count, start};

/// One request of the document: `json POST /payment 200`, and maybe a header.
struct Case<'a> {
    block: &'a Block,
    method: &'a str,
    path: &'a str,
    status: u16,
    header: Option<(&'a str, &'a str)>,
}

impl<'a> Case<'a> {
    /// `None`: the block is no request.
    fn new(block: &'a Block) -> Result<Option<Self>> {
        let mut words = block.label.splitn(5, ' ');
        let (Some("json"), Some(method), Some(path), Some(status)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let status = status.parse().with_context(|| block.place.clone())?;
        let header = words.next().and_then(|header| header.split_once(": "));
        assert_eq!(status == 200, block.rows.is_empty(), "{}: a table of faults, or none", block.place);
        Ok(Some(Self { block, method, path, status, header }))
    }

    async fn send(&self, example: &Example) -> Result<Answer> {
        example.send_body(self.method, self.path, self.header.as_slice(), &self.block.text).await
    }

    fn check(&self, answer: &Answer) {
        let place = &self.block.place;
        assert_eq!(answer.status.as_u16(), self.status, "{place}: {answer:?}");
        if self.status == 200 {
            assert_eq!(answer.body["body"], self.block.text.as_str(), "{place}: byte for byte");
            return;
        }
        let problem = if self.status == 400 { "malformed-body" } else { "invalid-amount" };
        assert_eq!(answer.problem(), problem, "{place}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{place}");
        let errors = answer.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or("?").to_owned();
        let told = |error| ["pointer", "code", "detail"].map(|name| text(error, name)).to_vec();
        let told: Vec<Vec<String>> = errors.iter().map(told).collect();
        assert_eq!(told, self.block.rows, "{place}: left: Envoy, right: the document");
    }
}

/// The example under this heading, both ways; it has so many requests that pass, and so many that do not.
async fn works(heading: &str, passing: usize, refused: usize) -> Result<()> {
    let blocks: Vec<Block> =
        document::blocks(FILE)?.into_iter().filter(|block| block.heading == heading).collect();
    let configuration = blocks.iter().find(|block| block.label == CONFIGURATION);
    let configuration = configuration.with_context(|| format!("{heading}: no `{CONFIGURATION}`"))?;
    let configuration: Value = serde_saphyr::from_str(&configuration.text)?;
    let cases: Vec<Case> =
        blocks.iter().filter_map(|block| Case::new(block).transpose()).collect::<Result<_>>()?;
    let passes = cases.iter().filter(|case| case.status == 200).count();
    assert_eq!((passes, cases.len() - passes), (passing, refused), "{heading}: the document's requests");
    for holds_headers in [true, false] {
        let api = Arc::new(Api::default());
        let Some(example) = start(&api, &configuration, holds_headers).await? else { return Ok(()) };
        for case in &cases {
            case.check(&case.send(&example).await?);
        }
        assert_eq!(api.complete(), passing, "{heading}: what reached the service");
        assert!(!holds_headers || api.begun() == passing, "{heading}: headers of {} requests", api.begun());
        let text = example.metrics().await?;
        assert_count(&text, &["verdict=\"allow\"", "reason=\"ok\""], passing);
        for case in cases.iter().filter(|case| case.status != 200) {
            let code = &case.block.rows[0][1];
            let equal =
                cases.iter().filter(|case| case.block.rows.first().is_some_and(|row| row[1] == *code));
            assert_count(&text, &["verdict=\"deny\"", &format!("reason=\"{code}\"")], equal.count());
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_order_and_its_payment() -> Result<()> {
    works("An order and its payment", 3, 4).await
}

#[tokio::test]
async fn decimals() -> Result<()> {
    works("Decimals", 2, 5).await
}

#[tokio::test]
async fn a_batch_of_payouts() -> Result<()> {
    works("A batch of payouts", 1, 2).await
}

#[tokio::test]
async fn caps_by_currency() -> Result<()> {
    works("Caps by currency, and who may exceed them", 3, 3).await
}

#[tokio::test]
async fn a_payment_page() -> Result<()> {
    works("A payment page", 2, 3).await
}
