//! Asks auth whether a payer may pay.

use kit::Forward;
use kit::amounts::Total;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use crate::error::Error;

/// Auth's answer, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Standing {
    standing: String,
    limit: Limit,
}

#[derive(Debug, Deserialize)]
struct Limit {
    amount: i64,
    currency: String,
}

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
        let unavailable = |problem: reqwest::Error| Error::Auth(problem.without_url().to_string());
        let response = forward.apply(self.client.get(url)).send().await.map_err(unavailable)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Error::PayerFrozen),
            status => return Err(Error::Auth(format!("answered {status}"))),
        }
        let Standing { standing, limit } = response.json().await.map_err(unavailable)?;
        if standing != "active" {
            return Err(Error::PayerFrozen);
        }
        if limit.currency != total.currency || total.amount > limit.amount {
            return Err(Error::LimitExceeded);
        }
        Ok(())
    }
}
