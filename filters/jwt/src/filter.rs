//! A request's context: one pass over its headers.

use std::rc::Rc;

use host::headers;
use host::problem::{self, Problem};
use jwt_core::claims::Claims;
use jwt_core::verdict::{Denial, Reason, Verdict};
use jwt_core::verify::{Request, judge};
use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, Bytes, Status};

use crate::state::{State, now_ms};

const FAMILY: &str = "finpay_jwt";
/// Ours alone: what a client sends under this prefix never reaches a service.
const OWNED_PREFIX: &str = "x-jwt-";

pub(crate) struct Filter {
    pub(crate) state: Option<Rc<State>>,
}

impl Filter {
    fn judge(&self) -> Result<Verdict, Status> {
        let headers = headers::request()?;
        strip(&headers)?;
        let (Some(state), Some(now_ms)) = (&self.state, now_ms()) else {
            return Ok(Verdict::Deny(Reason::KeysUnavailable.into()));
        };
        let authorization: Vec<&[u8]> = headers::all(&headers, "authorization").collect();
        let request = Request {
            method: headers::first(&headers, ":method").unwrap_or_default(),
            path: headers::first(&headers, ":path").unwrap_or_default(),
            authorization: &authorization,
        };
        let decide =
            || judge(&state.config, &*state.keys.borrow(), &state.signatures, request, now_ms / 1_000);
        let mut verdict = decide();
        // Another worker may have the keys since our last tick: a fresh sidecar must not answer 503 for that.
        if verdict.wants_first_keys() && state.adopt() {
            verdict = decide();
        }
        if let Verdict::Allow(claims) = &verdict {
            identify(claims)?;
        }
        Ok(verdict)
    }

    fn refuse(&self, denial: &Denial) {
        if denial.reason == Reason::UnknownKey
            && let Some(state) = &self.state
        {
            state.wants_keys.set(true);
        }
        let answer = denial.answer(self.state.as_deref().map_or("", |state| state.config.realm()));
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
        problem::reply(problem, &extra);
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let verdict = self.judge().unwrap_or_else(|status| {
            // Headers that can be neither read nor changed: no request may pass on such ground.
            error!("the host refused a header call: {status:?}");
            Verdict::Deny(Reason::Request.into())
        });
        let (label, reason) = verdict.labels();
        host::counter::increment(FAMILY, label, reason);
        match verdict {
            Verdict::Public | Verdict::Allow(_) => Action::Continue,
            Verdict::Deny(denial) => {
                self.refuse(&denial);
                Action::Pause
            }
        }
    }
}

/// Removes what only this filter may say, in every spelling that a server could read as ours.
fn strip(headers: &[(String, Bytes)]) -> Result<(), Status> {
    for (name, _) in headers {
        let plain = name.to_ascii_lowercase().replace('_', "-");
        if plain.starts_with(OWNED_PREFIX) {
            headers::remove(name)?;
        }
    }
    Ok(())
}

fn identify(claims: &Claims) -> Result<(), Status> {
    headers::set("x-jwt-sub", claims.sub.as_bytes())?;
    headers::set("x-jwt-scope", claims.scope.as_bytes())?;
    headers::set("x-jwt-iss", claims.iss.as_bytes())?;
    headers::set("x-jwt-exp", claims.exp.to_string().as_bytes())?;
    match &claims.jti {
        Some(jti) => headers::set("x-jwt-jti", jti.as_bytes()),
        None => Ok(()),
    }
}
