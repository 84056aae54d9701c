//! RFC 9457 problem replies.

use abi::http;
use log::error;
use serde::Serialize;

/// The one content type of every refusal.
pub const CONTENT_TYPE: &str = "application/problem+json";
const BASE: &str = "https://finpay.example/problems/";

/// A refusal as the client sees it.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// HTTP status.
    pub status: u16,
    /// Last part of the problem's type URI, such as `invalid-amount`.
    pub code: &'a str,
    /// The same text for every problem of this code.
    pub title: &'a str,
    /// What was wrong this time; never a secret, never the client's own bytes.
    pub detail: &'a str,
    /// The single faults, where there are several.
    pub errors: &'a [FieldError<'a>],
}

/// One fault of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FieldError<'a> {
    /// JSON pointer to the place.
    pub pointer: &'a str,
    /// Machine-readable reason.
    pub code: &'a str,
    /// The reason for a reader.
    pub detail: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError<'a>],
}

/// Answers the request in Envoy's place. The filter must return `Action::Pause` after it, and reply only once. `details`
/// is for access logs (`%RESPONSE_CODE_DETAILS%`).
pub fn reply(problem: Problem<'_>, extra_headers: &[(&str, &str)], details: &str) {
    let body = body(problem);
    let mut headers = vec![("content-type", CONTENT_TYPE), ("cache-control", "no-store")];
    headers.extend_from_slice(extra_headers);
    if let Err(refused) = http::respond(problem.status, &headers, &body, details) {
        // The request stays paused and ends by Envoy's own timeout: closed, not open.
        error!("the host refused a {} reply: {refused:?}", problem.status);
    }
}

fn body(problem: Problem<'_>) -> Vec<u8> {
    let Problem { status, code, title, detail, errors } = problem;
    let body = Body { r#type: [BASE, code].concat(), title, status, detail, errors };
    // A struct of texts and numbers always serialises; an empty body is still a refusal.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_type_and_omits_empty_errors() {
        let problem = Problem { status: 401, code: "missing-token", title: "T", detail: "D", errors: &[] };
        let expected = r#"{"type":"https://finpay.example/problems/missing-token","title":"T","status":401,"detail":"D"}"#;
        assert_eq!(String::from_utf8(body(problem)).unwrap(), expected);
    }

    #[test]
    fn errors_keep_their_order_and_fields() {
        let errors = [FieldError { pointer: "/a", code: "range", detail: "too \"big\"" }];
        let problem =
            Problem { status: 422, code: "invalid-amount", title: "T", detail: "D", errors: &errors };
        let text = String::from_utf8(body(problem)).unwrap();
        assert!(text.ends_with(r#""errors":[{"pointer":"/a","code":"range","detail":"too \"big\""}]}"#));
    }
}
