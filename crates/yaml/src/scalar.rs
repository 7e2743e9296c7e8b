//! What an untyped word of a YAML text turns out to be.

/// The result of a schema's table for one scalar.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Scalar {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not, as its decimal digits.
    BigInt(String),
    /// A number with a point.
    Float(f64),
    /// A symbol, without its colon.
    Symbol(String),
    /// The text as it stands.
    Text,
    /// A value of a Ruby class that GitLab does not let files create.
    Forbidden(&'static str),
}

impl Scalar {
    /// An integer from its digits in one base (`_` and `,` already gone).
    /// None when there are no digits.
    pub(crate) fn integer(negative: bool, digits: &str, radix: u32) -> Option<Self> {
        if digits.is_empty() {
            return None;
        }
        let Ok(magnitude) = i128::from_str_radix(digits, radix) else {
            let sign = if negative { "-" } else { "" };
            let digits = digits.trim_start_matches('0');
            return (radix == 10).then(|| Self::BigInt(format!("{sign}{digits}")));
        };
        let value = if negative { -magnitude } else { magnitude };
        Some(i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string()), Self::Int))
    }
}
