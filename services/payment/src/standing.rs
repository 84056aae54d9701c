//! Asks auth whether a payer may pay.

use amount_core::json;
use kit::amounts::{Reader, Total};
use kit::{Forward, Problem};
use reqwest::{Client, StatusCode, Url};

use crate::error::Error;

/// Auth's words are shorter.
const STANDING_LIMIT: usize = 64;

/// The auth service.
#[derive(Debug, Clone)]
pub(crate) struct Auth {
    client: Client,
    url: Url,
}

impl Auth {
    pub(crate) fn new(url: Url) -> Result<Self, Error> {
        if url.cannot_be_a_base() {
            return Err(Error::Config(format!("AUTH_URL: {url} is not a base address")));
        }
        Ok(Self { client: kit::client()?, url })
    }

    /// Whether this payer may pay this amount. A limit is compared in its own currency only: where the payment has
    /// another one, no rate is known here, so it is refused.
    pub(crate) async fn may_pay(&self, payer: &str, total: &Total, forward: &Forward) -> Result<(), Error> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["auth", "users", payer, "standing"]);
        }
        let response = forward.apply(self.client.get(url)).send().await;
        let response = response.map_err(|problem| Error::Auth(problem.without_url().to_string()))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Error::PayerFrozen),
            status => return Err(Error::Auth(format!("answered {status}"))),
        }
        let answer = kit::read_answer(response).await.map_err(Error::Auth)?;
        let (is_active, limit) = read(&answer)?;
        if !is_active {
            return Err(Error::PayerFrozen);
        }
        if limit.currency != total.currency || total.amount > limit.amount {
            return Err(Error::LimitExceeded);
        }
        Ok(())
    }
}

/// Whether the payer is active, and up to which limit. The limit is money, so it is read as a body that moves money is:
/// what could be read in two ways is no answer.
fn read(answer: &[u8]) -> Result<(bool, Total), Error> {
    let unusable = |problem: Problem| Error::Auth(format!("answered what cannot be used: {problem:?}"));
    let tree =
        json::parse(answer).map_err(|fault| Error::Auth(format!("answered no JSON: {}", fault.detail)))?;
    let answer = Reader::new(&tree);
    let standing = answer.text("/standing", STANDING_LIMIT).map_err(unusable)?;
    Ok((standing == "active", answer.total("/limit").map_err(unusable)?))
}
