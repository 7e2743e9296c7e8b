//! Whole numbers of any size, from whatever stands for one (pydantic-core:
//! `src/input/shared.rs`).

use crate::api::datafold::json::{Json, MAX_DIGITS};

/// A whole number in its shortest decimal form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Integer(String);

/// Why a value is no whole number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoInteger {
    /// A number between two whole ones.
    Fraction,
    /// A text of anything else.
    Unreadable,
    /// More digits than anybody reads.
    TooLong,
    /// Not a number, or an endless one.
    NotFinite,
    /// Nothing that could stand for a number.
    OtherType,
}

impl NoInteger {
    /// pydantic's `type`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Fraction => "int_from_float",
            Self::Unreadable => "int_parsing",
            Self::TooLong => "int_parsing_size",
            Self::NotFinite => "finite_number",
            Self::OtherType => "int_type",
        }
    }

    /// pydantic's `msg`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Fraction => {
                "Input should be a valid integer, got a number with a fractional part"
            }
            Self::Unreadable => {
                "Input should be a valid integer, unable to parse string as an integer"
            }
            Self::TooLong => "Unable to parse input string as an integer, exceeded maximum size",
            Self::NotFinite => "Input should be a finite number",
            Self::OtherType => "Input should be a valid integer",
        }
    }
}

impl Default for Integer {
    fn default() -> Self {
        Self("0".to_owned())
    }
}

impl Integer {
    /// Reads a value as pydantic does when it is not strict.
    pub fn lax(value: &Json) -> Result<Self, NoInteger> {
        match value {
            Json::Integer(digits) => Ok(Self(digits.clone())),
            Json::Boolean(truth) => Ok(Self(u8::from(*truth).to_string())),
            Json::Float(number) => Self::of_float(*number),
            Json::Text(text) => Self::of_text(text),
            Json::Null | Json::Array(_) | Json::Object(_) => Err(NoInteger::OtherType),
        }
    }

    fn of_float(number: f64) -> Result<Self, NoInteger> {
        if !number.is_finite() {
            Err(NoInteger::NotFinite)
        } else if number.fract() != 0.0 {
            Err(NoInteger::Fraction)
        } else if number.abs() >= 9_223_372_036_854_775_808.0 {
            Err(NoInteger::TooLong)
        } else {
            Ok(Self(format!("{:.0}", number + 0.0)))
        }
    }

    fn of_text(text: &str) -> Result<Self, NoInteger> {
        let text = text.trim();
        if text.len() > MAX_DIGITS {
            return Err(NoInteger::TooLong);
        }
        let (sign, text) = match text.as_bytes().first() {
            Some(b'-') => ("-", &text[1..]),
            Some(b'+') => ("", &text[1..]),
            _ => ("", text),
        };
        let whole = match text.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
                whole
            }
            Some(_) => return Err(NoInteger::Unreadable),
            None => text,
        };
        let parts: Vec<&str> = whole.split('_').collect();
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !parts.iter().all(is_number) {
            return Err(NoInteger::Unreadable);
        }
        let digits = parts.concat();
        Ok(match digits.trim_start_matches('0') {
            "" => Self::default(),
            digits => Self(format!("{sign}{digits}")),
        })
    }

    /// The number, when it has 64 bits at most.
    pub fn to_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Whether it is this number or a greater one.
    pub fn is_at_least(&self, least: i64) -> bool {
        match self.to_i64() {
            Some(number) => number >= least,
            None => !self.0.starts_with('-'),
        }
    }

    /// The number, or the nearest one between these.
    pub fn clamped(&self, least: i64, most: i64) -> i64 {
        match self.to_i64() {
            Some(number) => number.clamp(least, most),
            None if self.0.starts_with('-') => least,
            None => most,
        }
    }

    /// In decimal digits.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::NoInteger::*;
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    /// As pydantic 2.14 answers.
    #[rstest]
    #[case(text("12"), Ok("12"))]
    #[case(text(" 12 "), Ok("12"))]
    #[case(text("+5"), Ok("5"))]
    #[case(text("-007"), Ok("-7"))]
    #[case(text("-0"), Ok("0"))]
    #[case(text("1_000"), Ok("1000"))]
    #[case(text("1_000.0"), Ok("1000"))]
    #[case(text("12.0"), Ok("12"))]
    #[case(
        text("999999999999999999999999999999"),
        Ok("999999999999999999999999999999")
    )]
    #[case(text("12."), Err(Unreadable))]
    #[case(text("12.5"), Err(Unreadable))]
    #[case(text(".0"), Err(Unreadable))]
    #[case(text("1__0"), Err(Unreadable))]
    #[case(text("_1"), Err(Unreadable))]
    #[case(text("1_"), Err(Unreadable))]
    #[case(text("1e3"), Err(Unreadable))]
    #[case(text("0x10"), Err(Unreadable))]
    #[case(text("+-5"), Err(Unreadable))]
    #[case(text("- 5"), Err(Unreadable))]
    #[case(text("١"), Err(Unreadable))]
    #[case(text("abc"), Err(Unreadable))]
    #[case(text(""), Err(Unreadable))]
    #[case(text(&"9".repeat(4301)), Err(TooLong))]
    #[case(Json::Float(12.0), Ok("12"))]
    #[case(Json::Float(-0.0), Ok("0"))]
    #[case(Json::Float(12.5), Err(Fraction))]
    #[case(Json::Float(1e20), Err(TooLong))]
    #[case(Json::Float(f64::NAN), Err(NotFinite))]
    #[case(Json::Boolean(true), Ok("1"))]
    #[case(Json::Integer("-1".into()), Ok("-1"))]
    #[case(Json::Null, Err(OtherType))]
    #[case(Json::Array(Vec::new()), Err(OtherType))]
    #[case(Json::Object(Vec::new()), Err(OtherType))]
    fn what_stands_for_a_whole_number(
        #[case] value: Json,
        #[case] expected: Result<&str, NoInteger>,
    ) {
        let read = Integer::lax(&value).map(Integer::into_text);
        assert_eq!(read.as_deref().map_err(|error| *error), expected);
    }

    #[rstest]
    #[case("0", false, 1)]
    #[case("7", true, 7)]
    #[case("2000", true, 1000)]
    #[case("99999999999999999999", true, 1000)]
    #[case("-99999999999999999999", false, 1)]
    fn numbers_of_any_size_are_compared(
        #[case] number: &str,
        #[case] is_enough: bool,
        #[case] clamped: i64,
    ) {
        let number = Integer(number.to_owned());
        assert_eq!(number.is_at_least(1), is_enough);
        assert_eq!(number.clamped(1, 1000), clamped);
    }
}
