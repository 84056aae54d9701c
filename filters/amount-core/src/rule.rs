//! The rules: which routes move money, and what their bodies must be.

mod config;
mod judge;
mod select;

use std::collections::BTreeMap;

pub use ::config::ConfigError;

use crate::fault::Fault;
use crate::json::Value;
use crate::money::Currency;
use select::Pattern;

/// At most this many faults of one body are told.
pub const FAULTS_LIMIT: usize = 20;

/// A body limit where a rule names none.
pub const DEFAULT_BODY_BYTES: usize = 64 * 1024;

/// All rules of a filter or a service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether request headers are held back until the body is judged (Envoy's `allow_on_headers_stop_iteration`).
    pub hold_headers: bool,
    rules: Vec<Rule>,
}

/// What one route's bodies must be.
#[derive(Debug, Clone)]
pub struct Rule {
    /// For people.
    pub name: String,
    /// A longer body is refused unread.
    pub max_body_bytes: usize,
    methods: Vec<String>,
    path: Vec<Segment>,
    currency: CurrencyRule,
    amounts: Vec<AmountRule>,
    counts: Vec<CountRule>,
    arrays: Vec<CountRule>,
    sum: Option<SumRule>,
    fields: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exact(String),
    Any,
}

#[derive(Debug, Clone)]
struct CurrencyRule {
    pointer: String,
    default: Option<Currency>,
    allowed: Vec<Currency>,
}

#[derive(Debug, Clone)]
struct AmountRule {
    pattern: Pattern,
    min: i64,
    caps: BTreeMap<String, i64>,
    optional: bool,
}

#[derive(Debug, Clone)]
struct CountRule {
    pattern: Pattern,
    min: i64,
    max: i64,
}

#[derive(Debug, Clone)]
struct SumRule {
    items: String,
    price: String,
    quantity: String,
    total: String,
}

impl Config {
    /// Reads and checks the rules. The error names the field.
    pub fn from_json(text: &[u8]) -> Result<Self, ConfigError> {
        config::read(text)
    }

    /// The first rule of this method and path (without its query).
    pub fn find(&self, method: &str, path: &str) -> Option<&Rule> {
        let path = path.split('?').next().unwrap_or_default();
        self.rules.iter().find(|rule| rule.matches(method, path))
    }
}

impl Rule {
    fn matches(&self, method: &str, path: &str) -> bool {
        let known_method = self.methods.iter().any(|known| known == method);
        let Some(path) = path.strip_prefix('/').filter(|_| known_method) else { return false };
        let mut segments = path.split('/');
        let all = self.path.iter().all(|expected| match (segments.next(), expected) {
            (Some(segment), Segment::Exact(text)) => segment == text,
            (Some(segment), Segment::Any) => !segment.is_empty(),
            (None, _) => false,
        });
        all && segments.next().is_none()
    }

    /// Judges a body: all faults at once, at most [`FAULTS_LIMIT`].
    pub fn judge(&self, body: &Value<'_>) -> Result<(), Vec<Fault>> {
        judge::judge(self, body)
    }
}
