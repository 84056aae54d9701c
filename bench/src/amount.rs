//! `bench amount`: this project's filter for payment amounts beside a filter that only buffers, and Envoy's Lua.

pub mod chains;
pub mod order;
mod orders;
mod refusals;
pub mod rule;

use anyhow::Result;
use clap::ValueEnum;

use crate::subject::Rig;
use crate::table::{Column, Figure, Table};

/// The path of every request.
const PATH: &str = "/order/create";
/// The columns of the tables of orders that pass.
const COLUMNS: [Column; 3] = [
    Column { heading: "over empty", figure: Figure::OverEmpty },
    Column { heading: "over no-op", figure: Figure::OverBeside },
    Column { heading: "ns/byte over no-op", figure: Figure::PerByte },
];

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Orders of 0.2 KiB: empty, Envoy's buffer, Wasm that buffers, Envoy's Lua, this filter
    #[value(name = "0.2kib")]
    Fifth,
    /// The same with 1 KiB
    #[value(name = "1kib")]
    One,
    /// The same with 8 KiB
    #[value(name = "8kib")]
    Eight,
    /// The same with 64 KiB, the largest that the rule takes
    #[value(name = "64kib")]
    SixtyFour,
    /// 1 KiB, and a real upstream behind all chains: warm caches are then rarer
    Upstream,
    /// 1 to 1,000 items in 64 KiB
    Items,
    /// Refusals: by headers beside a direct answer, by the body beside Wasm that buffers
    Refusals,
}

/// Measures one table.
pub async fn table(rig: &Rig<'_>, name: Name) -> Result<Table> {
    match name {
        Name::Fifth => orders::of_size(rig, 205).await,
        Name::One => orders::of_size(rig, 1024).await,
        Name::Eight => orders::of_size(rig, 8 * 1024).await,
        Name::SixtyFour => orders::of_size(rig, 64 * 1024).await,
        Name::Upstream => orders::before_upstream(rig, 1024).await,
        Name::Items => orders::of_items(rig).await,
        Name::Refusals => refusals::run(rig).await,
    }
}
