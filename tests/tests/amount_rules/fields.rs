//! The header fields that say what a body is.

use anyhow::Result;
use tests::amount::{Case, ORDER, ORDERS, Tools, judge_both_ways, order_rule, rules};
use tests::post::Post;

const WRONG_TYPE: &str = "415 unsupported-media-type: content_type";
const TWICE: &str = "415 unsupported-media-type: repeated_header";
const WRONG_CODING: &str = "415 unsupported-media-type: content_encoding";

/// Types that are JSON in UTF-8.
const GOOD: &[&str] = &[
    "application/json",
    "Application/JSON",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    "application/json \t; \tCharset=utf-8",
    "application/json; charset=\"utf-8\"",
    "application/json; charset=\"utf-8\"; x=\";\"",
    "application/json; x=\"a;charset=utf-16\"",
    "application/json; x=\"a\\\";charset=utf-16\"",
    "application/json; profile=\"https://a.example/x\"",
    "application/json;",
    "application/json; ; charset=utf-8",
];

/// Types that are not.
const BAD: &[&str] = &[
    "",
    " ",
    "text/plain",
    "text/json",
    "application/jsonx",
    "application/json+x",
    "application/problem+json",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/*",
    "*/*",
    "application",
    "application/json/",
    "application /json",
    "application/ json",
    "application/json application/json",
    "application/json, text/plain",
    "text/plain, application/json",
    "application/json,application/json",
    "text/plain; application/json",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "application/json; charset=utf8",
    "application/json; charset=",
    "application/json; charset=\"\"",
    "application/json; charset=\"UTF\\-8\"",
    "application/json; charset=\"utf-8",
    "application/json; charset=utf-8\"",
    "application/json; charset=\"utf-8\"x",
    "application/json; charset=\"utf-8\\\"",
    "application/json; charset=\"utf-16\"; x=\";charset=utf-8\"",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json; charset=utf-16; charset=utf-8",
    "application/json; charset=utf-8; charset=utf-8",
    "application/json; charset",
    "application/json; =utf-8",
    "application/json; char set=utf-8",
    "application/json; charset = utf-8",
    "application/json charset=utf-8",
    "application/json; charset='utf-8'",
    "application/json; x=a,text/plain",
    "application/json;\u{a0}charset=utf-8",
];

#[tokio::test]
async fn a_content_type_is_read_as_http_says() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let case = |value: &str, expected| {
        Case::new(format!("{value:?}"), Post::json(ORDERS, ORDER).content_type(value), expected)
    };
    let cases: Vec<_> = GOOD
        .iter()
        .map(|value| case(value, "200"))
        .chain(BAD.iter().map(|value| case(value, WRONG_TYPE)))
        .chain([case("application/json\u{b}", "400")])
        .chain([Case::new(
            "no text",
            Post::json(ORDERS, ORDER).content_type(b"application/json\xff"),
            WRONG_TYPE,
        )])
        .collect();
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

#[tokio::test]
async fn a_body_is_sent_as_it_is() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let coded = |value: &str, expected| {
        Case::new(format!("{value:?}"), Post::json(ORDERS, ORDER).with("content-encoding", value), expected)
    };
    let mut cases = vec![coded("identity", "200"), coded("Identity", "200"), coded(" identity ", "200")];
    for coding in [
        "gzip",
        "x-gzip",
        "br",
        "deflate",
        "zstd",
        "GZIP",
        "gzip, identity",
        "identity, gzip",
        "identity,identity",
        "none",
        "",
    ] {
        cases.push(coded(coding, WRONG_CODING));
    }
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}

/// Envoy joins the values by a comma before a filter sees them, and drops empty ones.
#[tokio::test]
async fn what_is_said_twice_is_refused() -> Result<()> {
    let Some(tools) = Tools::from_env() else { return Ok(()) };
    let post = || Post::json(ORDERS, ORDER);
    let cases = [
        Case::new("the same type", post().with("content-type", "application/json"), WRONG_TYPE),
        Case::new("another type", post().with("content-type", "text/plain"), WRONG_TYPE),
        Case::new(
            "another type first",
            post().content_type("text/plain").with("content-type", "application/json"),
            WRONG_TYPE,
        ),
        Case::new("in two spellings", post().with("Content-Type", "text/plain"), WRONG_TYPE),
        Case::new("an empty second type is dropped by Envoy", post().with("content-type", ""), "200"),
        Case::new(
            "two codings",
            post().with("content-encoding", "identity").with("content-encoding", "identity"),
            WRONG_CODING,
        ),
        // Some servers take `_` for `-`.
        Case::new("another name for it", post().with("content_type", "text/plain"), TWICE),
        Case::new("another name for the coding", post().with("content_encoding", "gzip"), TWICE),
    ];
    judge_both_ways(&tools, &rules(&[order_rule()]), &cases).await
}
