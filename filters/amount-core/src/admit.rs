//! What the header fields alone decide.

use std::iter;

use route::field::{is_spelt, overrides_method};
use route::{Match, Readings, normal_host};

use crate::config::{Config, LiftWord, Rule};
use crate::content_type;
use crate::fault::{Code, Fault};
use crate::outcome::{Guard, Outcome, too_large_body};
use crate::tree::{bit, bits};

/// What is to be done with a request once its header fields are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// No rule is for it.
    Pass,
    /// Its body is to be judged.
    Body(Guard),
    /// Decided already: refused, or, if the outcome has no faults, let through for only dry runs would refuse it.
    Decided(Outcome),
}

/// Fields in which some servers find a target in place of the request's own.
const REWRITES: [&str; 2] = ["x-original-url", "x-rewrite-url"];

/// The header fields that count.
#[derive(Debug, Default)]
struct Head<'a> {
    method: &'a [u8],
    target: &'a [u8],
    authority: Option<&'a [u8]>,
    content_type: Field<'a>,
    content_encoding: Field<'a>,
    content_length: Field<'a>,
    is_upgrade: bool,
    /// Methods that some servers take in place of the request's own.
    overrides: Vec<&'a [u8]>,
    /// Targets that some servers take in place of the request's own.
    rewrites: Vec<&'a [u8]>,
    lifts: Lifts,
}

/// What a request's targets can be read as.
struct Targets<'a> {
    own: Readings<'a>,
    rewrites: Vec<Readings<'a>>,
}

impl Targets<'_> {
    fn any(&self, is_such: impl Fn(&Readings<'_>) -> bool) -> bool {
        iter::once(&self.own).chain(&self.rewrites).any(is_such)
    }
}

/// A field that may come once.
#[derive(Debug, Default)]
struct Field<'a> {
    value: Option<&'a [u8]>,
    is_repeated: bool,
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.is_repeated |= self.value.is_some();
        self.value = Some(value);
    }
}

/// Which lifts hold: a bit for each.
#[derive(Debug, Default)]
struct Lifts {
    seen: u64,
    held: u64,
}

impl Lifts {
    /// Counts a header in. One that comes twice has no one value, and lifts nothing.
    fn add(&mut self, words: &[LiftWord], name: &[u8], value: &[u8]) {
        for (index, lift) in words.iter().enumerate() {
            if lift.header.as_bytes() != name {
                continue;
            }
            let bit = bit(index);
            let has =
                value.split(|byte| matches!(byte, b' ' | b',')).any(|word| word == lift.word.as_bytes());
            self.held = if has && self.seen & bit == 0 { self.held | bit } else { self.held & !bit };
            self.seen |= bit;
        }
    }
}

impl<'a> Head<'a> {
    fn read(headers: impl Iterator<Item = (&'a [u8], &'a [u8])>, words: &[LiftWord]) -> Self {
        let mut head = Self::default();
        let mut host = None;
        for (name, value) in headers {
            match name {
                b":method" => head.method = value,
                b":path" => head.target = value,
                b":authority" => head.authority = Some(value),
                b"host" => host = Some(value),
                b"content-type" => head.content_type.add(value),
                b"content-encoding" => head.content_encoding.add(value),
                b"content-length" => head.content_length.add(value),
                b"upgrade" => head.is_upgrade = true,
                _ => head.lenient(name, value),
            }
            head.lifts.add(words, name, value);
        }
        head.is_upgrade |= head.method == b"CONNECT";
        head.authority = head.authority.or(host);
        head
    }

    /// What some servers heed: other methods and targets, and `_` for `-`.
    fn lenient(&mut self, name: &[u8], value: &'a [u8]) {
        let is_one_of = |names: &[&str]| names.iter().any(|ours| is_spelt(name, ours.as_bytes()));
        if overrides_method(name) {
            self.overrides.push(value);
        } else if is_one_of(&REWRITES) {
            self.rewrites.push(value);
        } else if is_one_of(&["content-type"]) {
            self.content_type.is_repeated = true;
        } else if is_one_of(&["content-encoding"]) {
            self.content_encoding.is_repeated = true;
        }
    }

    /// Whether a lenient server could take the request for one of these, by any of its methods and targets.
    fn might_be(&self, matches: &Match, targets: &Targets<'_>) -> bool {
        let methods = || iter::once(self.method).chain(self.overrides.iter().copied());
        targets.any(|target| methods().any(|method| matches.might_match(self.authority, method, target)))
    }

