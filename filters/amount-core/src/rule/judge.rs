//! A body against its rule.

use super::select::unknown;
use super::{AmountRule, CountRule, CurrencyRule, FAULTS_LIMIT, Rule, SumRule};
use crate::fault::Fault;
use crate::json::Value;
use crate::money::{self, Currency};

pub(super) fn judge(rule: &Rule, body: &Value<'_>) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    if !matches!(body, Value::Object(_)) {
        return Err(vec![Fault::invalid("", "not_an_object", "must be a JSON object")]);
    }
    // The most telling first: the first fault's code is the one that metrics count.
    let currency = currency(&rule.currency, body).map_err(|fault| faults.push(fault)).ok();
    // Arrays before what is in them: a body of very many items is refused for that alone, unvisited.
    let before = faults.len();
    for array in &rule.arrays {
        judge_array(array, body, &mut faults);
    }
    if faults.len() == before {
        for amount in &rule.amounts {
            judge_amount(amount, currency, body, &mut faults);
        }
        for count in &rule.counts {
            judge_count(count, body, &mut faults);
        }
    }
    if let Some(sum) = rule.sum.as_ref().filter(|_| faults.is_empty()) {
        judge_sum(sum, body, &mut faults);
    }
    for pointer in unknown(body, &rule.fields, FAULTS_LIMIT) {
        faults.push(Fault::invalid(pointer, "unknown_field", "is not a known field"));
    }
    faults.truncate(FAULTS_LIMIT);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn currency(rule: &CurrencyRule, body: &Value<'_>) -> Result<Currency, Fault> {
    let unknown = |detail: &str| Fault::invalid(&rule.pointer, "unknown_currency", detail);
    let currency = match body.pointer(&rule.pointer) {
        None => rule.default.ok_or_else(|| Fault::invalid(&rule.pointer, "missing", "must be there"))?,
        Some(Value::String(code)) => {
            code.parse().map_err(|problem: money::UnknownCurrency| unknown(&problem.to_string()))?
        }
        Some(_) => return Err(unknown("must be a string")),
    };
    if rule.allowed.is_empty() || rule.allowed.contains(&currency) {
        return Ok(currency);
    }
    let codes: Vec<_> = rule.allowed.iter().map(|currency| currency.code()).collect();
    Err(unknown(&format!("must be one of {}", codes.join(", "))))
}

/// The integer at a place, or the fault of it.
fn integer(pointer: &str, value: Option<&Value<'_>>) -> Result<i64, Fault> {
    let value = value.ok_or_else(|| Fault::invalid(pointer, "missing", "must be there"))?;
    value.as_minor_units().map_err(|(code, detail)| Fault::invalid(pointer, code, detail))
}

fn judge_amount(rule: &AmountRule, currency: Option<Currency>, body: &Value<'_>, faults: &mut Vec<Fault>) {
    for (pointer, value) in rule.pattern.select(body) {
        if faults.len() >= FAULTS_LIMIT {
            return;
        }
        if value.is_none() && rule.optional {
            continue;
        }
        let cap = currency.and_then(|currency| rule.caps.get(currency.code())).copied();
        match integer(&pointer, value) {
            Err(fault) => faults.push(fault),
            Ok(units) if units < 0 => {
                faults.push(Fault::invalid(pointer, "negative", "must not be negative"));
            }
            Ok(0) if rule.min > 0 => faults.push(Fault::invalid(pointer, "zero", "must not be zero")),
            Ok(units) if units < rule.min => {
                faults.push(Fault::invalid(pointer, "too_small", format!("must be at least {}", rule.min)));
            }
            Ok(units) => {
                if let Some(cap) = cap.filter(|cap| units > *cap) {
                    faults.push(Fault::invalid(pointer, "above_cap", format!("must be at most {cap}")));
                }
            }
        }
    }
}

fn judge_count(rule: &CountRule, body: &Value<'_>, faults: &mut Vec<Fault>) {
    for (pointer, value) in rule.pattern.select(body) {
        if faults.len() >= FAULTS_LIMIT {
            return;
        }
        match integer(&pointer, value) {
            Err(fault) => faults.push(fault),
            Ok(count) if (rule.min..=rule.max).contains(&count) => {}
            Ok(_) => faults.push(out_of_range(pointer, rule)),
        }
    }
}

fn judge_array(rule: &CountRule, body: &Value<'_>, faults: &mut Vec<Fault>) {
    for (pointer, value) in rule.pattern.select(body) {
        match value {
            None => faults.push(Fault::invalid(pointer, "missing", "must be there")),
            Some(Value::Array(items)) => {
                if !i64::try_from(items.len()).is_ok_and(|length| (rule.min..=rule.max).contains(&length)) {
                    faults.push(out_of_range(pointer, rule));
                }
            }
            Some(_) => faults.push(Fault::invalid(pointer, "not_an_array", "must be an array")),
        }
    }
}

fn out_of_range(pointer: String, rule: &CountRule) -> Fault {
    Fault::invalid(pointer, "out_of_range", format!("must be {} to {}", rule.min, rule.max))
}

/// Asked only when every amount and count is right, so each item has both.
fn judge_sum(rule: &SumRule, body: &Value<'_>, faults: &mut Vec<Fault>) {
    let items = body.pointer(&rule.items).and_then(Value::as_array).unwrap_or_default();
    let units = |value: Option<&Value<'_>>| value.and_then(|value| value.as_minor_units().ok());
    let pairs: Option<Vec<_>> = items
        .iter()
        .map(|item| Some((units(item.get(&rule.quantity))?, units(item.get(&rule.price))?)))
        .collect();
    let (Some(pairs), Some(total)) = (pairs, units(body.pointer(&rule.total))) else {
        faults.push(Fault::invalid(&rule.items, "missing", "every item must have a price and a quantity"));
        return;
    };
    match money::sum(pairs.into_iter()) {
        None => faults.push(Fault::invalid(&rule.items, "overflow", "quantity x price is too large")),
        Some(sum) if sum == total => {}
        Some(sum) => {
            faults.push(Fault::invalid(
                &rule.total,
                "sum_mismatch",
                format!("must be {sum}, the sum of the items"),
            ));
        }
    }
}
