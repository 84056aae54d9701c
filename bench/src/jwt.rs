//! `bench jwt`: this project's filter beside Envoy's own.

pub mod documents;
mod growth;
pub mod issuer;
mod main_table;
pub mod native;
pub mod ours;
mod refusals;

use anyhow::Result;
use clap::ValueEnum;

use crate::subject::Rig;
use crate::table::{Column, Figure, Table};
use issuer::Algorithm;

/// The path of every request.
const PATH: &str = "/payment/0193f0a2-5c1e-7b7a-9d55-0d6c7a6e2f13";
/// The prefix that the rules cover it by.
const PREFIX: &str = "/payment";

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// ES256: empty, thinnest Wasm, Envoy's own filter, this filter
    Es256,
    /// The same with RS256, 2048 bits
    Rs256,
    /// The same with EdDSA
    Eddsa,
    /// 1 to 100,000 distinct tokens, both filters with their cache
    Tokens,
    /// 1 to 100 keys in the set
    Keys,
    /// 1 to 100 rules
    Rules,
    /// 0 to 100,000 revocations
    Revocations,
    /// 1 and 2 workers
    Workers,
    /// Refusals: whether they tell by their time how much of a signature or of a kid was right
    Refusals,
}

/// The columns of all tables.
const COLUMNS: [Column; 3] = [
    Column { heading: "over empty", figure: Figure::OverEmpty },
    Column { heading: "of native", figure: Figure::OfBeside },
    Column { heading: "of native, filter alone", figure: Figure::OfBesideAlone },
];

/// Measures one table.
pub async fn table(rig: &Rig<'_>, name: Name) -> Result<Table> {
    match name {
        Name::Es256 => main_table::run(rig, Algorithm::Es256).await,
        Name::Rs256 => main_table::run(rig, Algorithm::Rs256).await,
        Name::Eddsa => main_table::run(rig, Algorithm::EdDsa).await,
        Name::Tokens => growth::tokens(rig).await,
        Name::Keys => growth::keys(rig).await,
        Name::Rules => growth::rules(rig).await,
        Name::Revocations => growth::revocations(rig).await,
        Name::Workers => growth::workers(rig).await,
        Name::Refusals => refusals::run(rig).await,
    }
}
