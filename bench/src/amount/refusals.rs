//! Orders that are refused: by their header fields, before the body is read, and by what is in them.
//!
//! Envoy ends an HTTP/1.1 connection when it answers before it has read the body, or with 400. So the requests that are
//! refused by their headers, and those that the route itself answers beside them, each have a connection of their own.

use anyhow::Result;
use hyper::StatusCode;

use super::PATH;
use super::chains::{LUA, NOOP, common, lua};
use super::order::Order;
use super::rule;
use crate::rows::{Answer, Common, named};
use crate::subject::Rig;
use crate::table::{Column, Figure, Table};
use crate::traffic::Traffic;
use crate::wasm::Module;

const COLUMNS: [Column; 2] = [
    Column { heading: "over the row beside", figure: Figure::OverBeside },
    Column { heading: "of the row beside", figure: Figure::OfBeside },
];
const BYTES: usize = 1024;
/// A path that a lenient server could take for the rule's own.
const SPELLED: &str = "/order//create";

pub(super) async fn run(rig: &Rig<'_>) -> Result<Table> {
    let mut rows = rig.rows();
    let order = Order::of_bytes(BYTES)?.body()?;
    let too_large = Order::of_bytes(rule::BODY_LIMIT_BYTES + 1)?.body()?;
    let post = |path, body: &[u8]| Traffic::post(path, body.to_vec());
    // Each with the length of the filter's answer: a chain without a filter answers as much.
    let by_headers = [
        ("text/plain", post(PATH, &order).of_type("text/plain"), StatusCode::UNSUPPORTED_MEDIA_TYPE, 292),
        ("a byte too long", post(PATH, &too_large), StatusCode::PAYLOAD_TOO_LARGE, 216),
        ("another spelling of the path", post(SPELLED, &order), StatusCode::BAD_REQUEST, 354),
        ("no body", post(PATH, b""), StatusCode::BAD_REQUEST, 216),
    ];
    for (label, traffic, status, answer_bytes) in by_headers {
        let answer = Answer::Refusal(status.as_u16(), "x".repeat(answer_bytes));
        let empty = named("direct answer", label);
        let common = Common { empty, answer, ..common(traffic.cut_short().answered(status)) };
        rows.empty(&common);
        let least = Module::refusing(rig.folder, status.as_u16(), answer_bytes)?;
        rows.wasm(&common, &named("least Wasm that refuses", label), Some(&common.empty), &least);
        rows.ours(&common, label, &common.empty, &rule::configuration(false)?);
        let label = format!("{label}, headers held");
        rows.ours_held(&common, &label, &common.empty, &rule::configuration(true)?);
    }
    let wrong = Traffic::post(PATH, Order::of_bytes(BYTES)?.with_wrong_sum().body()?);
    let let_through = common(wrong.clone());
    rows.wasm(&let_through, NOOP, None, &Module::buffering(rig.folder)?);
    let refused = common(wrong.answered(StatusCode::UNPROCESSABLE_ENTITY));
    rows.native(&refused, &named(LUA, "a wrong sum"), Some(NOOP), lua());
    rows.ours(&refused, "a wrong sum", NOOP, &rule::configuration(false)?);
    let title =
        "Refusals: by headers beside a direct answer, by the body beside the least Wasm that buffers it";
    rig.measure(title, &COLUMNS, rows).await
}
