//! Which requests need what: the first rule that matches counts, and no rule means any valid token. What rules before
//! it ask counts too, where a lenient server could take the request for one of theirs.

use route::Match;

use crate::claims::Claims;
use crate::selector::Condition;

/// What a route asks of a request, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing; credentials are not looked at.
    Public,
    /// Nothing, but a token that is sent must hold.
    Optional,
    /// A token that holds.
    Required,
}

/// A checked rule.
#[derive(Debug)]
pub struct Rule {
    /// What it is for.
    pub matches: Match,
    /// What it asks.
    pub access: Access,
    /// What the token must bring besides.
    pub needs: Needs,
    /// Whether it only counts what it would refuse.
    pub is_dry_run: bool,
}

/// What a token must bring besides being valid.
#[derive(Debug, Default)]
pub struct Needs {
    /// Bits of the providers that may have issued it; 0 for all.
    pub providers: u32,
    /// It needs all of these scopes.
    pub all_scopes: Grants,
    /// It needs one of these scopes, if there are any.
    pub any_scope: Grants,
    /// It needs all of these claims.
    pub claims: Grants,
    /// The scopes, for the challenge (RFC 6750 section 3).
    pub challenge: String,
}

/// Which of the configuration's demands a token meets, or a rule makes: a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants(u128);

impl Grants {
    /// This demand alone.
    pub fn one(index: usize) -> Self {
        Self(u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index)).unwrap_or(0))
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of those are among these.
    pub fn has_all(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Whether one of those is among these, or nothing is wanted.
    pub fn has_any(self, wanted: Self) -> bool {
        wanted.0 == 0 || self.0 & wanted.0 != 0
    }
}

/// Everything that any rule asks of a token, so that each token is asked once and remembered as bits.
#[derive(Debug, Default)]
pub struct Demands(Vec<Demand>);

/// As many as [`Grants`] has bits.
pub const MAX_DEMANDS: usize = 128;

#[derive(Debug, PartialEq)]
enum Demand {
    Scope(String),
    Claim(Condition),
}

impl Demands {
    /// The bit of a scope; nothing if there are too many demands.
    pub fn scope(&mut self, scope: &str) -> Option<Grants> {
        self.add(Demand::Scope(scope.to_owned()))
    }

    /// The bit of a condition; nothing if there are too many demands.
    pub fn claim(&mut self, condition: Condition) -> Option<Grants> {
        self.add(Demand::Claim(condition))
    }

    fn add(&mut self, demand: Demand) -> Option<Grants> {
        let known = self.0.iter().position(|known| *known == demand);
        let index = known.unwrap_or_else(|| {
            self.0.push(demand);
            self.0.len().saturating_sub(1)
        });
        (index < MAX_DEMANDS).then(|| Grants::one(index))
    }

    /// Which of them these claims meet.
    pub fn grants(&self, claims: &Claims) -> Grants {
        let meets = |demand: &Demand| match demand {
            Demand::Scope(wanted) => claims.scope.split(' ').any(|granted| granted == wanted),
            Demand::Claim(condition) => condition.holds(&claims.all),
        };
        let met = self.0.iter().enumerate().filter(|(_, demand)| meets(demand));
        met.fold(Grants::default(), |grants, (index, _)| grants.and(Grants::one(index)))
    }
}

/// What a request is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// By the first rule that matches, if any does.
    rule: Option<&'a Rule>,
    /// By rules before it whose route a lenient server could read in the request: one that ignores case or a slash at
    /// the end. None of those that ask nothing or only count.
    stricter: Vec<&'a Rule>,
}

impl<'a> Asked<'a> {
    /// Of a request whose path, and whose host where rules name some, is in normal form.
    pub fn of(rules: &'a [Rule], host: Option<&str>, method: &str, path: &str) -> Self {
        let mut asked = Self { rule: None, stricter: Vec::new() };
        // One look at each of the many that are for other paths: what matches also nearly matches.
        for rule in rules.iter().filter(|rule| rule.matches.nearly_matches(host, method, path)) {
            if rule.matches.matches(host, method, path) {
                asked.rule = Some(rule);
                break;
            }
            if rule.access != Access::Public && !rule.is_dry_run {
                asked.stricter.push(rule);
            }
        }
        asked
    }

    /// Whether what it asks only counts.
    pub fn is_dry_run(&self) -> bool {
        self.stricter.is_empty() && self.rule.is_some_and(|rule| rule.is_dry_run)
    }

    /// The most that any of them asks.
    pub fn access(&self) -> Access {
        let default = self.rule.is_none().then_some(Access::Required);
        self.rules().map(|rule| rule.access).chain(default).max().unwrap_or(Access::Required)
    }

    /// What the token must bring besides, for each of them.
    pub fn needs(&self) -> impl Iterator<Item = &'a Needs> {
        self.rules().map(|rule| &rule.needs)
    }

    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        // Where others ask something, a rule that only counts asks nothing.
        let counts = |rule: &&Rule| self.stricter.is_empty() || !rule.is_dry_run;
        self.stricter.iter().copied().chain(self.rule.filter(counts))
    }
}