    /// What is wrong with them on a guarded route.
    fn fault(&self, guard: Guard, is_end: bool) -> Option<Fault> {
        let repeated = |field: &Field<'_>, name: &str| {
            let detail = || [name, " must come once."].concat();
            field.is_repeated.then(|| Fault::whole(Code::RepeatedHeader, detail()))
        };
        let repeated = repeated(&self.content_type, "Content-Type")
            .or_else(|| repeated(&self.content_encoding, "Content-Encoding"));
        if repeated.is_some() {
            return repeated;
        }
        if let Err(fault) = content_type::check(self.content_type.value, self.content_encoding.value) {
            return Some(fault);
        }
        match self.content_length.value.map(length) {
            Some(None) => return Some(Fault::whole(Code::ContentLength, "Content-Length must be a number.")),
            Some(_) if self.content_length.is_repeated => {
                return Some(Fault::whole(Code::ContentLength, "Content-Length must come once."));
            }
            Some(Some(length)) if length > guard.max_body_bytes => {
                return Some(too_large_body(guard.max_body_bytes));
            }
            _ => {}
        }
        is_end.then(|| Fault::whole(Code::EmptyBody, "There must be a body."))
    }
}

/// Why a request is refused that a lenient server could take for a guarded one.
pub(crate) fn doubtful() -> Fault {
    Fault::whole(
        Code::Path,
        "The path, host and method must have one reading: this request could be one for another route.",
    )
}

/// Digits alone, where the standard library would take a plus. What no integer holds is very long.
fn length(value: &[u8]) -> Option<usize> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = value.iter().map(|digit| usize::from(digit & 0x0f));
    is_number.then(|| digits.fold(0_usize, |sum, digit| sum.saturating_mul(10).saturating_add(digit)))
}

impl Config {
    /// Decides by the header fields, in lower case as HTTP/2 and Envoy have them. `is_end`: there is no body.
    pub fn admit<'a>(&self, headers: impl Iterator<Item = (&'a [u8], &'a [u8])>, is_end: bool) -> Admission {
        self.decide(&Head::read(headers, &self.lifts), is_end)
    }

    fn decide(&self, head: &Head<'_>, is_end: bool) -> Admission {
        let rewrites = head.rewrites.iter().map(|target| Readings::new(target)).collect();
        let targets = Targets { own: Readings::new(head.target), rewrites };
        if head.is_upgrade {
            let is_guarded = |matches: &Match| {
                targets.any(|target| matches.might_match_any_method(head.authority, target))
            };
            let rules = self.rules_where(|rule| is_guarded(&rule.matches));
            let fault = Fault::whole(Code::Upgrade, "The request must not be an upgrade or CONNECT.");
            return if rules == 0 {
                Admission::Pass
            } else {
                Admission::Decided(self.outcome_of(rules, &fault))
            };
        }
        let host = head.authority.filter(|_| self.matches_hosts).and_then(normal_host);
        let (method, path) = (str::from_utf8(head.method).ok(), targets.own.normal());
        let matching = match method.zip(path) {
            Some((method, path)) => self.matching(host.as_deref(), method, path),
            None => 0,
        };
        let might = self.rules_where(|rule| head.might_be(&rule.matches, &targets));
        let ambiguous = might & !matching;
        if ambiguous != 0 && (matching == 0 || self.enforces(ambiguous)) {
            return Admission::Decided(self.outcome_of(ambiguous, &doubtful()));
        }
        if matching == 0 {
            return Admission::Pass;
        }
        // What is left of them are dry runs, which must not keep the others from judging.
        let guard = Guard { doubtful: ambiguous, ..self.guard(matching, head.lifts.held) };
        match head.fault(guard, is_end) {
            // Its own limit decides what of several rules is too long.
            Some(fault) if fault.code == Code::TooLargeBody => Admission::Decided(self.too_large(guard)),
            Some(fault) => Admission::Decided(self.outcome_of(matching, &fault)),
            None => Admission::Body(guard),
        }
    }

    fn enforces(&self, rules: u64) -> bool {
        bits(rules).any(|rule| self.rules.get(rule).is_some_and(|rule| !rule.is_dry_run))
    }

    fn matching(&self, host: Option<&str>, method: &str, path: &str) -> u64 {
        self.rules_where(|rule| rule.matches.matches(host, method, path))
    }

    fn rules_where(&self, mut is_such: impl FnMut(&Rule) -> bool) -> u64 {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| is_such(rule));
        rules.fold(0, |bits, (index, _)| bits | bit(index))
    }
}
