//! Bodies that move money: judged by the very rule of the sidecar's filter, then read from the judged tree.

use std::str::FromStr;
use std::sync::Arc;

use amount_core::json::{self, Value};
use amount_core::money::{Currency, Money};
use amount_core::{Admission, Config, Fault as AmountFault, Guard, Kind, Scratch, VERIFIED_HEADER};
use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::json::unread;
use crate::problem::{Code, Fault, Problem};

/// How a customer may pay.
const PAYMENT_METHODS: [&str; 3] = ["credit_card", "debit_card", "bank_transfer"];

/// The rules of a service.
#[derive(Debug, Clone)]
pub struct Rules(Arc<Config>);

impl Rules {
    /// From the rule file that the service embeds.
    pub fn new(text: &[u8]) -> Result<Self, String> {
        Config::from_json(text).map(|config| Self(Arc::new(config))).map_err(|problem| problem.to_string())
    }

    /// What the header fields decide. A route without a rule is a fault of ours, and refused.
    fn admit(&self, request: &Request) -> Result<Guard, Problem> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let pseudo = [(&b":method"[..], method.as_bytes()), (&b":path"[..], path.as_bytes())];
        let fields =
            request.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        match self.0.admit(pseudo.into_iter().chain(fields), false) {
            Admission::Body(guard) => Ok(guard),
            Admission::Decided(outcome) if outcome.is_refused() => Err(problem(outcome.faults)),
            Admission::Decided(_) | Admission::Pass => {
                Err(Problem::internal(Code::Internal, &"no amount rule"))
            }
        }
    }
}

/// What a service reads of a body that moves money.
pub trait MovesMoney: Sized {
    /// Reads it, of a body that the rule has passed.
    fn read(body: Reader<'_, '_>) -> Result<Self, Problem>;

    /// The money that the service goes on with.
    fn money(&self) -> Money;
}

/// What a body that moves money says. The body is judged as the sidecar's filter judges it: the header fields first, then
/// the whole body. Nothing can be had of it whose money is not the judged one: [`Code::AmountMismatch`].
#[derive(Debug, Clone)]
pub struct Judged<T>(pub T);

impl<T: MovesMoney, S: Send + Sync> FromRequest<S> for Judged<T>
where
    Rules: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let rules = Rules::from_ref(state);
        let guard = rules.admit(&request)?;
        let told: Vec<HeaderValue> = request.headers().get_all(VERIFIED_HEADER).iter().cloned().collect();
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => problem(rules.0.too_large(guard).faults),
                _ => unread(&rejection),
            })?;
        let outcome = rules.0.judge(guard, &body, &mut Scratch::default());
        if outcome.is_refused() {
            return Err(problem(outcome.faults));
        }
        let tree = json::parse(&body).map_err(|fault| problem(vec![fault]))?;
        let read = T::read(Reader::new(&tree))?;
        confirm(read.money(), outcome.verified.as_deref(), &told)?;
        Ok(Self(read))
    }
}

/// The money is what the service's own rule has judged, and what the sidecar's filter has judged where it tells.
fn confirm(money: Money, judged: Option<&str>, told: &[HeaderValue]) -> Result<(), Problem> {
    let read = money.item();
    let detail = if judged != Some(&*read) {
        "the rule has judged another amount than is read"
    } else if told.iter().any(|told| told.as_bytes() != read.as_bytes()) {
        "the sidecar's filter has judged another amount than is read"
    } else {
        return Ok(());
    };
    Err(Problem::internal(Code::AmountMismatch, &detail))
}

fn problem(faults: Vec<AmountFault>) -> Problem {
    let kind = faults.first().map_or(Kind::Invalid, AmountFault::kind);
    let code = match kind {
        Kind::Malformed => Code::MalformedBody,
        Kind::Invalid => Code::InvalidAmount,
        Kind::MediaType => Code::UnsupportedMediaType,
        Kind::TooLarge => Code::BodyTooLarge,
    };
    let errors = faults.into_iter().map(|fault| Fault {
        pointer: fault.pointer,
        code: fault.code.as_str().to_owned(),
        detail: fault.detail,
    });
    refused(code, errors.collect())
}

