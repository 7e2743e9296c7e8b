//! JSON text → [`Value`]: strict (RFC 8259), numbers exactly rounded, those too
//! large are infinite.

use std::sync::Arc;

use crate::value::{Object, Value};

/// Why a text is not JSON, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at line {line}, column {column}")]
pub struct JsonError {
    what: &'static str,
    line: usize,
    column: usize,
}

/// Reads one JSON document whose arrays and objects lie at most `depth` deep.
///
/// # Errors
///
/// When the text is not JSON or lies deeper.
pub fn read(text: &str, depth: usize) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0, depth };
    let value = reader.value()?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("expected the end of the text"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Levels still allowed below the present one.
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, what: &'static str) -> JsonError {
        let before = &self.text.as_bytes()[..self.at];
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        JsonError {
            what,
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: self.at - line_start.map_or(0, |at| at + 1) + 1,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self) -> Result<Value, JsonError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, JsonError>,
    ) -> Result<Value, JsonError> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| self.error("arrays and objects lie too deep"))?;
        self.at += 1;
        let value = read(self)?;
        self.depth += 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        let mut object = Object::new();
        self.blanks();
        if self.take(b'}') {
            return Ok(object.into());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a name in double quotes"));
            }
            let key = self.string()?;
            self.blanks();
            if !self.take(b':') {
                return Err(self.error("expected `:`"));
            }
            let value = self.value()?;
            object.insert_from_document(key, value);
            self.blanks();
            if self.take(b'}') {
                return Ok(object.into());
            }
            if !self.take(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.blanks();
        if self.take(b']') {
            return Ok(Value::array(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.take(b']') {
                return Ok(Value::array(items));
            }
            if !self.take(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
        }
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        for (word, value) in words {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error("expected a value"))
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let number = self.text[start..self.at].parse();
        Ok(Value::Number(number.expect("JSON's numbers are Rust's")))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("expected a digit"));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Arc<str>, JsonError> {
        self.at += 1;
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let plain = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        self.at += plain.unwrap_or(rest.len());
        let text = &self.text[start..self.at];
        if self.take(b'"') {
            return Ok(text.into());
        }
        self.escaped(text.to_owned())
    }

    /// The rest of a string after its part without escapes.
    fn escaped(&mut self, mut text: String) -> Result<Arc<str>, JsonError> {
        loop {
            let letter = self.text[self.at..].chars().next();
            match letter {
                None => return Err(self.error("the text ends inside a string")),
                Some('\0'..='\u{1f}') => return Err(self.error("control letter in a string")),
                Some('"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some('\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(letter) => {
                    self.at += letter.len_utf8();
                    text.push(letter);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let letter = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("unknown escape in a string")),
        };
        self.at += 1;
        Ok(letter)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let second = match first {
            0xd800..=0xdbff if self.text[self.at..].starts_with("\\u") => {
                self.at += 1;
                Some(self.code_unit()?)
            }
            _ => None,
        };
        let mut letters = char::decode_utf16([first].into_iter().chain(second));
        match (letters.next(), letters.next()) {
            (Some(Ok(letter)), None) => Ok(letter),
            _ => Err(self.error("half of a surrogate pair")),
        }
    }

    /// `uXXXX`; the reader stands on the `u`.
    fn code_unit(&mut self) -> Result<u16, JsonError> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        self.at += 5;
        Ok(unit)
    }
}
