//! A request's body is buffered, then judged whole.

use std::cell::RefCell;
use std::collections::HashMap;

use abi::headers::{self, Headers, Map};
use abi::{Action, Buffer, Plugin, Refused, clock};
use amount_core::{Admission, Config, Guard, Outcome, Scratch, VERIFIED_HEADER};
use log::{error, warn};
use route::field::is_spelt;

use crate::answer;
use crate::metrics::Metrics;

/// The filter with one configuration.
pub(crate) struct Filter {
    config: Config,
    /// The requests whose bodies are being buffered, by context.
    buffering: RefCell<HashMap<u32, Buffering>>,
    /// The requests that were refused and are not gone yet: few, and for a short time. Nothing of them goes on, and no
    /// second answer is sent.
    refused: RefCell<Vec<u32>>,
    /// The requests whose answers are to say what a dry run would have refused them for.
    would_deny: RefCell<HashMap<u32, &'static str>>,
    scratch: RefCell<Scratch>,
    metrics: Metrics,
}

/// A request whose route moves money.
#[derive(Debug, Clone, Copy)]
struct Buffering {
    guard: Guard,
    /// So much of its body is here.
    bytes: usize,
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
            buffering: RefCell::default(),
            refused: RefCell::default(),
            would_deny: RefCell::default(),
            scratch: RefCell::default(),
            metrics: Metrics::new(),
        }
    }

    fn begin(&self, context: u32, is_end: bool) -> Result<Action, Refused> {
        let all = Headers::read(Map::Request)?;
        remove_verdicts(Map::Request, &all)?;
        match self.config.admit(all.iter(), is_end) {
            Admission::Pass => Ok(Action::Continue),
            Admission::Decided(outcome) => Ok(self.carry_out(context, outcome)),
            Admission::Body(guard) => {
                self.buffering.borrow_mut().insert(context, Buffering { guard, bytes: 0 });
                self.metrics.buffered(self.buffering.borrow().len());
                Ok(if self.config.hold_headers { Action::Pause } else { Action::Continue })
            }
        }
    }

    /// So much of the body is there; no number when trailers end it.
    fn body(&self, context: u32, buffered: Option<usize>, is_end: bool) -> Action {
        let Some(Buffering { guard, bytes }) = self.buffered(context, buffered) else {
            // A request that was refused stays where it is; one that was let through goes on, body and all.
            return if self.refused.borrow().contains(&context) { Action::Pause } else { Action::Continue };
        };
        let outcome = if bytes > guard.max_body_bytes {
            self.config.too_large(guard)
        } else if is_end {
            self.judge(guard, bytes)
        } else {
            return Action::Pause;
        };
        self.forget(context);
        self.carry_out(context, outcome)
    }

    fn buffered(&self, context: u32, bytes: Option<usize>) -> Option<Buffering> {
        let mut buffering = self.buffering.borrow_mut();
        let request = buffering.get_mut(&context)?;
        request.bytes = bytes.unwrap_or(request.bytes);
        Some(*request)
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

    fn carry_out(&self, context: u32, outcome: Outcome) -> Action {
        self.metrics.count(&self.config, &outcome.rulings);
        if outcome.is_refused() {
            self.refused.borrow_mut().push(context);
            answer::refuse(outcome);
            return Action::Pause;
        }
        if let Some(code) = outcome.would.filter(|_| self.config.dry_run_header.is_some()) {
            self.would_deny.borrow_mut().insert(context, code);
        }
        if let Some(amount) = outcome.verified.filter(|_| self.config.hold_headers)
            && let Err(refused) = headers::add(Map::Request, VERIFIED_HEADER, amount.as_bytes())
        {
            return self.refuse_for_host(context, refused);
        }
        Action::Continue
    }

    /// Headers that can be neither read nor changed: no request may pass on such ground.
    fn refuse_for_host(&self, context: u32, refused: Refused) -> Action {
        error!("amount: the host refused a call: {refused:?}");
        self.carry_out(context, self.config.unreadable_headers())
    }

    fn forget(&self, context: u32) {
        let mut buffering = self.buffering.borrow_mut();
        if buffering.remove(&context).is_some() {
            self.metrics.buffered(buffering.len());
        }
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
        let code = self.would_deny.borrow_mut().remove(&context);
        if let Some(code) = code
            && let Err(refused) = headers::add(Map::Response, name, code.as_bytes())
        {
            error!("amount: an answer cannot tell of a dry run: {refused:?}");
        }
    }

    fn on_delete(&self, context: u32) {
        self.forget(context);
        self.would_deny.borrow_mut().remove(&context);
        self.refused.borrow_mut().retain(|known| *known != context);
    }
}
