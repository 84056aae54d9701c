//! The one pass over a body. It keeps its place in open objects and arrays as bits, so no body makes it recurse.

use super::keys::Keys;
use super::number;
use super::text::{self, Text, Wrong};
use super::visitor::{Scalar, Visitor};
use crate::fault::{Code, Fault};

/// Reads a whole body, nested at most so deep (64 and less).
pub(crate) fn read<'a, V: Visitor<'a>>(
    text: &'a str,
    depth_limit: usize,
    keys: &mut Keys,
    visitor: &mut V,
) -> Result<(), Fault> {
    if text.starts_with('\u{feff}') {
        return Err(Fault::whole(Code::ByteOrderMark, "The body must begin without a byte order mark."));
    }
    keys.clear();
    let depth_limit = depth_limit.min(super::DEPTH_LIMIT);
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, depth_limit, depth: 0, objects: 0, keys, visitor };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(Fault::whole(Code::EmptyBody, "There must be a body."));
    }
    reader.whole().map_err(|refusal| *refusal.0)
}

/// A fault, small enough for a result that almost never is one.
struct Refusal(Box<Fault>);

struct Reader<'a, 's, V> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_limit: usize,
    depth: usize,
    /// A bit for each open object or array, the innermost the lowest: 1 for objects.
    objects: u64,
    keys: &'s mut Keys,
    visitor: &'s mut V,
}

impl<'a, V: Visitor<'a>> Reader<'a, '_, V> {
    #[cold]
    fn fault(&self, code: Code, what: &str) -> Refusal {
        Refusal(Box::new(Fault::at(code, self.at, what)))
    }

    #[cold]
    fn syntax(&self, what: &str) -> Refusal {
        self.fault(Code::Syntax, what)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Takes the byte if it is next.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        if taken {
            self.advance();
        }
        taken
    }

