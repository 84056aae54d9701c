//! A request's body is buffered, then judged whole.

use std::cell::RefCell;
use std::collections::HashMap;

use abi::headers::{Headers, Map};
use abi::{Action, Buffer, Plugin};
use amount_core::rule::{Config, Rule};
use amount_core::{Fault, Kind, content_type, json};
use host::metric::Counters;
use host::problem::{self, FieldError, Problem};
use log::error;

/// The filter with one configuration.
pub(crate) struct Filter {
    config: Config,
    /// The requests that are not simply passing, by context.
    requests: RefCell<HashMap<u32, Stage>>,
    verdicts: Counters<(&'static str, &'static str)>,
}

/// Where a request is whose route moves money.
enum Stage {
    /// Its body is being buffered. The rule is found again by its request, so that none borrows from another.
    Buffering { method: String, path: String, bytes: usize },
    /// It was refused: nothing of it goes on, and no second answer is sent.
    Refused,
}

impl Filter {
    fn begin(&self, context: u32, is_end: bool) -> Result<Action, Fault> {
        let unreadable = |_| Fault::malformed("unreadable", "The request cannot be read.");
        let headers = Headers::read(Map::Request).map_err(unreadable)?;
        let text = |name| headers.first(name).and_then(|value| str::from_utf8(value).ok());
        let (method, path) = (text(":method").unwrap_or_default(), text(":path").unwrap_or_default());
        let Some(rule) = self.config.find(method, path) else { return Ok(Action::Continue) };
        check_headers(&headers, rule)?;
        if is_end {
            return Err(Fault::malformed("empty_body", "There is no body."));
        }
        let stage = Stage::Buffering { method: method.to_owned(), path: path.to_owned(), bytes: 0 };
        self.requests.borrow_mut().insert(context, stage);
        Ok(if self.config.hold_headers { Action::Pause } else { Action::Continue })
    }

    /// So much of the body is there; no number when trailers end it.
    fn body(&self, context: u32, buffered: Option<usize>, is_end: bool) -> Action {
        let faults = match self.requests.borrow_mut().get_mut(&context) {
            None => return Action::Continue,
            Some(Stage::Refused) => return Action::Pause,
            Some(Stage::Buffering { method, path, bytes }) => {
                *bytes = buffered.unwrap_or(*bytes);
                match self.config.find(method, path) {
                    None => no_rule(),
                    Some(rule) if *bytes > rule.max_body_bytes => vec![too_large(rule)],
                    Some(_) if !is_end => return Action::Pause,
                    Some(rule) => judge(rule, *bytes).err().unwrap_or_default(),
                }
            }
        };
        if !faults.is_empty() {
            return self.refuse(context, faults);
        }
        self.requests.borrow_mut().remove(&context);
        self.count("allow", "ok");
        Action::Continue
    }

    fn refuse(&self, context: u32, faults: Vec<Fault>) -> Action {
        self.requests.borrow_mut().insert(context, Stage::Refused);
        let Some(first) = faults.first() else {
            error!("amount: a refusal without a fault");
            return Action::Pause;
        };
        let code = first.code;
        self.count("deny", code);
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
        problem::reply(problem, &[], code);
        Action::Pause
    }

    fn count(&self, verdict: &'static str, reason: &'static str) {
        self.verdicts.increment((verdict, reason), || vec![("verdict", verdict), ("reason", reason)]);
    }
}

/// Judges the whole body, of so many bytes.
fn judge(rule: &Rule, bytes: usize) -> Result<(), Vec<Fault>> {
    // Envoy has no buffer for a body of no bytes.
    let body = if bytes == 0 { Ok(Vec::new()) } else { abi::buffer(Buffer::RequestBody, 0, bytes) };
    let body = body.map_err(|_| vec![Fault::malformed("unreadable", "The body cannot be read.")])?;
    let value = json::parse(&body).map_err(|fault| vec![fault])?;
    rule.judge(&value)
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
fn check_headers(headers: &Headers, rule: &Rule) -> Result<(), Fault> {
    if headers.first("upgrade").is_some() {
        return Err(Fault::malformed("upgrade", "This route takes no upgrade."));
    }
    let media_type = |name| Fault {
        kind: Kind::MediaType,
        pointer: String::new(),
        code: "repeated_header",
        detail: format!("{name} came more than once."),
    };
    let single = |name: &str, shown| {
        let mut values = headers.iter().filter(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(media_type(shown)),
        }
    };
    let content_type = single("content-type", "Content-Type")?;
    let coding = single("content-encoding", "Content-Encoding")?;
    content_type::check(content_type, coding)?;
    let length = headers.first("content-length").and_then(|value| str::from_utf8(value).ok());
    match length.map(str::parse::<usize>) {
        Some(Ok(length)) if length > rule.max_body_bytes => Err(too_large(rule)),
        Some(Err(_)) => Err(Fault::malformed("content_length", "Content-Length is not a number.")),
        _ => Ok(()),
    }
}

impl Plugin for Filter {
    fn configure(configuration: &[u8]) -> Option<Self> {
        match Config::from_json(configuration) {
            Ok(config) => {
                Some(Self { config, requests: RefCell::default(), verdicts: Counters::new("finpay_amount") })
            }
            Err(problem) => {
                error!("amount: the configuration is refused at {problem}");
                None
            }
        }
    }

    fn on_request_headers(&self, context: u32, is_end: bool) -> Action {
        self.begin(context, is_end).unwrap_or_else(|fault| self.refuse(context, vec![fault]))
    }

    fn on_request_body(&self, context: u32, buffered_bytes: usize, is_end: bool) -> Action {
        self.body(context, Some(buffered_bytes), is_end)
    }

    /// With trailers (HTTP/2) no body callback says that it is the last one.
    fn on_request_trailers(&self, context: u32) -> Action {
        self.body(context, None, true)
    }

    fn on_delete(&self, context: u32) {
        self.requests.borrow_mut().remove(&context);
    }
}
