//! A body against the rules of its request.

mod amounts;
mod currencies;
mod found;
mod notes;
mod places;
mod relations;
mod walk;

use self::found::Found;
use self::notes::Notes;
use self::walk::{Walk, Walks};
use crate::admit::doubtful;
use crate::config::{Config, Plan, Rule};
use crate::fault::{Code, FAULTS_LIMIT, Fault};
use crate::json::{self, Keys, reader};
use crate::money::Currency;
use crate::outcome::{Guard, Outcome, too_large_body, unreadable};
use crate::pattern::{Indices, Pattern};
use crate::tree::Node;

/// More memory than this is given back after a body.
const KEPT_BYTES: usize = 256 << 10;

/// How many values are noted of one body, over all of its rules.
const NOTED_LIMIT: usize = 65_536;

/// What judging needs memory for. It is kept from body to body, so that one that passes costs next to no allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    keys: Keys,
    notes: Vec<Notes>,
    /// See [`Judge::buffer`].
    buffer: String,
}

impl Scratch {
    fn give_back(&mut self) {
        let notes = self.notes.iter().map(Notes::capacity);
        let others = self.keys.capacity().saturating_add(self.buffer.capacity());
        let held = notes.fold(others, usize::saturating_add);
        if held > KEPT_BYTES {
            *self = Self::default();
        }
    }
}

impl Config {
    /// Judges a whole body.
    pub fn judge(&self, guard: Guard, body: &[u8], scratch: &mut Scratch) -> Outcome {
        if body.len() > guard.max_body_bytes {
            return self.too_large(guard);
        }
        // Only a dry run's limit can be below the guard's.
        let (judging, exceeded): (Vec<_>, Vec<_>) =
            self.rules_of(guard.rules).partition(|(_, rule)| body.len() <= rule.max_body_bytes);
        let Scratch { keys, notes, buffer } = scratch;
        notes.resize_with(judging.len().max(notes.len()), Notes::default);
        let mut outcome = Outcome::default();
        for (index, rule) in exceeded {
            outcome.add(index, rule.is_dry_run, vec![too_large_body(rule.max_body_bytes)]);
        }
        let text = read(body, &judging, keys, notes);
        for ((index, rule), notes) in judging.iter().zip(&*notes) {
            let faults = match &text {
                Ok(text) => {
                    let mut judge = Judge::new(rule, notes, text, buffer, guard.lifts);
                    judge.judge();
                    if outcome.verified.is_none() && !rule.is_dry_run && judge.faults.is_empty() {
                        outcome.verified = judge.verified();
                    }
                    judge.faults
                }
                Err(fault) => vec![fault.clone()],
            };
            outcome.add(*index, rule.is_dry_run, faults);
        }
        for (index, rule) in self.rules_of(guard.doubtful) {
            outcome.add(index, rule.is_dry_run, vec![doubtful()]);
        }
        if outcome.rulings.is_empty() {
            // A guard of another configuration: nothing passes unjudged.
            outcome.faults.push(unreadable());
        }
        outcome.rulings.sort_by_key(|ruling| ruling.rule);
        outcome.verified = outcome.verified.filter(|_| outcome.faults.is_empty());
        scratch.give_back();
        outcome
    }
}

/// Reads the body once for all of these rules.
fn read<'b>(
    body: &'b [u8],
    rules: &[(usize, &Rule)],
    keys: &mut Keys,
    notes: &mut [Notes],
) -> Result<&'b str, Fault> {
    let text = json::utf8(body)?;
    let depth = rules.iter().map(|(_, rule)| rule.max_depth).max().unwrap_or_default();
    // With all rules that there can be, it is still 1024 for each. Dry runs take nothing from those that enforce.
    let enforcing = rules.iter().filter(|(_, rule)| !rule.is_dry_run).count();
    let limit = |rule: &Rule| {
        let sharing = if rule.is_dry_run { rules.len() } else { enforcing };
        NOTED_LIMIT.checked_div(sharing).unwrap_or_default()
    };
    let mut walks = rules.iter().zip(notes).map(|((_, rule), notes)| Walk::new(rule, notes, limit(rule)));
    // Without one, a dry run's limit has said all that there is to say.
    if let Some(first) = walks.next() {
        let mut walks = Walks { first, others: walks.collect() };
        reader::read(text, depth, keys, &mut walks).map_err(|fault| match fault.code {
            Code::DuplicateKey => Fault { pointer: walks.pointer(), ..fault },
            _ => fault,
        })?;
    }
    Ok(text)
}

/// One rule's judgement of a body.
struct Judge<'j> {
    plan: &'j Plan,
    max_depth: usize,
    notes: &'j Notes,
    body: &'j str,
    /// What an escaped string says, the last that was looked at.
    buffer: &'j mut String,
    lifts: u64,
    faults: Vec<Fault>,
    /// Bits of the rule's arrays that are too long: nothing in them is judged.
    too_long: u64,
    /// Bits of amounts and of counts with a fault, so that nothing is compared with them.
    unsound_amounts: u64,
    unsound_counts: u64,
    /// The last currency that was read, for each source.
    currencies: Vec<Option<(Indices, Option<Currency>)>>,
}

