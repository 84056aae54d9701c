//! What is sent: the same request again and again, with one token after another where it carries tokens.

use anyhow::{Context as _, Result, bail};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};

/// What a client of FinPay sends beside its token.
const HEADERS: [(&str, &str); 9] = [
    ("host", "payment-service.finpay.svc.cluster.local:3002"),
    ("user-agent", "finpay-bench/0.1"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("content-type", "application/json"),
    ("x-request-id", "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f10"),
    ("x-forwarded-for", "203.0.113.7"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("idempotency-key", "0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f11"),
];

/// The requests to one chain, and how it has to answer them.
#[derive(Debug, Clone)]
pub struct Traffic {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    tokens: Vec<HeaderValue>,
    body: Bytes,
    expected: StatusCode,
    is_cut_short: bool,
}

impl Traffic {
    /// GET of this path, with these tokens in turn.
    pub fn get(path: &'static str, tokens: &[String]) -> Result<Self> {
        let tokens = tokens.iter().map(|token| HeaderValue::try_from(format!("Bearer {token}")));
        let tokens = tokens.collect::<Result<Vec<_>, _>>().context("a token is no header value")?;
        if tokens.is_empty() {
            bail!("a traffic needs a token");
        }
        Ok(Self { tokens, ..Self::new(Method::GET, path, Bytes::new()) })
    }

    /// POST of this JSON to this path, without a token.
    pub fn post(path: &'static str, body: Vec<u8>) -> Self {
        Self::new(Method::POST, path, body.into())
    }

    fn new(method: Method, path: &'static str, body: Bytes) -> Self {
        let headers = HEADERS
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let uri = Uri::from_static(path);
        Self { method, uri, headers, tokens: Vec::new(), body, expected: StatusCode::OK, is_cut_short: false }
    }

    /// The same, to be answered with this status.
    #[must_use]
    pub fn answered(self, expected: StatusCode) -> Self {
        Self { expected, ..self }
    }

    /// The same, under another media type.
    #[must_use]
    pub fn of_type(mut self, media_type: &'static str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self
    }

    /// The same, answered before the body has been read. Envoy then ends an HTTP/1.1 connection, so each request gets
    /// one of its own.
    #[must_use]
    pub fn cut_short(self) -> Self {
        Self { is_cut_short: true, ..self }
    }

    /// The status that every answer must have: the time of any other says nothing.
    pub fn expected(&self) -> StatusCode {
        self.expected
    }

    /// Whether each request needs a connection of its own.
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// How many requests differ.
    pub fn distinct(&self) -> u64 {
        self.tokens.len().max(1) as u64
    }

    /// The length of each body.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// The request of this number.
    pub fn request(&self, number: u64) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        request.method_mut().clone_from(&self.method);
        request.uri_mut().clone_from(&self.uri);
        request.headers_mut().clone_from(&self.headers);
        let turn = usize::try_from(number % self.distinct())?;
        if let Some(token) = self.tokens.get(turn) {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use hyper::body::Body as _;

    use super::*;

    #[test]
    fn tokens_have_their_turn() -> Result<()> {
        let traffic = Traffic::get("/payment", &["one".to_owned(), "two".to_owned()])?;
        let sent = |number| Ok::<_, anyhow::Error>(traffic.request(number)?.headers()[AUTHORIZATION].clone());
        assert_eq!([sent(0)?, sent(1)?, sent(2)?], ["Bearer one", "Bearer two", "Bearer one"]);
        // Or it would be sent with a length.
        assert!(traffic.request(0)?.body().is_end_stream());
        Ok(())
    }

    #[test]
    fn a_body_keeps_its_type_unless_told_otherwise() -> Result<()> {
        let traffic = Traffic::post("/order/create", b"{}".to_vec());
        assert_eq!(traffic.request(7)?.headers()[CONTENT_TYPE], "application/json");
        assert!(!traffic.request(7)?.headers().contains_key(AUTHORIZATION));
        assert_eq!(traffic.of_type("text/plain").request(7)?.headers()[CONTENT_TYPE], "text/plain");
        Ok(())
    }
}
