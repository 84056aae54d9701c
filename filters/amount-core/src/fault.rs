//! What is wrong with a body: where, what, and what would be right.

use std::fmt;

use serde::{Serialize, Serializer};

/// At most this many faults of one body are told.
pub const FAULTS_LIMIT: usize = 20;

/// What kind of refusal a fault is, and so its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: not JSON, or ambiguous.
    Malformed,
    /// 422: well-formed, but not acceptable.
    Invalid,
    /// 415: not `application/json`, or a content coding.
    MediaType,
    /// 413: above the limit.
    TooLarge,
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Invalid => 422,
            Self::MediaType => 415,
            Self::TooLarge => 413,
        }
    }

    /// The last segment of the problem's type.
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-body",
            Self::Invalid => "invalid-amount",
            Self::MediaType => "unsupported-media-type",
            Self::TooLarge => "body-too-large",
        }
    }

    /// The problem's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The body cannot be read",
            Self::Invalid => "The body is not acceptable",
            Self::MediaType => "The body's type is not application/json",
            Self::TooLarge => "The body is too large",
        }
    }
}

macro_rules! codes {
    ($($name:ident: $text:literal, $kind:ident, $meaning:literal;)*) => {
        /// What a fault is: a stable word for programs and metrics. The set is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What kind of refusal it is.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What it means, for documentation.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    Path: "path", Malformed, "a path, host or method that a lenient server could take for one that a rule guards";
    Upgrade: "upgrade", Malformed, "an upgrade or CONNECT on a route that a rule guards";
    ContentLength: "content_length", Malformed, "Content-Length is not a number, or came more than once";
    Unreadable: "unreadable", Malformed, "the host did not hand over the request";
    RepeatedHeader: "repeated_header", MediaType, "Content-Type or Content-Encoding came more than once";
    ContentType: "content_type", MediaType, "not application/json in UTF-8";
    ContentEncoding: "content_encoding", MediaType, "a content coding";
    TooLargeBody: "too_large_body", TooLarge, "the body is above the rule's limit";
    EmptyBody: "empty_body", Malformed, "no body";
    NotUtf8: "not_utf8", Malformed, "not UTF-8";
    ByteOrderMark: "byte_order_mark", Malformed, "a byte order mark";
    Syntax: "syntax", Malformed, "not JSON (RFC 8259)";
    TrailingData: "trailing_data", Malformed, "something behind the value";
    TooDeep: "too_deep", Malformed, "nested deeper than the rule's limit";
    DuplicateKey: "duplicate_key", Malformed, "a key twice in one object, however it is spelled";
    LoneSurrogate: "lone_surrogate", Malformed, "half of a surrogate pair";
    NumberRange: "number_range", Malformed, "a number beyond what a double can hold";
    TooManyValues: "too_many_values", Invalid, "more values than are judged";
    UnknownCurrency: "unknown_currency", Invalid, "not a payable currency, or none that is allowed here";
    CurrencyMismatch: "currency_mismatch", Invalid, "amounts of different currencies";
    NotAnObject: "not_an_object", Invalid, "not an object where one must be";
    NotAnArray: "not_an_array", Invalid, "not an array where one must be";
    Missing: "missing", Invalid, "not there";
    OutOfRange: "out_of_range", Invalid, "a count, or an array's length, outside of its limits";
    NotANumber: "not_a_number", Invalid, "not a JSON number where one must be";
    NotAString: "not_a_string", Invalid, "not a JSON string where one must be";
    NotAnAmount: "not_an_amount", Invalid, "not an amount's text: another sign, a leading zero, an exponent";
    NotAnInteger: "not_an_integer", Invalid, "a fraction or an exponent where an integer must be";
    TooManyDecimals: "too_many_decimals", Invalid, "more decimals than the currency has";
    MinusZero: "minus_zero", Invalid, "minus zero";
    TooLarge: "too_large", Invalid, "beyond 2^53-1 minor units, or beyond 10^15-1 where major units are a number";
    Negative: "negative", Invalid, "below zero";
    Zero: "zero", Invalid, "zero where an amount must be";
    TooSmall: "too_small", Invalid, "below the rule's minimum";
    AboveCap: "above_cap", Invalid, "above the rule's limit for the currency";
    Overflow: "overflow", Invalid, "a sum or product beyond 2^63-1";
    SumMismatch: "sum_mismatch", Invalid, "a total that is not the sum of its parts";
    AboveLimit: "above_limit", Invalid, "above another amount of the body that limits it";
    UnknownField: "unknown_field", Invalid, "a field that the rule does not know";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// RFC 6901 pointer into the body; empty for the whole.
    pub pointer: String,
    /// What it is.
    pub code: Code,
    /// What would be right, for people; never a value of the body that is no amount.
    pub detail: String,
}

impl Fault {
    /// A fault of one place of the body.
    pub fn new(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }

    /// A fault of the whole request.
    pub fn whole(code: Code, detail: impl Into<String>) -> Self {
        Self::new(code, String::new(), detail)
    }

    /// What kind of refusal.
    pub const fn kind(&self) -> Kind {
        self.code.kind()
    }

    /// A fault of the JSON text at a byte of it.
    pub(crate) fn at(code: Code, byte: usize, what: &str) -> Self {
        Self::whole(code, ["Not acceptable JSON at byte ", &byte.to_string(), ": ", what, "."].concat())
    }

    /// A body that nests deeper than a limit, at a byte of it.
    pub(crate) fn too_deep(byte: usize, limit: usize) -> Self {
        Self::at(Code::TooDeep, byte, &["at most ", &limit.to_string(), " levels may be nested"].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_word_of_its_own_that_a_label_can_hold() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let is_word = |word: &&str| {
            word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        assert!(words.iter().all(is_word));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
    }
}
