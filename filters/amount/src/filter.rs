//! A request's context: its body is buffered, then judged whole.

use std::rc::Rc;

use amount_core::rule::{Config, Rule};
use amount_core::{Fault, Kind, content_type, json};
use host::headers;
use host::problem::{self, FieldError, Problem};
use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, Bytes};

const FAMILY: &str = "finpay_amount";

/// Where a request is.
enum Stage {
    /// Its route moves no money, or its body passed.
    Passing,
    /// Its body is being buffered.
    Buffering(Buffering),
    /// It was refused: nothing of it goes on, and no second answer is sent.
    Refused,
}

/// Which rule judges the body. The rule is found again by its request, so that none borrows from another.
struct Buffering {
    config: Rc<Config>,
    method: String,
    path: String,
    buffered_bytes: usize,
}

impl Buffering {
    fn rule(&self) -> Option<&Rule> {
        self.config.find(&self.method, &self.path)
    }
}

pub(crate) struct Filter {
    config: Option<Rc<Config>>,
    stage: Stage,
}

impl Filter {
    pub(crate) fn new(config: Option<Rc<Config>>) -> Self {
        Self { config, stage: Stage::Passing }
    }

    fn begin(&mut self, end_of_stream: bool) -> Result<Action, Fault> {
        let unreadable = |_| Fault::malformed("unreadable", "The request cannot be read.");
        let headers = headers::request().map_err(unreadable)?;
        let config = self
            .config
            .clone()
            .ok_or_else(|| Fault::malformed("unconfigured", "The filter has no rules."))?;
        let text = |name| headers::first(&headers, name).and_then(|value| str::from_utf8(value).ok());
        let (method, path) = (text(":method").unwrap_or_default(), text(":path").unwrap_or_default());
        let Some(rule) = config.find(method, path) else { return Ok(Action::Continue) };
        check_headers(&headers, rule)?;
        if end_of_stream {
            return Err(Fault::malformed("empty_body", "There is no body."));
        }
        let action = if config.hold_headers { Action::Pause } else { Action::Continue };
        let (method, path) = (method.to_owned(), path.to_owned());
        self.stage = Stage::Buffering(Buffering { config, method, path, buffered_bytes: 0 });
        Ok(action)
    }

    /// Judges the whole body; where it passes, everything goes on.
    fn end(&mut self, buffering: &Buffering) -> Action {
        let body = self.get_http_request_body(0, buffering.buffered_bytes).unwrap_or_default();
        let judged = buffering.rule().ok_or_else(no_rule).and_then(|rule| {
            let value = json::parse(&body).map_err(|fault| vec![fault])?;
            rule.judge(&value)
        });
        match judged {
            Ok(()) => {
                host::counter::increment(FAMILY, "allow", "ok");
                self.stage = Stage::Passing;
                Action::Continue
            }
            Err(faults) => self.refuse(faults),
        }
    }

    fn refuse(&mut self, faults: Vec<Fault>) -> Action {
        self.stage = Stage::Refused;
        let Some(first) = faults.first() else {
            error!("amount: a refusal without a fault");
            return Action::Pause;
        };
        host::counter::increment(FAMILY, "deny", first.code);
        let (kind, detail) =
            (first.kind, if faults.len() == 1 { first.detail.clone() } else { several(&faults) });
        let errors: Vec<_> = faults
            .into_iter()
            .map(|fault| FieldError {
                pointer: fault.pointer,
                code: fault.code.to_owned(),
                detail: fault.detail,
            })
            .collect();
        let problem = Problem {
            status: kind.status(),
            code: kind.problem(),
            title: kind.title(),
            detail: &detail,
            errors: if kind == Kind::Invalid { &errors } else { &[] },
        };
        problem::reply(problem, &[]);
        Action::Pause
    }

    /// Takes the stage out, so that no callback works on another's.
    fn take_buffering(&mut self) -> Result<Buffering, Action> {
        match std::mem::replace(&mut self.stage, Stage::Refused) {
            Stage::Buffering(buffering) => Ok(buffering),
            Stage::Passing => {
                self.stage = Stage::Passing;
                Err(Action::Continue)
            }
            Stage::Refused => Err(Action::Pause),
        }
    }
}

fn several(faults: &[Fault]) -> String {
    format!("{} faults; see errors.", faults.len())
}

fn no_rule() -> Vec<Fault> {
    vec![Fault::malformed("unconfigured", "The filter has no rule for this request.")]
}

fn too_large(rule: &Rule) -> Fault {
    let detail = format!("At most {} bytes.", rule.max_body_bytes);
    Fault { kind: Kind::TooLarge, pointer: String::new(), code: "too_large_body", detail }
}

/// What the header fields alone decide.
fn check_headers(headers: &[(String, Bytes)], rule: &Rule) -> Result<(), Fault> {
    if headers::first(headers, "upgrade").is_some() {
        return Err(Fault::malformed("upgrade", "This route takes no upgrade."));
    }
    let media_type = |name| Fault {
        kind: Kind::MediaType,
        pointer: String::new(),
        code: "repeated_header",
        detail: format!("{name} came more than once."),
    };
    let content_type = headers::single(headers, "content-type").map_err(|_| media_type("Content-Type"))?;
    let coding = headers::single(headers, "content-encoding").map_err(|_| media_type("Content-Encoding"))?;
    content_type::check(content_type, coding)?;
    let length = headers::first(headers, "content-length").and_then(|value| str::from_utf8(value).ok());
    match length.map(str::parse::<usize>) {
        Some(Ok(length)) if length > rule.max_body_bytes => Err(too_large(rule)),
        Some(Err(_)) => Err(Fault::malformed("content_length", "Content-Length is not a number.")),
        _ => Ok(()),
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        self.begin(end_of_stream).unwrap_or_else(|fault| self.refuse(vec![fault]))
    }

    fn on_http_request_body(&mut self, buffered_bytes: usize, end_of_stream: bool) -> Action {
        let mut buffering = match self.take_buffering() {
            Ok(buffering) => buffering,
            Err(action) => return action,
        };
        buffering.buffered_bytes = buffered_bytes;
        match buffering.rule().filter(|rule| buffered_bytes > rule.max_body_bytes).map(too_large) {
            Some(fault) => self.refuse(vec![fault]),
            None if end_of_stream => self.end(&buffering),
            None => {
                self.stage = Stage::Buffering(buffering);
                Action::Pause
            }
        }
    }

    /// With trailers (HTTP/2) no body callback says that it is the last one.
    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        match self.take_buffering() {
            Ok(buffering) => self.end(&buffering),
            Err(action) => action,
        }
    }
}
