//! What the header fields alone decide.

use route::field::is_spelt;
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
                b"x-http-method-override" | b"x-http-method" | b"x-method-override" => {
                    head.overrides.push(value);
                }
                b"x-original-url" | b"x-rewrite-url" => head.rewrites.push(value),
                // For a server that takes `_` for `-` it came once more.
                _ if is_spelt(name, b"content-type") => head.content_type.is_repeated = true,
                _ if is_spelt(name, b"content-encoding") => head.content_encoding.is_repeated = true,
                _ => {}
            }
            head.lifts.add(words, name, value);
        }
        head.is_upgrade |= head.method == b"CONNECT";
        // As servers do: they answer it from the same handler.
        if head.method.eq_ignore_ascii_case(b"HEAD") {
            head.method = b"GET";
        }
        head.authority = head.authority.or(host);
        head
    }

    /// Whether a lenient server could take the request for one of these.
    fn might_be(&self, matches: &Match, target: &Readings<'_>) -> bool {
        let by = |method: &[u8], target: &Readings<'_>| matches.might_match(self.authority, method, target);
        by(self.method, target)
            || self.overrides.iter().any(|method| by(method, target))
            || self.rewrites.iter().any(|target| by(self.method, &Readings::new(target)))
    }

    /// What is wrong with them on a guarded route.
    fn fault(&self, guard: Guard, is_end: bool) -> Option<Fault> {
        let repeated = |field: &Field<'_>, name: &str| {
            let detail = || [name, " came more than once."].concat();
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
            Some(None) => return Some(Fault::whole(Code::ContentLength, "Content-Length is not a number.")),
            Some(_) if self.content_length.is_repeated => {
                return Some(Fault::whole(Code::ContentLength, "Content-Length came more than once."));
            }
            Some(Some(length)) if length > guard.max_body_bytes => {
                return Some(too_large_body(guard.max_body_bytes));
            }
            _ => {}
        }
        is_end.then(|| Fault::whole(Code::EmptyBody, "There is no body."))
    }
}

/// Why a request is refused that a lenient server could take for a guarded one.
pub(crate) fn doubtful() -> Fault {
    Fault::whole(
        Code::Path,
        "The request could be read as one for another route: its path, host or method has more than one reading.",
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
        let target = Readings::new(head.target);
        if head.is_upgrade {
            let rules = self.rules_where(|rule| rule.matches.might_match_any_method(head.authority, &target));
            let fault = Fault::whole(Code::Upgrade, "This route takes no upgrade.");
            return if rules == 0 {
                Admission::Pass
            } else {
                Admission::Decided(self.outcome_of(rules, &fault))
            };
        }
        let host = head.authority.filter(|_| self.matches_hosts).and_then(normal_host);
        let method = str::from_utf8(head.method).ok();
        let matching = match method.zip(target.normal()) {
            Some((method, path)) => self.matching(host.as_deref(), method, path),
            None => 0,
        };
        let might = self.rules_where(|rule| head.might_be(&rule.matches, &target));
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
