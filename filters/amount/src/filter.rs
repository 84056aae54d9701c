//! A request's body is buffered, then judged whole.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use abi::headers::{self, Headers, Map};
use abi::{Action, Buffer, Plugin, Refused, clock};
use amount_core::{Admission, Code, Config, Guard, Outcome, Scratch, VERIFIED_HEADER};
use log::{error, warn};
use route::field::is_spelt;

use crate::answer;
use crate::metrics::Metrics;

/// The filter with one configuration.
pub(crate) struct Filter {
    config: Config,
    /// The requests of which something is still to be known, by context.
    requests: RefCell<HashMap<u32, State>>,
    /// How many of them are being buffered.
    buffered: Cell<usize>,
    scratch: RefCell<Scratch>,
    metrics: Metrics,
}

/// Where a request is that a rule is for.
#[derive(Debug, Clone, Copy)]
enum State {
    /// So many bytes of its body are here.
    Buffering(Guard, usize),
    /// Nothing of it goes on, and no second answer is sent.
    Refused,
    /// It has gone on. Its answer is to say what a dry run would have refused it for.
    WouldDeny(Code),
}

impl Filter {
    fn new(config: Config) -> Self {
        if config.tells_amounts() && !config.hold_headers {
            warn!(
                "amount: `verified` needs holdHeaders, for the headers leave before the body is judged: not told"
            );
        }
        Self {
            config,
            requests: RefCell::default(),
            buffered: Cell::new(0),
            scratch: RefCell::default(),
            metrics: Metrics::new(),
        }
    }

    fn begin(&self, context: u32, is_end: bool) -> Result<Action, Refused> {
        let all = Headers::read(Map::Request)?;
        remove_verdicts(Map::Request, &all)?;
        match self.config.admit(all.iter(), is_end) {
            Admission::Pass => Ok(Action::Continue),
            Admission::Decided(outcome) => Ok(self.carry_out(context, &outcome)),
            Admission::Body(guard) => {
                self.set(context, Some(State::Buffering(guard, 0)));
                Ok(if self.config.hold_headers { Action::Pause } else { Action::Continue })
            }
        }
    }

    /// So much of the body is there; no number when trailers end it.
    fn body(&self, context: u32, buffered: Option<usize>, is_end: bool) -> Action {
        let (guard, bytes) = match self.requests.borrow_mut().get_mut(&context) {
            Some(State::Buffering(guard, bytes)) => {
                *bytes = buffered.unwrap_or(*bytes);
                (*guard, *bytes)
            }
            Some(State::Refused) => return Action::Pause,
            // It was let through, and goes on, body and all.
            Some(State::WouldDeny(_)) | None => return Action::Continue,
        };
        if bytes > guard.max_body_bytes {
            self.carry_out(context, &self.config.too_large(guard))
        } else if is_end {
            self.carry_out(context, &self.judge(guard, bytes))
        } else {
            Action::Pause
        }
    }

    /// Changes what is known of a request, and how many are being buffered.
    fn set(&self, context: u32, state: Option<State>) {
        let is_buffered = |state: &Option<State>| usize::from(matches!(state, Some(State::Buffering(..))));
        let after = is_buffered(&state);
        let mut requests = self.requests.borrow_mut();
        let before = is_buffered(&match state {
            Some(state) => requests.insert(context, state),
            None => requests.remove(&context),
        });
        if before != after {
            self.buffered.set(self.buffered.get().saturating_add(after).saturating_sub(before));
            self.metrics.buffered(self.buffered.get());
        }
    }

    /// Judges the whole body, of so many bytes.
    fn judge(&self, guard: Guard, bytes: usize) -> Outcome {
        let started_ns = if self.metrics.durations.is_timed() { clock::now_ns().ok() } else { None };
        // Envoy has no buffer for a body of no bytes.
        let body = if bytes == 0 { Ok(Vec::new()) } else { abi::buffer(Buffer::RequestBody, 0, bytes) };
        let outcome = match body {
            Ok(body) if body.len() == bytes => {
                self.config.judge(guard, &body, &mut self.scratch.borrow_mut())
            }
            _ => self.config.unreadable(guard),
        };
        self.metrics.judged(bytes);
        if let Some(started_ns) = started_ns {
            self.metrics.durations.since(started_ns);
        }
        outcome
    }

    fn carry_out(&self, context: u32, outcome: &Outcome) -> Action {
        if let Some(amount) = outcome.verified.as_deref().filter(|_| self.config.hold_headers)
            && let Err(refused) = headers::add(Map::Request, VERIFIED_HEADER, amount.as_bytes())
        {
            return self.refuse_for_host(context, refused);
        }
        self.metrics.count(&self.config, &outcome.rulings);
        if outcome.is_refused() {
            self.set(context, Some(State::Refused));
            answer::refuse(outcome);
            return Action::Pause;
        }
        let would = outcome.would.filter(|_| self.config.dry_run_header.is_some());
        self.set(context, would.map(State::WouldDeny));
        Action::Continue
    }

    /// Headers that can be neither read nor changed: no request may pass on such ground.
    fn refuse_for_host(&self, context: u32, refused: Refused) -> Action {
        error!("amount: the host refused a call: {refused:?}");
        if matches!(self.requests.borrow().get(&context), Some(State::Refused)) {
            return Action::Pause;
        }
        self.carry_out(context, &self.config.unreadable_headers())
    }
}

/// Takes out what only this filter may say, in any spelling that a server could read as it.
fn remove_verdicts(map: Map, fields: &Headers) -> Result<(), Refused> {
    let ours = |name: &&[u8]| is_spelt(name, VERIFIED_HEADER.as_bytes());
    fields.iter().map(|(name, _)| name).filter(ours).try_for_each(|name| headers::remove(map, name))
}

impl Plugin for Filter {
    fn configure(configuration: &[u8]) -> Option<Self> {
        let started_ns = clock::now_ns().ok()?;
        match Config::from_json(configuration) {
            Ok(config) => {
                let filter = Self::new(config);
                filter.metrics.configured(clock::now_ns().ok()?.saturating_sub(started_ns));
                Some(filter)
            }
            Err(problem) => {
                error!("pluginConfig refused: {problem}");
                None
            }
        }
    }

    fn on_request_headers(&self, context: u32, is_end: bool) -> Action {
        self.begin(context, is_end).unwrap_or_else(|refused| self.refuse_for_host(context, refused))
    }

    fn on_request_body(&self, context: u32, buffered_bytes: usize, is_end: bool) -> Action {
        self.body(context, Some(buffered_bytes), is_end)
    }

    /// With trailers (HTTP/2) no body callback says that it is the last one.
    fn on_request_trailers(&self, context: u32) -> Action {
        let clean = Headers::read(Map::RequestTrailers)
            .and_then(|trailers| remove_verdicts(Map::RequestTrailers, &trailers));
        match clean {
            Ok(()) => self.body(context, None, true),
            Err(refused) => self.refuse_for_host(context, refused),
        }
    }

    fn on_response_headers(&self, context: u32) {
        let Some(name) = &self.config.dry_run_header else { return };
        let state = self.requests.borrow().get(&context).copied();
        if let Some(State::WouldDeny(code)) = state
            && let Err(refused) = headers::add(Map::Response, name, code.as_str().as_bytes())
        {
            error!("amount: an answer cannot tell of a dry run: {refused:?}");
        }
    }

    fn on_delete(&self, context: u32) {
        self.set(context, None);
    }
}
