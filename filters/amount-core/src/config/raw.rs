//! The configuration as it is written: the source of its JSON Schema and of `docs/amount-filter.md`.

#![allow(missing_docs, reason = "each field's text is its description in the schema")]

mod caps;

use std::collections::BTreeMap;

use route::raw::Match;
use serde::Deserialize;

use self::caps::caps;

/// Fields that hold lists, somewhere.
pub const LISTS: [&str; 12] = [
    "allowed", "amounts", "arrays", "atMost", "counts", "fields", "hosts", "methods", "minus", "plus",
    "rules", "sums",
];

/// The amount filter's `pluginConfig` (on plain Envoy: the `StringValue` in `configuration`).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// True: request headers are held back until the body is judged. Only where Envoy's
    /// `allow_on_headers_stop_iteration` is set on the filter; default false.
    #[serde(default)]
    pub hold_headers: bool,
    /// A response header in which rules with `dryRun` say what they would have refused, such as `x-amount-dry-run`.
    pub dry_run_header: Option<String>,
    /// What bodies must be, 1 to 64 rules. All rules that match a request are judged.
    pub rules: Vec<Rule>,
}

/// What the bodies of some requests must be.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// Its label in metrics: 1 to 64 lower-case letters, digits and hyphens, unlike every other rule's.
    pub name: String,
    /// Which requests; `methods` must be there.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["methods"])))]
    pub r#match: Match,
    /// True: the rule counts what it would refuse (`verdict="would_deny"`), and lets it pass.
    #[serde(default)]
    pub dry_run: bool,
    /// A longer body is refused unread; default 65536, 1 to 1048576.
    pub max_body_bytes: Option<u64>,
    /// How deep the body may nest; default 32, 1 to 64.
    pub max_depth: Option<u64>,
    /// What becomes of fields that no pointer of this rule names; default `refuse`.
    #[serde(default)]
    pub unknown_fields: UnknownFields,
    /// The other fields that a body may have, as pointers, at most 1000: `*` is any item, and `**` at the end anything
    /// from there down.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The currency of all amounts that do not have their own.
    pub currency: Option<Currency>,
    /// True: all currencies of a body must be the same: those that it names, the defaults that apply and fixed ones.
    #[serde(default)]
    pub same_currency: bool,
    /// Amounts of money, 1 to 64.
    pub amounts: Vec<Amount>,
    /// Counts: whole numbers that are no money, at most 64.
    #[serde(default)]
    pub counts: Vec<Count>,
    /// Arrays, at most 64.
    #[serde(default)]
    pub arrays: Vec<Count>,
    /// Totals that must be the sum of their parts, at most 64.
    #[serde(default)]
    pub sums: Vec<Sum>,
    /// Amounts that must not be above another, at most 64.
    #[serde(default)]
    pub at_most: Vec<AtMost>,
    /// The pointer of an amount that the upstream is told of, once the body is judged, as
    /// `x-amount-verified: 12345;currency=USD;exponent=2`. Needs `holdHeaders`.
    pub verified: Option<String>,
}

/// What becomes of unknown fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum UnknownFields {
    /// The body is refused.
    #[default]
    Refuse,
    /// They are not looked at, unless they are known ones but for the case of letters.
    Allow,
}

/// A currency: either `pointer` or `fixed`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Currency {
    /// Where the body names it. Its stars must be those that the amounts begin with, so that each item's amount goes
    /// with that item's currency.
    pub pointer: Option<String>,
    /// The currency, whatever the body says.
    pub fixed: Option<String>,
    /// The currency where the body names none; default: it must name one. Only with `pointer`.
    pub default: Option<String>,
    /// The currencies that are taken; default: all payable ones of ISO 4217.
    pub allowed: Option<Vec<String>>,
}

/// An amount of money.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Amount {
    /// Where it is.
    pub pointer: String,
    /// What it counts; default `minor`.
    #[serde(default)]
    pub unit: Unit,
    /// How it is written; default `number` for minor and `string` for major units.
    pub form: Option<Form>,
    /// The least that it may be, in minor units; default 1. 0 allows zero.
    pub min: Option<u64>,
    /// The most that it may be, in minor units, where `caps` does not say otherwise; default 9007199254740991.
    pub max: Option<u64>,
    /// The most that it may be, in minor units, by currency. Without `max` every currency that can occur must be here.
    #[serde(default, deserialize_with = "caps")]
    pub caps: Option<BTreeMap<String, u64>>,
    /// True: it may be absent.
    #[serde(default)]
    pub optional: bool,
    /// Its own currency, in place of the rule's.
    pub currency: Option<Currency>,
    /// Higher limits for some callers.
    pub lift: Option<Lift>,
}

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// The currency's minor unit: 1050 is 10.50 US dollars.
    #[default]
    Minor,
    /// The currency's major unit, with at most as many decimals as it has: 10.50 is 10.50 US dollars.
    Major,
}

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// As a JSON number without exponent; in major units, below 10^15 minor units, which a double holds exactly.
    Number,
    /// As a JSON string of digits.
    String,
}

/// Limits in place of an amount's `max` and `caps`, where a request header holds a word: `max`, `caps` or both. Only a
/// header that callers cannot set should lift a limit, such as one of the jwt filter's.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Lift {
    /// The header, such as `x-jwt-scope`. One that comes more than once lifts nothing.
    pub header: String,
    /// The word, among those that spaces or commas separate.
    pub has: String,
    /// As for the amount.
    pub max: Option<u64>,
    /// As for the amount.
    #[serde(default, deserialize_with = "caps")]
    pub caps: Option<BTreeMap<String, u64>>,
}

/// How large a count may be, or how long an array.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Count {
    /// Where it is.
    pub pointer: String,
    /// The least; default 1.
    pub min: Option<u64>,
    /// The most.
    pub max: u64,
    /// True: it may be absent.
    #[serde(default)]
    pub optional: bool,
}

/// A total: all `items` and `plus` less all `minus`. Where it lies in array items, so must its parts, and each item's
/// total is that of the parts in the same item. An absent optional part counts as 0; an absent total is not compared.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Sum {
    /// The pointer of an amount.
    pub total: String,
    /// Prices, each times its quantity.
    pub items: Option<Items>,
    /// Pointers of amounts that are added.
    #[serde(default)]
    pub plus: Vec<String>,
    /// Pointers of amounts that are taken off.
    #[serde(default)]
    pub minus: Vec<String>,
}

/// The items of a total.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Items {
    /// The pointer of an amount, such as `/items/*/price`.
    pub price: String,
    /// The pointer of a count in the same item; default: each price counts once.
    pub quantity: Option<String>,
}

/// An amount that must not be above another one. If either is absent, they are not compared.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AtMost {
    /// The pointer of an amount.
    pub amount: String,
    /// The pointer of the amount that limits it: its stars must be those that the other begins with.
    pub limit: String,
}
