//! A verdict, carried out on the request.

use abi::headers::{Headers, Map};
use abi::{Refused, headers, http};
use host::problem::{self, Problem};
use jwt_core::config::{Config, Forward};
use jwt_core::identity::Identity;
use jwt_core::judge::Decision;
use jwt_core::place::Place;
use jwt_core::request::{Request, is_owned};
use jwt_core::verdict::Denial;

/// Takes out what only this filter may say, and tokens in the query, whatever the verdict.
pub(crate) fn clean(config: &Config, request: &Request<'_>) -> Result<(), Refused> {
    for name in &request.owned {
        headers::remove(Map::Request, name)?;
    }
    if let Some(target) = request.clean_target(config) {
        headers::replace(":path", &target)?;
    }
    Ok(())
}

/// Takes out of the trailers what only this filter may say.
pub(crate) fn clean_trailers(config: &Config) -> Result<(), Refused> {
    let trailers = Headers::read(Map::RequestTrailers)?;
    let mut ours = trailers.iter().map(|(name, _)| name).filter(|name| is_owned(config, name));
    ours.try_for_each(|name| headers::remove(Map::RequestTrailers, name))
}

/// Tells the service who calls, and does with the token what is configured.
pub(crate) fn identify(config: &Config, request: &Request<'_>, identity: &Identity) -> Result<(), Refused> {
    let Some(provider) = config.providers.get(identity.provider) else { return Ok(()) };
    for (name, value) in identity.headers(provider) {
        // None of this name is left.
        headers::add(Map::Request, name, value)?;
    }
    if config.forward != Forward::Keep {
        move_token(config, request)?;
    }
    Ok(())
}

fn move_token(config: &Config, request: &Request<'_>) -> Result<(), Refused> {
    let Ok(Some(found)) = request.token() else { return Ok(()) };
    match config.places.get(found.place) {
        Some(Place::Header { name, .. }) => headers::remove(Map::Request, name.as_bytes())?,
        Some(Place::Cookie(name)) => {
            let others = request.other_cookies(name);
            if others.is_empty() {
                headers::remove(Map::Request, b"cookie")?;
            } else {
                headers::replace("cookie", &others)?;
            }
        }
        // Taken out already.
        Some(Place::Query(_)) | None => {}
    }
    if config.forward == Forward::Authorization {
        headers::replace("authorization", &[b"Bearer ", found.token].concat())?;
    }
    Ok(())
}

/// Tells access logs what was decided: verdict, reason, provider, and of a token that holds its subject, also where the
/// rule asks for more.
pub(crate) fn log(config: &Config, decision: &Decision) -> Result<(), Refused> {
    let (verdict, reason) = decision.verdict.labels(decision.is_dry_run);
    let provider = decision.provider.and_then(|index| config.providers.get(index));
    let name = provider.map_or("none", |provider| provider.name.as_str());
    let subject = decision.subject().unwrap_or("-");
    let text = format!("{verdict} {} {name} {subject}", reason.as_str());
    http::set_state("finpay_jwt", text.as_bytes())
}

/// Answers in the service's place.
pub(crate) fn refuse(config: &Config, denial: &Denial) {
    let answer = denial.answer(&config.realm);
    let mut extra = Vec::new();
    if let Some(challenge) = &answer.challenge {
        extra.push(("www-authenticate", challenge.as_str()));
    }
    if let Some(seconds) = answer.retry_after {
        extra.push(("retry-after", seconds));
    }
    let problem = Problem {
        status: answer.status,
        code: answer.code,
        title: answer.title,
        detail: answer.detail,
        errors: &[],
    };
    problem::reply(problem, &extra, denial.reason.as_str());
}
