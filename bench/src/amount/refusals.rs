//! Orders that are refused: by their header fields, before the body is read, and by what is in them.
//!
//! Envoy ends an HTTP/1.1 connection when it answers before it has read the body. So the requests that are refused by
//! their headers, and those that the route itself answers beside them, each have a connection of their own.

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
/// About what a problem with one fault takes.
const PROBLEM_BYTES: usize = 330;

pub(super) async fn run(rig: &Rig<'_>) -> Result<Table> {
    let mut rows = rig.rows();
    let order = Order::of_bytes(BYTES)?.body()?;
    let too_large = Order::of_bytes(rule::BODY_LIMIT_BYTES + 1)?.body()?;
    let by_headers = [
        ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE, Traffic::post(PATH, order).of_type("text/plain")),
        ("a byte too long", StatusCode::PAYLOAD_TOO_LARGE, Traffic::post(PATH, too_large)),
    ];
    for (label, status, traffic) in by_headers {
        let common = unread(&named("direct answer", label), status, traffic.cut_short().answered(status));
        rows.empty(&common);
        rows.ours(&common, label, &common.empty, &rule::configuration(false)?);
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

/// A chain without a filter, which refuses everything when it has the headers: with as long a body as the filter does.
fn unread(empty: &str, status: StatusCode, traffic: Traffic) -> Common {
    let answer = Answer::Refusal(status.as_u16(), "x".repeat(PROBLEM_BYTES));
    Common { empty: empty.to_owned(), answer, ..common(traffic) }
}
