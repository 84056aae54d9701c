//! The one pass over the body.

use std::borrow::Cow;

use super::{DEPTH_LIMIT, Value};
use crate::fault::Fault;

/// Above this many members a doubled key is looked for by sorting, not by comparing each with each.
const FEW_MEMBERS: usize = 16;

pub(super) fn read(body: &[u8]) -> Result<Value<'_>, Fault> {
    let text =
        std::str::from_utf8(body).map_err(|_| Fault::malformed("not_utf8", "The body is not UTF-8."))?;
    if text.starts_with('\u{feff}') {
        return Err(Fault::malformed("byte_order_mark", "The body starts with a byte order mark."));
    }
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(Fault::malformed("empty_body", "There is no body."));
    }
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.fault("trailing_data", "more than one value")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, code: &'static str, what: &str) -> Fault {
        Fault::malformed(code, format!("Not acceptable JSON at byte {}: {what}.", self.at))
    }

    fn syntax(&self, what: &str) -> Fault {
        self.fault("syntax", what)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Takes the byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        if taken {
            self.advance();
        }
        taken
    }

    fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_LIMIT => Err(self.fault("too_deep", "nested deeper than 32")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.syntax("a value was expected")),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.syntax("a value was expected"));
        }
        self.at = self.at.saturating_add(word.len());
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        self.advance();
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key was expected"));
            }
            let key = self.string()?;
            if members.len() < FEW_MEMBERS && members.iter().any(|(name, _)| *name == key) {
                return Err(self.fault("duplicate_key", "a key comes twice"));
            }
            self.skip_space();
            if !self.take(b':') {
                return Err(self.syntax("':' was expected"));
            }
            self.skip_space();
            let value = self.value(depth.saturating_add(1))?;
            members.push((key, value));
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.syntax("',' or '}' was expected"));
            }
        }
        if members.len() > FEW_MEMBERS && has_duplicate(&members) {
            return Err(self.fault("duplicate_key", "a key comes twice"));
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        self.advance();
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth.saturating_add(1))?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.syntax("',' or ']' was expected"));
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance();
        }
        self.at > start
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        self.take(b'-');
        // A leading zero stands alone: what follows it is caught as trailing data or a missing comma.
        let whole = self.take(b'0') || self.digits();
        let fraction = !self.take(b'.') || self.digits();
        let exponent = if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()
        } else {
            true
        };
        if !(whole && fraction && exponent) {
            return Err(self.syntax("a digit was expected"));
        }
        Ok(Value::Number(self.slice(start)))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.advance();
        let mut start = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = self.slice(start);
                    self.advance();
                    return Ok(match unescaped {
                        None => Cow::Borrowed(rest),
                        Some(text) => Cow::Owned(text + rest),
                    });
                }
                Some(b'\\') => {
                    let before = self.slice(start);
                    self.advance();
                    let character = self.escape()?;
                    let text = unescaped.get_or_insert_default();
                    text.push_str(before);
                    text.push(character);
                    start = self.at;
                }
                Some(0..=0x1f) => return Err(self.syntax("a control character in a string")),
                Some(_) => self.advance(),
                None => return Err(self.syntax("a string without an end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let byte = self.peek();
        self.advance();
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.syntax("an unknown escape")),
        })
    }

    /// `\uXXXX`, or two of them as a surrogate pair.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.hex()?;
        let lone = "a lone surrogate";
        let code = match first {
            0xd800..=0xdbff => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(self.fault("lone_surrogate", lone));
                }
                let second = self.hex()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.fault("lone_surrogate", lone));
                }
                // RFC 2781 section 2.2: the pair's twenty bits count from U+10000.
                0x1_0000_u32.saturating_add(((first & 0x3ff) << 10) | (second & 0x3ff))
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.fault("lone_surrogate", lone))
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let end = self.at.saturating_add(4);
        let digits =
            self.text.get(self.at..end).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(digits) = digits else { return Err(self.syntax("four hexadecimal digits were expected")) };
        self.at = end;
        u32::from_str_radix(digits, 16).map_err(|_| self.syntax("four hexadecimal digits were expected"))
    }
}

fn has_duplicate(members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair.first() == pair.last())
}
