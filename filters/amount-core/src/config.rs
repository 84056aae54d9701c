//! The plugin's configuration: refused as a whole, with the field's path, or right for good.

mod check;
pub mod raw;

pub use ::config::ConfigError;
use route::Match;

use self::raw::{Form, Unit};
use crate::money::Currency;
use crate::pattern::Pattern;
use crate::tree::Tree;

/// As many rules as a [`Guard`](crate::Guard) has bits.
pub const MAX_RULES: usize = 64;

/// A body limit where a rule names none.
pub const DEFAULT_BODY_BYTES: usize = 64 << 10;

/// The largest body limit.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The request header that tells the upstream of an amount that was judged. A client's own must be removed.
pub const VERIFIED_HEADER: &str = "x-amount-verified";

/// All rules of a filter or a service.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// Whether request headers are held back until the body is judged (Envoy's `allow_on_headers_stop_iteration`).
    pub hold_headers: bool,
    /// The response header in which a dry run tells what it would have refused, in lower case.
    pub dry_run_header: Option<String>,
    pub(crate) rules: Vec<Rule>,
    /// The words in headers that lift limits.
    pub(crate) lifts: Vec<LiftWord>,
    /// Whether some rule names hosts.
    pub(crate) matches_hosts: bool,
}

/// What some requests' bodies must be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its label in metrics.
    pub name: String,
    /// Whether it only counts what it would refuse.
    pub is_dry_run: bool,
    /// A longer body is refused unread.
    pub max_body_bytes: usize,
    /// How deep a body may nest.
    pub max_depth: usize,
    /// Which requests it is for.
    pub matches: Match,
    pub(crate) plan: Plan,
}

/// A rule's demands on a body.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) tree: Tree,
    pub(crate) allows_unknown: bool,
    pub(crate) same_currency: bool,
    /// The place of each slot: first the amounts, each at its own index, then counts, arrays and currencies.
    pub(crate) places: Vec<usize>,
    pub(crate) sources: Vec<Source>,
    pub(crate) amounts: Vec<Amount>,
    pub(crate) counts: Vec<Count>,
    pub(crate) arrays: Vec<Count>,
    pub(crate) sums: Vec<Sum>,
    pub(crate) at_most: Vec<AtMost>,
    /// The amount that the upstream is told of.
    pub(crate) verified: Option<usize>,
}

/// Where amounts have their currency from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) origin: Origin,
    /// Those that are taken; all, if there are none.
    pub(crate) allowed: Vec<Currency>,
}

/// What says the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The configuration.
    Fixed(Currency),
    /// The body.
    Body {
        /// Where.
        pattern: Pattern,
        /// The slot of that place.
        slot: usize,
        /// Of a body that says nothing.
        default: Option<Currency>,
    },
}

#[derive(Debug)]
pub(crate) struct Amount {
    pub(crate) pattern: Pattern,
    pub(crate) source: usize,
    pub(crate) unit: Unit,
    pub(crate) form: Form,
    pub(crate) min: i64,
    pub(crate) limits: Limits,
    /// A bit of [`Config::lifts`], and the limits that hold with it.
    pub(crate) lift: Option<(u64, Limits)>,
}

/// Upper limits in minor units.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) max: Option<i64>,
    pub(crate) caps: Vec<(Currency, i64)>,
}

impl Limits {
    /// The limit of a currency.
    pub(crate) fn of(&self, currency: Currency) -> Option<i64> {
        self.caps.iter().find(|(known, _)| *known == currency).map(|(_, cap)| *cap).or(self.max)
    }
}

#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) slot: usize,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) is_optional: bool,
}

/// A total and its parts, as indices of amounts; the quantity is one of counts.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(crate) total: usize,
    pub(crate) price: Option<usize>,
    pub(crate) quantity: Option<usize>,
    pub(crate) plus: Vec<usize>,
    pub(crate) minus: Vec<usize>,
}

/// Two amounts, by their indices.
#[derive(Debug)]
pub(crate) struct AtMost {
    pub(crate) amount: usize,
    pub(crate) limit: usize,
}

/// A word that lifts limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiftWord {
    /// In lower case.
    pub(crate) header: String,
    pub(crate) word: String,
}

impl Config {
    /// Reads and checks the rules. The error names the field.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        check::config(::config::parse::<raw::Config>(text, &raw::LISTS, &[])?)
    }

    /// Whether some rule has an amount of which the upstream is to be told.
    pub fn tells_amounts(&self) -> bool {
        self.rules.iter().any(|rule| rule.plan.verified.is_some())
    }

    /// All rules, in the configuration's order; a [`Ruling`](crate::Ruling) names one by its index.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}