    #[inline]
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn whole(&mut self) -> Result<(), Refusal> {
        while self.value()? || self.behind_value()? {}
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault(Code::TrailingData, "the end was expected")),
        }
    }

    /// Reads a value's beginning, and its end if it is a scalar. True where another value must follow.
    fn value(&mut self) -> Result<bool, Refusal> {
        let at = self.at;
        match self.peek() {
            Some(b'{') => return self.begin_object(),
            Some(b'[') => return self.begin_array(),
            Some(b'"') => {
                let text = self.string()?;
                self.visitor.scalar(Scalar::String(text), at);
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                self.visitor.scalar(Scalar::Number(number), at);
            }
            Some(b't') => self.word("true", Scalar::Bool(true))?,
            Some(b'f') => self.word("false", Scalar::Bool(false))?,
            Some(b'n') => self.word("null", Scalar::Null)?,
            _ => return Err(self.syntax("a value was expected")),
        }
        Ok(false)
    }

    /// Goes on behind a value. True where another one must follow; false at the end of the whole.
    fn behind_value(&mut self) -> Result<bool, Refusal> {
        loop {
            self.skip_space();
            if self.depth == 0 {
                return Ok(false);
            }
            let is_object = self.objects & 1 == 1;
            match (self.peek(), is_object) {
                (Some(b','), true) => {
                    self.advance();
                    self.skip_space();
                    return self.key().map(|()| true);
                }
                (Some(b','), false) => {
                    self.advance();
                    self.skip_space();
                    return Ok(true);
                }
                (Some(b'}'), true) => self.end_object()?,
                (Some(b']'), false) => self.end_array(),
                (_, true) => return Err(self.syntax("',' or '}' was expected")),
                (_, false) => return Err(self.syntax("',' or ']' was expected")),
            }
        }
    }

    fn begin(&mut self, is_object: bool) -> Result<(), Refusal> {
        if self.depth >= self.depth_limit {
            return Err(Refusal(Box::new(Fault::too_deep(self.at, self.depth_limit))));
        }
        self.depth = self.depth.saturating_add(1);
        self.objects = (self.objects << 1) | u64::from(is_object);
        self.advance();
        self.skip_space();
        Ok(())
    }

    fn begin_object(&mut self) -> Result<bool, Refusal> {
        let at = self.at;
        self.begin(true)?;
        self.keys.open();
        self.visitor.begin(false, at);
        if self.peek() == Some(b'}') {
            return self.end_object().map(|()| false);
        }
        self.key().map(|()| true)
    }

    fn begin_array(&mut self) -> Result<bool, Refusal> {
        let at = self.at;
        self.begin(false)?;
        self.visitor.begin(true, at);
        if self.peek() == Some(b']') {
            self.end_array();
            return Ok(false);
        }
        Ok(true)
    }

    fn end(&mut self) {
        self.advance();
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
    }

    fn end_object(&mut self) -> Result<(), Refusal> {
        self.end();
        if !self.keys.close(self.text) {
            return Err(self.doubled());
        }
        self.visitor.end();
        Ok(())
    }

    fn end_array(&mut self) {
        self.end();
        self.visitor.end();
    }

    #[cold]
    fn doubled(&self) -> Refusal {
        self.fault(Code::DuplicateKey, "a key must come once")
    }

    /// A key, its colon and the space behind.
    fn key(&mut self) -> Result<(), Refusal> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("a key was expected"));
        }
        let key = self.string()?;
        match self.keys.add(self.text, key) {
            Some(name) => self.visitor.key(name, key),
            None => return Err(self.doubled()),
        }
        self.skip_space();
        if !self.take(b':') {
            return Err(self.syntax("':' was expected"));
        }
        self.skip_space();
        Ok(())
    }

    fn word(&mut self, word: &str, scalar: Scalar<'a>) -> Result<(), Refusal> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(self.syntax("a value was expected"));
        }
        self.visitor.scalar(scalar, self.at);
        self.at = self.at.saturating_add(word.len());
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance();
        }
        self.at > start
    }

    fn number(&mut self) -> Result<&'a str, Refusal> {
        let start = self.at;
        self.take(b'-');
        // A leading zero stands alone: what follows it is caught as trailing data or a missing comma.
        let whole = self.take(b'0') || self.digits();
        let fraction = !self.take(b'.') || self.digits();
        let has_exponent = self.take(b'e') || self.take(b'E');
        if has_exponent {
            let _sign = self.take(b'+') || self.take(b'-');
        }
        let exponent = !has_exponent || self.digits();
        if !(whole && fraction && exponent) {
            return Err(self.syntax("a digit was expected"));
        }
        let number = self.text.get(start..self.at).unwrap_or_default();
        let is_plain = !has_exponent && number.len() <= number::PLAIN_LIMIT;
        if !is_plain && !number::is_in_range(number) {
            return Err(Refusal(Box::new(Fault::at(
                Code::NumberRange,
                start,
                "a number that a double can hold was expected",
            ))));
        }
        Ok(number)
    }

    #[inline]
    fn string(&mut self) -> Result<Text<'a>, Refusal> {
        let start = self.at.saturating_add(1);
        let mut is_escaped = false;
        self.at = text::plain_end(self.bytes, start);
        loop {
            match self.peek() {
                Some(b'"') => {
                    let raw = self.text.get(start..self.at).unwrap_or_default();
                    self.advance();
                    return Ok(Text { raw, start, is_escaped });
                }
                Some(b'\\') => {
                    is_escaped = true;
                    let end = self.escape()?;
                    self.at = text::plain_end(self.bytes, end);
                }
                Some(_) => return Err(self.syntax("a control character must be escaped")),
                None => return Err(self.syntax("a closing quote was expected")),
            }
        }
    }

    /// Where the escape ends whose backslash is next.
    fn escape(&mut self) -> Result<usize, Refusal> {
        let (wrong, at) = match text::escape(self.bytes, self.at.saturating_add(1)) {
            Ok((_, end)) => return Ok(end),
            Err(wrong) => wrong,
        };
        self.at = at;
        Err(match wrong {
            Wrong::Unknown => self.syntax("an escape of RFC 8259 was expected"),
            Wrong::Hex => self.syntax("four hexadecimal digits were expected"),
            Wrong::Surrogate => self.fault(Code::LoneSurrogate, "a surrogate pair was expected"),
        })
    }
}
