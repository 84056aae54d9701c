//! Orders that pass: of several sizes, and of several numbers of items.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

use super::chains::{LUA, NOOP, buffers, common, lua};
use super::order::Order;
use super::rule;
use super::{COLUMNS, PATH};
use crate::origin::Origin;
use crate::rows::{Answer, Common, counted, named};
use crate::subject::Rig;
use crate::table::Table;
use crate::traffic::Traffic;

/// As large as the largest that the rule takes, but for one byte.
const LARGEST_BYTES: usize = rule::BODY_LIMIT_BYTES - 1;
const ITEMS: [usize; 4] = [1, 10, 100, 1000];

/// One size, with items as clients send them.
pub(super) async fn of_size(rig: &Rig<'_>, bytes: usize) -> Result<Table> {
    let order = Order::of_bytes(bytes.min(LARGEST_BYTES))?;
    let common = common(Traffic::post(PATH, order.body()?));
    let title = format!("Orders of {} bytes, {}", order.body()?.len(), counted(order.items(), "item"));
    one_by_one(rig, &title, &common).await
}

/// The same with a service behind Envoy, which reads the body and answers. Between two requests Envoy then does more
/// than what is measured, and the filters find its caches colder.
pub(super) async fn before_upstream(rig: &Rig<'_>, bytes: usize) -> Result<Table> {
    let order = Order::of_bytes(bytes)?;
    let service = Origin::start(Router::new().route(PATH, post(async |_: Bytes| ()))).await?;
    let answer = Answer::Upstream(service.address());
    let common = Common { answer, ..common(Traffic::post(PATH, order.body()?)) };
    let title = format!("Orders of {bytes} bytes, {}, to an upstream", counted(order.items(), "item"));
    one_by_one(rig, &title, &common).await
}

async fn one_by_one(rig: &Rig<'_>, title: &str, common: &Common) -> Result<Table> {
    let mut rows = rig.rows();
    buffers(rig, &mut rows, common)?;
    rows.native(common, LUA, Some(NOOP), lua());
    rows.ours(common, "", NOOP, &rule::configuration(false)?);
    rows.ours_held(common, "headers held", NOOP, &rule::configuration(true)?);
    rig.measure(title, &COLUMNS, rows).await
}

/// One size, with few items and with many.
pub(super) async fn of_items(rig: &Rig<'_>) -> Result<Table> {
    let mut rows = rig.rows();
    for items in ITEMS {
        let order = Order::of_items(items, LARGEST_BYTES)?;
        let common = common(Traffic::post(PATH, order.body()?));
        if items == ITEMS[0] {
            // Nobody here looks into the body.
            buffers(rig, &mut rows, &common)?;
        }
        let label = counted(items, "item");
        rows.native(&common, &named(LUA, &label), Some(NOOP), lua());
        rows.ours(&common, &label, NOOP, &rule::configuration(false)?);
    }
    let title = format!("Orders of {LARGEST_BYTES} bytes each, of few items with long ids or of many");
    rig.measure(&title, &COLUMNS, rows).await
}
