//! JSON as Python reads it, because clients see where and how it fails: FastAPI
//! passes on what `json.loads` complains of (CPython 3.11: `Modules/_json.c`).
//!
//! Whole numbers keep all their digits: a pull request may have any number.

use std::fmt;

/// Levels of arrays and objects; Python gives up a little later.
const MAX_DEPTH: usize = 500;

/// Digits of a whole number (CPython: `sys.get_int_max_str_digits`).
pub const MAX_DIGITS: usize = 4300;

/// A JSON value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Boolean(bool),
    /// A whole number: digits, with `-` in front when negative, as written.
    Integer(String),
    /// Any other number; `NaN` and infinities, too, which Python reads.
    Float(f64),
    /// A text; halves of surrogate pairs are replaced by U+FFFD.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// Names and values in order; of equal names the last one stays.
    Object(Vec<(String, Json)>),
}

/// Why a text is no JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotJson {
    /// What Python says, and at which character, counted from 0.
    Syntax {
        /// `Expecting value`, …
        message: &'static str,
        /// Of the text.
        position: usize,
    },
    /// Nested more deeply, or a longer number, than Python reads.
    TooMuch,
}

impl Json {
    /// Reads a whole text.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        let mut reader = Reader {
            text: text.chars().collect(),
            at: 0,
        };
        reader.skip_blanks();
        let value = reader.value(0)?;
        reader.skip_blanks();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(reader.refuse("Extra data", reader.at)),
        }
    }

    /// A field of an object.
    pub fn field(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Boolean(truth) => write!(f, "{truth}"),
            Json::Integer(digits) => f.write_str(digits),
            Json::Float(number) if number.is_finite() => write!(f, "{number:?}"),
            Json::Float(_) => f.write_str("null"),
            Json::Text(text) => quoted(f, text),
            Json::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Json::Object(fields) => {
                f.write_str("{")?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    quoted(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "{}", serde_json::Value::from(text))
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn refuse(&self, message: &'static str, position: usize) -> NotJson {
        NotJson::Syntax { message, position }
    }

    /// Goes past a character, if it is there.
    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_there = word.chars().count() <= rest.len()
            && word.chars().eq(rest.iter().copied().take(word.len()));
        self.at += if is_there { word.len() } else { 0 };
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Json, NotJson> {
        if depth > MAX_DEPTH {
            return Err(NotJson::TooMuch);
        }
        match self.peek() {
            Some('"') => self.string().map(Json::Text),
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            _ if self.take_word("null") => Ok(Json::Null),
            _ if self.take_word("true") => Ok(Json::Boolean(true)),
            _ if self.take_word("false") => Ok(Json::Boolean(false)),
            _ if self.take_word("NaN") => Ok(Json::Float(f64::NAN)),
            _ if self.take_word("Infinity") => Ok(Json::Float(f64::INFINITY)),
            _ if self.take_word("-Infinity") => Ok(Json::Float(f64::NEG_INFINITY)),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, NotJson> {
        self.at += 1;
        let mut fields: Vec<(String, Json)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        self.skip_blanks();
        if self.take('}') {
            return Ok(Json::Object(fields));
        }
        loop {
            if self.peek() != Some('"') {
                let message = "Expecting property name enclosed in double quotes";
                return Err(self.refuse(message, self.at));
            }
            let name = self.string()?;
            self.skip_blanks();
            if !self.take(':') {
                return Err(self.refuse("Expecting ':' delimiter", self.at));
            }
            self.skip_blanks();
            let value = self.value(depth + 1)?;
            match places.get(&name) {
                Some(&place) => {
                    let (_, earlier): &mut (String, Json) = &mut fields[place];
                    *earlier = value;
                }
                None => {
                    places.insert(name.clone(), fields.len());
                    fields.push((name, value));
                }
            }
            self.skip_blanks();
            if self.take('}') {
                return Ok(Json::Object(fields));
            }
            if !self.take(',') {
                return Err(self.refuse("Expecting ',' delimiter", self.at));
            }
            self.skip_blanks();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, NotJson> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take(']') {
                return Ok(Json::Array(items));
            }
            if !self.take(',') {
                return Err(self.refuse("Expecting ',' delimiter", self.at));
            }
            self.skip_blanks();
        }
    }

    fn string(&mut self) -> Result<String, NotJson> {
        let begin = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.refuse("Unterminated string starting at", begin)),
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape(begin)?),
                Some(c) if c <= '\u{1f}' => {
                    return Err(self.refuse("Invalid control character at", self.at));
                }
                Some(c) => {
                    self.at += 1;
                    text.push(c);
                }
            }
        }
    }

    /// What a backslash and the letters behind it stand for.
    fn escape(&mut self, begin: usize) -> Result<char, NotJson> {
        let backslash = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else {
            return Err(self.refuse("Unterminated string starting at", begin));
        };
        self.at += 1;
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(),
            _ => return Err(self.refuse("Invalid \\escape", backslash)),
        })
    }

    /// Four digits behind `\u`, and another such escape when both make a pair.
    fn unicode_escape(&mut self) -> Result<char, NotJson> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let behind = self.at;
        let has_room = behind + 6 < self.text.len();
        if has_room && self.take_word("\\u") {
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.at = behind;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Result<u32, NotJson> {
        let begin = self.at;
        let message = "Invalid \\uXXXX escape";
        // The text goes on behind them, if only with its closing quote.
        if begin + 4 >= self.text.len() {
            return Err(self.refuse(message, begin));
        }
        let mut number = 0;
        for digit in &self.text[begin..begin + 4] {
            match digit.to_digit(16) {
                Some(digit) => number = number * 16 + digit,
                None => return Err(self.refuse(message, begin - 1)),
            }
        }
        self.at += 4;
        Ok(number)
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let begin = self.at;
        self.take('-');
        match self.peek() {
            Some('0') => self.at += 1,
            Some('1'..='9') => self.skip_digits(),
            _ => {
                self.at = begin;
                return Err(self.refuse("Expecting value", begin));
            }
        }
        let mut is_whole = true;
        if self.peek() == Some('.') && self.is_digit(self.at + 1) {
            is_whole = false;
            self.at += 1;
            self.skip_digits();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.text.get(self.at + 1), Some('+' | '-')));
            if self.is_digit(self.at + 1 + sign) {
                is_whole = false;
                self.at += 1 + sign;
                self.skip_digits();
            }
        }
        let written: String = self.text[begin..self.at].iter().collect();
        if !is_whole {
            return Ok(Json::Float(written.parse().unwrap_or(f64::NAN)));
        }
        let digits = written.trim_start_matches('-').len();
        match digits > MAX_DIGITS {
            true => Err(NotJson::TooMuch),
            false if written == "-0" => Ok(Json::Integer("0".to_owned())),
            false => Ok(Json::Integer(written)),
        }
    }

    fn is_digit(&self, at: usize) -> bool {
        self.text.get(at).is_some_and(char::is_ascii_digit)
    }

    fn skip_digits(&mut self) {
        while self.is_digit(self.at) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refusal(text: &str) -> (&'static str, usize) {
        match Json::parse(text) {
            Err(NotJson::Syntax { message, position }) => (message, position),
            other => panic!("{text}: {other:?}"),
        }
    }

    /// As `json.loads` of CPython 3.11 answers.
    #[rstest]
    #[case("{", "Expecting property name enclosed in double quotes", 1)]
    #[case("{\"a\":1,}", "Expecting property name enclosed in double quotes", 7)]
    #[case("{'a':1}", "Expecting property name enclosed in double quotes", 1)]
    #[case("{\"a\" 1}", "Expecting ':' delimiter", 5)]
    #[case("{\"a\":}", "Expecting value", 5)]
    #[case("{\"a\":1", "Expecting ',' delimiter", 6)]
    #[case("[1,]", "Expecting value", 3)]
    #[case("[", "Expecting value", 1)]
    #[case("[1 2]", "Expecting ',' delimiter", 3)]
    #[case("", "Expecting value", 0)]
    #[case("  ", "Expecting value", 2)]
    #[case("nul", "Expecting value", 0)]
    #[case("-", "Expecting value", 0)]
    #[case("01", "Extra data", 1)]
    #[case("1.", "Extra data", 1)]
    #[case("1e", "Extra data", 1)]
    #[case("{} x", "Extra data", 3)]
    #[case("\"abc", "Unterminated string starting at", 0)]
    #[case("[\"a\\", "Unterminated string starting at", 1)]
    #[case("\"a\nb\"", "Invalid control character at", 2)]
    #[case("\"a\\xb\"", "Invalid \\escape", 2)]
    #[case("\"\\u12\"", "Invalid \\uXXXX escape", 3)]
    #[case("\"\\u12G4 \"", "Invalid \\uXXXX escape", 2)]
    #[case("[\"ä\",]", "Expecting value", 5)]
    fn python_says_what_is_wrong_and_where(
        #[case] text: &str,
        #[case] message: &str,
        #[case] position: usize,
    ) {
        assert_eq!(refusal(text), (message, position));
    }

    #[rstest]
    #[case(" null ", Json::Null)]
    #[case("-12", Json::Integer("-12".into()))]
    #[case("-0", Json::Integer("0".into()))]
    #[case("100000000000000000000000000000", Json::Integer("100000000000000000000000000000".into()))]
    #[case("1.5", Json::Float(1.5))]
    #[case("2E3", Json::Float(2000.0))]
    #[case("-Infinity", Json::Float(f64::NEG_INFINITY))]
    #[case("\"\\u00e4\\ud83d\\ude00\\n\"", Json::Text("ä😀\n".into()))]
    #[case("\"\\ud83d.\"", Json::Text("\u{fffd}.".into()))]
    #[case("[true,false]", Json::Array(vec![Json::Boolean(true), Json::Boolean(false)]))]
    #[case(
        "{\"a\":1,\"b\":[],\"a\":2}",
        Json::Object(vec![
            ("a".into(), Json::Integer("2".into())),
            ("b".into(), Json::Array(Vec::new())),
        ])
    )]
    fn values_are_what_python_makes_of_them(#[case] text: &str, #[case] expected: Json) {
        assert_eq!(Json::parse(text), Ok(expected));
    }

    #[test]
    fn what_python_cannot_hold_is_too_much() {
        let deep = "[".repeat(MAX_DEPTH + 2);
        assert_eq!(Json::parse(&deep), Err(NotJson::TooMuch));
        assert!(Json::parse(&"9".repeat(MAX_DIGITS)).is_ok());
        assert_eq!(
            Json::parse(&"9".repeat(MAX_DIGITS + 1)),
            Err(NotJson::TooMuch)
        );
    }

    #[test]
    fn a_value_is_written_as_it_was_read() {
        let text =
            r#"{"a":[1,-2.5,"x\"y\n"],"b":{"c":null,"d":true},"e":123456789012345678901234567890}"#;
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }
}
