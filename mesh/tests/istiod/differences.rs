//! The comparison, and the table of differences that have a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use super::tree::{OTHER, TOPICS, Tree, topic};

/// What stands for a field that one side does not have.
const ABSENT: &str = "absent";

/// An entry of `differences.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Segments between `/`; `*` stands for any text within one, as it does in the two values.
    pub(crate) path: String,
    ours: String,
    istiod: String,
    reason: String,
}

impl Listed {
    /// An entry without a reason, for tests.
    pub(crate) fn new(path: &str, ours: &str, istiod: &str) -> Self {
        Self {
            path: path.to_owned(),
            ours: ours.to_owned(),
            istiod: istiod.to_owned(),
            reason: "test".to_owned(),
        }
    }

    fn explains(&self, path: &str, ours: &str, istiod: &str) -> bool {
        fits_path(&self.path, path) && fits(&self.ours, ours) && fits(&self.istiod, istiod)
    }
}

/// Fields counted by topic.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    equal: usize,
    explained: usize,
    unexplained: usize,
}

/// All proxies' fields, compared.
pub(crate) struct Comparison {
    listed: Vec<Listed>,
    used: BTreeSet<usize>,
    counts: BTreeMap<&'static str, Count>,
    unexplained: Vec<String>,
}

impl Comparison {
    /// Nothing compared yet.
    pub(crate) fn new(listed: &[Listed]) -> Self {
        Self {
            listed: listed.to_vec(),
            used: BTreeSet::new(),
            counts: BTreeMap::new(),
            unexplained: Vec::new(),
        }
    }

    /// Compares a part of one proxy's two configurations. What one side lacks entirely counts as one field.
    pub(crate) fn add(&mut self, path: &str, ours: Option<&Tree>, istiods: Option<&Tree>) {
        if let (Some(Tree::Branch(ours)), Some(Tree::Branch(istiods))) = (ours, istiods) {
            let keys: BTreeSet<&String> = ours.keys().chain(istiods.keys()).collect();
            for key in keys {
                self.add(&format!("{path}/{key}"), ours.get(key), istiods.get(key));
            }
            return;
        }
        let count = self.counts.entry(topic(path)).or_default();
        if ours == istiods {
            count.equal += 1;
            return;
        }
        let text = |side: Option<&Tree>| side.map_or_else(|| ABSENT.to_owned(), Tree::to_string);
        let (ours, istiod) = (text(ours), text(istiods));
        let entries = self.listed.iter().enumerate();
        let reasons = entries.filter(|(_, entry)| entry.explains(path, &ours, &istiod));
        let found: Vec<usize> = reasons.map(|(index, _)| index).collect();
        if found.is_empty() {
            count.unexplained += 1;
            self.unexplained.push(format!("{path}: ours {ours}, istiod {istiod}"));
        } else {
            count.explained += 1;
            self.used.extend(found);
        }
    }

    /// How many fields of a topic are the same on both sides.
    pub(crate) fn equal(&self, topic: &str) -> usize {
        self.counts.get(topic).map_or(0, |count| count.equal)
    }

    /// Differences without a reason, and entries that explain nothing.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.unexplained.clone();
        for (index, entry) in self.listed.iter().enumerate() {
            let Listed { path, ours, istiod, reason } = entry;
            if reason.trim().is_empty() {
                problems.push(format!("{path}: has no reason"));
            }
            if !self.used.contains(&index) {
                problems
                    .push(format!("{path}: is listed (ours {ours}, istiod {istiod}), but does not occur"));
            }
        }
        problems
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |topic: &str, count: Count| {
            let Count { equal, explained, unexplained } = count;
            let compared = equal + explained + unexplained;
            let rest = if unexplained == 0 { String::new() } else { format!(", {unexplained} unexplained") };
            writeln!(formatter, "{topic}: {compared} compared, {equal} equal, {explained} explained{rest}")
        };
        let mut all = Count::default();
        for topic in TOPICS.iter().chain(&[OTHER]) {
            let count = self.counts.get(topic).copied().unwrap_or_default();
            all.equal += count.equal;
            all.explained += count.explained;
            all.unexplained += count.unexplained;
            line(topic, count)?;
        }
        line(&format!("all, with {} reasons", self.listed.len()), all)
    }
}

fn fits_path(pattern: &str, path: &str) -> bool {
    let (patterns, segments): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    patterns.len() == segments.len()
        && patterns.iter().zip(&segments).all(|(pattern, segment)| fits(pattern, segment))
}

/// Whether a text is like a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
            ends.any(|index| fits(rest, &text[index..]))
        }),
    }
}