fn refused(code: Code, errors: Vec<Fault>) -> Problem {
    Problem::new(code, "See errors for each fault.").with_errors(errors)
}

/// What is wrong with one place of a body that the rule has passed.
pub fn invalid(pointer: &str, code: &str, detail: impl Into<String>) -> Problem {
    let fault = Fault { pointer: pointer.to_owned(), code: code.to_owned(), detail: detail.into() };
    refused(Code::InvalidAmount, vec![fault])
}

/// Reads fields of a judged body.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'v, 'b>(&'v Value<'b>);

impl<'v, 'b> Reader<'v, 'b> {
    /// Of this body.
    pub fn new(body: &'v Value<'b>) -> Self {
        Self(body)
    }

    /// A text of 1 to `limit` bytes. None of them is NUL, which PostgreSQL cannot keep.
    pub fn text(&self, pointer: &str, limit: usize) -> Result<&'v str, Problem> {
        let text = self.0.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| (1..=limit).contains(&text.len()) && !text.contains('\0')).ok_or_else(|| {
            invalid(
                pointer,
                "not_a_text",
                format!("must be a string of 1 to {limit} bytes, none of them NUL"),
            )
        })
    }

    /// An integer of minor units, or a count.
    pub fn minor_units(&self, pointer: &str) -> Result<i64, Problem> {
        let value = self.0.pointer(pointer).ok_or_else(|| invalid(pointer, "missing", "must be there"))?;
        value.as_minor_units().map_err(|(code, detail)| invalid(pointer, code.as_str(), detail))
    }

    /// A currency, or the default where there is none.
    pub fn currency(&self, pointer: &str, default: Option<&str>) -> Result<Currency, Problem> {
        let code = match self.0.pointer(pointer) {
            Some(value) => value.as_str(),
            None => default,
        };
        let currency = code.and_then(|code| Currency::from_str(code).ok());
        currency.ok_or_else(|| invalid(pointer, "unknown_currency", "must be a payable currency"))
    }

    /// An amount as [`Total`] is written, with the exponent that is its currency's own.
    pub fn total(&self, pointer: &str) -> Result<Total, Problem> {
        let [amount, currency, exponent] =
            ["amount", "currency", "exponent"].map(|name| format!("{pointer}/{name}"));
        let money = Money { minor: self.minor_units(&amount)?, currency: self.currency(&currency, None)? };
        let total = Total::from(money);
        if self.minor_units(&exponent)? != i64::from(total.exponent) {
            return Err(invalid(&exponent, "exponent_mismatch", "must be the currency's own"));
        }
        Ok(total)
    }

    /// How many items an array has.
    pub fn length(&self, pointer: &str) -> Result<usize, Problem> {
        let items = self.0.pointer(pointer).and_then(Value::as_array);
        items.map(<[_]>::len).ok_or_else(|| invalid(pointer, "not_an_array", "must be an array"))
    }

    /// One of the known payment methods.
    pub fn payment_method(&self, pointer: &str) -> Result<&'v str, Problem> {
        let method = self.0.pointer(pointer).and_then(Value::as_str);
        method.filter(|method| PAYMENT_METHODS.contains(method)).ok_or_else(|| {
            invalid(
                pointer,
                "unknown_payment_method",
                format!("must be one of {}", PAYMENT_METHODS.join(", ")),
            )
        })
    }
}

/// An amount as answers show it: never without currency and exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Total {
    /// In the currency's minor unit.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// How many decimals the minor unit is below the major one.
    pub exponent: u16,
}

impl From<Money> for Total {
    fn from(money: Money) -> Self {
        Self { amount: money.minor, currency: money.currency, exponent: money.currency.exponent() }
    }
}

impl Total {
    /// From the store.
    pub fn stored(minor: i64, currency: &str) -> Result<Self, String> {
        let known = Currency::from_str(currency);
        let currency = known.map_err(|_| format!("the store holds the currency {currency}"))?;
        Ok(Self::from(Money { minor, currency }))
    }

    /// Without what its currency says already.
    pub fn money(self) -> Money {
        Money { minor: self.amount, currency: self.currency }
    }
}