impl<'j> Judge<'j> {
    fn new(rule: &'j Rule, notes: &'j Notes, body: &'j str, buffer: &'j mut String, lifts: u64) -> Self {
        Self {
            plan: &rule.plan,
            max_depth: rule.max_depth,
            notes,
            body,
            buffer,
            lifts,
            faults: Vec::new(),
            too_long: 0,
            unsound_amounts: 0,
            unsound_counts: 0,
            currencies: vec![None; rule.plan.sources.len()],
        }
    }

    /// All that is wrong, the most telling first: the first fault's code is the one that metrics count.
    fn judge(&mut self) {
        if let Some(at) = self.notes.too_deep {
            self.faults.push(Fault::too_deep(at, self.max_depth));
            return;
        }
        if self.notes.is_over() {
            let limit = self.notes.limit().to_string();
            let detail = ["must have at most ", &limit, " values that are judged"].concat();
            self.faults.push(Fault::whole(Code::TooManyValues, detail));
            return;
        }
        self.too_long = self.too_long();
        self.judge_currencies();
        let before = self.faults.len();
        let is_one = self.faults.iter().all(|fault| fault.code != Code::CurrencyMismatch);
        self.judge_arrays();
        self.judge_places();
        let is_comparable = is_one && self.faults.len() == before;
        self.judge_amounts();
        self.judge_counts();
        // With all faults told, what else is sound is not known.
        if is_comparable && !self.is_full() {
            self.judge_relations();
        }
        self.judge_unknown();
    }

    fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_LIMIT
    }

    #[cold]
    fn refuse(&mut self, code: Code, pattern: &Pattern, indices: &Indices, detail: impl Into<String>) {
        if !self.is_full() {
            self.faults.push(Fault::new(code, pattern.pointer(indices), detail));
        }
    }

    /// What was found at a slot's places.
    fn found(&self, slot: usize) -> &'j [Found] {
        self.notes.found(slot)
    }

    /// The same, but nothing in an array that is too long.
    fn judged(&self, slot: usize) -> &'j [Found] {
        if self.node(slot).is_some_and(|node| self.is_in_too_long(node, 0)) {
            return &[];
        }
        self.found(slot)
    }

    /// The place of a slot.
    fn node(&self, slot: usize) -> Option<&'j Node> {
        self.plan.places.get(slot).and_then(|place| self.plan.tree.get(*place))
    }

    /// Whether a place lies in an array that is too long, other than these.
    fn is_in_too_long(&self, node: &Node, others: u64) -> bool {
        node.arrays & self.too_long & !others != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Admission;

    fn config(changes: &str) -> Config {
        let rule = r#"{"name": "a", "match": {"methods": ["POST"], "path": {"exact": "/a"}}, "maxBodyBytes": 1048576,
            "unknownFields": "allow", "currency": {"fixed": "USD"}, "amounts": [{"pointer": "/amounts/*"}]"#;
        Config::from_json(format!(r#"{{"rules": [{rule}{changes}}}]}}"#).as_bytes()).expect("a configuration")
    }

    fn held(scratch: &Scratch) -> usize {
        let notes = scratch.notes.iter().map(Notes::capacity).sum::<usize>();
        notes + scratch.keys.capacity() + scratch.buffer.capacity()
    }

    fn amounts(count: usize) -> String {
        format!(r#"{{"amounts":[{}]}}"#, vec!["1"; count].join(","))
    }

    fn judge(config: &Config, body: &str, scratch: &mut Scratch) -> Outcome {
        let headers = [(":method", "POST"), (":path", "/a"), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let Admission::Body(guard) = config.admit(headers.into_iter(), false) else { panic!("no rule") };
        config.judge(guard, body.as_bytes(), scratch)
    }

    /// A body of very many keys and amounts takes more than is kept.
    #[test]
    fn a_large_body_s_memory_is_given_back() {
        let keys = (0..40_000).map(|key| format!(r#""\u0061{key}":0"#)).collect::<Vec<_>>().join(",");
        let mut scratch = Scratch::default();
        for (body, is_kept) in
            [(amounts(100), true), (amounts(60_000), false), (format!("{{{keys}}}"), false)]
        {
            assert!(judge(&config(""), &body, &mut scratch).faults.is_empty());
            assert_eq!(held(&scratch) > 0, is_kept);
            assert!(held(&scratch) <= KEPT_BYTES);
        }
    }

    /// Beyond an array's limit nothing is noted.
    #[test]
    fn an_array_that_is_too_long_takes_no_memory() {
        let config = config(r#", "arrays": [{"pointer": "/amounts", "max": 100}]"#);
        let mut scratch = Scratch::default();
        assert!(judge(&config, &amounts(100_000), &mut scratch).is_refused());
        assert!((1..8192).contains(&held(&scratch)), "{}", held(&scratch));
    }
}
