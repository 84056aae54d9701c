//! A refusal as the client sees it.

use std::borrow::Cow;

use amount_core::{Fault, Outcome};
use host::problem::{self, FieldError, Problem};
use log::error;

/// Answers in the service's place. The outcome must be a refusal.
pub(crate) fn refuse(outcome: &Outcome) {
    let Some(first) = outcome.faults.first() else {
        error!("amount: a refusal without a fault");
        return;
    };
    let (kind, code) = (first.kind(), first.code);
    let detail: Cow<'_, str> = match outcome.faults.as_slice() {
        [only] => only.detail.as_str().into(),
        several => [several.len().to_string().as_str(), " faults; see errors."].concat().into(),
    };
    let errors: Vec<_> = outcome.faults.iter().map(field_error).collect();
    let problem = Problem {
        status: kind.status(),
        code: kind.problem(),
        title: kind.title(),
        detail: &detail,
        errors: &errors,
    };
    problem::reply(problem, &[], code.as_str());
}

fn field_error(fault: &Fault) -> FieldError<'_> {
    FieldError { pointer: &fault.pointer, code: fault.code.as_str(), detail: &fault.detail }
}
