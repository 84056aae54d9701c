//! What comes of a request.

use crate::config::{Config, MAX_BODY_BYTES, Rule};
use crate::fault::{Code, FAULTS_LIMIT, Fault, Kind};
use crate::tree::bits;

/// The rules that apply to a request, and what holds for it: all that must be kept until its body is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Bits of the rules.
    pub(crate) rules: u64,
    /// Bits of the lifts that hold.
    pub(crate) lifts: u64,
    /// Bits of the dry-run rules that might be meant, by another reading of the path.
    pub(crate) doubtful: u64,
    /// The longest body that is worth buffering: a longer one is [`Config::too_large`].
    pub max_body_bytes: usize,
}

/// What a rule makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Allow,
    /// It is refused.
    Deny,
    /// It would be refused, but the rule only counts.
    WouldDeny,
}

impl Verdict {
    /// The label in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::WouldDeny => "would_deny",
        }
    }
}

/// What one rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// Its index in [`Config::rules`].
    pub rule: usize,
    /// What it makes of the request.
    pub verdict: Verdict,
    /// That of the first fault; none: it passes.
    pub code: Option<Code>,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What each rule says that has judged it, in the rules' order.
    pub rulings: Vec<Ruling>,
    /// Why it is refused, at most [`FAULTS_LIMIT`], the most telling first: its kind is the answer's. None: it is let
    /// through.
    pub faults: Vec<Fault>,
    /// What the first dry-run rule would have refused it for.
    pub would: Option<Code>,
    /// The amount that the upstream is told of, as an RFC 9651 item.
    pub verified: Option<String>,
}

impl Outcome {
    /// Whether nothing of it may go on.
    pub fn is_refused(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Adds what one rule says: nothing wrong, or its faults.
    pub(crate) fn add(&mut self, rule: usize, is_dry_run: bool, faults: Vec<Fault>) {
        let code = faults.first().map(|fault| fault.code);
        let verdict = match (code, is_dry_run) {
            (None, _) => Verdict::Allow,
            (Some(_), false) => Verdict::Deny,
            (Some(_), true) => Verdict::WouldDeny,
        };
        self.rulings.push(Ruling { rule, verdict, code });
        match verdict {
            Verdict::Allow => {}
            Verdict::WouldDeny => self.would = self.would.or(code),
            Verdict::Deny => {
                for fault in faults {
                    let is_told = |told: &Fault| told.code == fault.code && told.pointer == fault.pointer;
                    if !self.faults.iter().any(is_told) {
                        self.faults.push(fault);
                    }
                }
                // Or another order of the rules would be another status, and many small faults would hide it.
                self.faults.sort_by_key(|fault| fault.kind() == Kind::Invalid);
                self.faults.truncate(FAULTS_LIMIT);
            }
        }
    }
}

impl Config {
    /// The rules of these bits, each with its index.
    pub(crate) fn rules_of(&self, rules: u64) -> impl Iterator<Item = (usize, &Rule)> {
        bits(rules).filter_map(|index| Some((index, self.rules.get(index)?)))
    }

    /// The guard of these rules. A dry run's limits refuse nothing, so they count only where no other rule applies.
    pub(crate) fn guard(&self, rules: u64, lifts: u64) -> Guard {
        let limits = |is_dry_run: bool| {
            let rules = self.rules_of(rules).filter(move |(_, rule)| rule.is_dry_run == is_dry_run);
            rules.map(|(_, rule)| rule.max_body_bytes)
        };
        let max_body_bytes = limits(false).min().or(limits(true).max()).unwrap_or(MAX_BODY_BYTES);
        Guard { rules, lifts, doubtful: 0, max_body_bytes }
    }

    /// The outcome where a fault decides for all of these rules.
    pub(crate) fn outcome_of(&self, rules: u64, fault: &Fault) -> Outcome {
        let mut outcome = Outcome::default();
        for (index, rule) in self.rules_of(rules) {
            outcome.add(index, rule.is_dry_run, vec![fault.clone()]);
        }
        outcome
    }

    /// The outcome of a body longer than the guard's limit.
    pub fn too_large(&self, guard: Guard) -> Outcome {
        let mut outcome = Outcome::default();
        for (index, rule) in self.rules_of(guard.rules) {
            if rule.max_body_bytes <= guard.max_body_bytes {
                outcome.add(index, rule.is_dry_run, vec![too_large_body(rule.max_body_bytes)]);
            }
        }
        outcome
    }

    /// The outcome of a guarded request that cannot be read.
    pub fn unreadable(&self, guard: Guard) -> Outcome {
        self.outcome_of(guard.rules, &unreadable())
    }

    /// The outcome of a request whose header fields cannot be read, so that nobody knows whether a rule guards it.
    pub fn unreadable_headers(&self) -> Outcome {
        let (faults, would) = if self.rules.iter().all(|rule| rule.is_dry_run) {
            (Vec::new(), Some(Code::Unreadable))
        } else {
            (vec![unreadable()], None)
        };
        Outcome { faults, would, ..Outcome::default() }
    }
}

pub(crate) fn unreadable() -> Fault {
    Fault::whole(Code::Unreadable, "The request cannot be read.")
}

pub(crate) fn too_large_body(limit: usize) -> Fault {
    Fault::whole(Code::TooLargeBody, ["At most ", &limit.to_string(), " bytes."].concat())
}
