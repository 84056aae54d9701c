//! Rules.

use ::config::named;
use route::Match;

use super::super::raw;
use super::super::{ConfigError, Provider};
use super::{MAX_RULES, provider};
use crate::rules::{Access, Demands, Grants, MAX_DEMANDS, Needs, Rule};

pub(super) fn rules(
    raw: Vec<raw::Rule>,
    providers: &[Provider],
    demands: &mut Demands,
) -> Result<Vec<Rule>, ConfigError> {
    if raw.len() > MAX_RULES {
        return Err(ConfigError::new("rules", format!("must be at most {MAX_RULES}")));
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("rules[{index}]");
        let rule = rule(raw, &path, providers, demands)?;
        if let Some(earlier) = covered_by(&rules, &rule.matches) {
            let message = format!("can never apply: rules {earlier:?} match all of it before");
            return Err(ConfigError::new(format!("{path}.match"), message));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// The rules that together match all that this is for, if they do: each of its methods and hosts has one.
fn covered_by(rules: &[Rule], matches: &Match) -> Option<Vec<usize>> {
    let mut part = matches.clone();
    let mut found = Vec::new();
    for methods in each(&matches.methods) {
        for hosts in each(&matches.hosts) {
            (part.methods, part.hosts) = (methods.to_vec(), hosts.to_vec());
            let index = rules.iter().position(|rule| rule.matches.covers(&part))?;
            if !found.contains(&index) {
                found.push(index);
            }
        }
    }
    Some(found)
}

/// The members one by one; of an empty list, which is no condition, that list.
fn each<T>(list: &[T]) -> impl Iterator<Item = &[T]> {
    list.chunks(1).chain(list.is_empty().then_some(list))
}

fn rule(
    raw: raw::Rule,
    path: &str,
    providers: &[Provider],
    demands: &mut Demands,
) -> Result<Rule, ConfigError> {
    let matches = raw.r#match.check(&format!("{path}.match"))?;
    let access = match (raw.public, raw.optional) {
        (true, true) => return Err(ConfigError::new(path, "cannot be both public and optional")),
        (true, false) => Access::Public,
        (false, true) => Access::Optional,
        (false, false) => Access::Required,
    };
    let asked = [
        ("providers", raw.providers.is_some()),
        ("scopes", raw.scopes.is_some()),
        ("anyScopes", raw.any_scopes.is_some()),
        ("claims", raw.claims.is_some()),
        ("dryRun", raw.dry_run),
    ];
    if access == Access::Public
        && let Some((name, _)) = asked.iter().find(|(_, is_asked)| *is_asked)
    {
        return Err(ConfigError::new(format!("{path}.{name}"), "cannot be asked of a public route"));
    }
    let all = named(raw.scopes, format!("{path}.scopes"))?;
    let any = named(raw.any_scopes, format!("{path}.anyScopes"))?;
    let conditions = named(raw.claims, format!("{path}.claims"))?.into_iter().enumerate();
    let claims = conditions.map(|(index, raw)| {
        let path = format!("{path}.claims[{index}]");
        let condition = provider::condition(raw, &path)?;
        demands.claim(condition).ok_or_else(|| too_many(path))
    });
    let claims = claims.collect::<Result<Vec<_>, _>>()?.into_iter().fold(Grants::default(), Grants::and);
    let needs = Needs {
        providers: from_providers(raw.providers, providers, &format!("{path}.providers"))?,
        challenge: [all.as_slice(), any.as_slice()].concat().join(" "),
        all_scopes: scopes(&all, demands, &format!("{path}.scopes"))?,
        any_scope: scopes(&any, demands, &format!("{path}.anyScopes"))?,
        claims,
    };
    Ok(Rule { matches, access, needs, is_dry_run: raw.dry_run })
}

fn from_providers(
    names: Option<Vec<String>>,
    providers: &[Provider],
    path: &str,
) -> Result<u32, ConfigError> {
    named(names, path)?.iter().enumerate().try_fold(0_u32, |bits, (at, name)| {
        let index = providers.iter().position(|provider| provider.name == *name);
        let bit =
            index.and_then(|index| u32::try_from(index).ok()).and_then(|index| 1_u32.checked_shl(index));
        bit.map(|bit| bits | bit)
            .ok_or_else(|| ConfigError::new(format!("{path}[{at}]"), "is no provider's name"))
    })
}

fn scopes(scopes: &[String], demands: &mut Demands, path: &str) -> Result<Grants, ConfigError> {
    // Scopes stand between quotes in a challenge, separated by spaces.
    let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    scopes.iter().try_fold(Grants::default(), |grants, scope| {
        if scope.is_empty() || !scope.bytes().all(sound) {
            return Err(ConfigError::new(path, "must hold RFC 6749 scope tokens"));
        }
        demands.scope(scope).map(|one| grants.and(one)).ok_or_else(|| too_many(path.to_owned()))
    })
}

fn too_many(path: String) -> ConfigError {
    ConfigError::new(
        path,
        format!("is one too many: rules may ask for {MAX_DEMANDS} different scopes and claims"),
    )
}
