//! The scalar rules of YAML 1.2's core schema.

use crate::scalar::Scalar;

/// Types one unquoted word.
pub(crate) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        _ => number(text).unwrap_or(Scalar::Text),
    }
}

fn number(text: &str) -> Option<Scalar> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix_integer(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix_integer(digits, 16);
    }
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") {
        let sign = if negative { -1.0 } else { 1.0 };
        return Some(Scalar::Float(sign * f64::INFINITY));
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(body) {
        return Scalar::integer(negative, body, 10);
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    if !(is_digits(whole) && is_digits(fraction) && has_digits && exponent_fits) {
        return None;
    }
    text.parse().ok().map(Scalar::Float)
}

fn radix_integer(digits: &str, radix: u32) -> Option<Scalar> {
    digits
        .chars()
        .all(|digit| digit.is_digit(radix))
        .then(|| Scalar::integer(false, digits, radix))?
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::resolve;
    use crate::scalar::Scalar::{self, Bool, Float, Int, Null, Text};

    #[rstest]
    #[case(&["", "~", "null", "NULL"], Null)]
    #[case(&["true", "True"], Bool(true))]
    #[case(&["false", "FALSE"], Bool(false))]
    #[case(
        &[
            "yes", "no", "on", "off", "y", "tRue", "nUll", ":sym", "2024-01-01", "12:30",
            "1_000", "1,000", "0b11", "+0x1", "0o8", "0x", ".", "-", "e3", "1e", "1.2.3",
        ],
        Text
    )]
    #[case(&["0755", "755", "+755"], Int(755))]
    #[case(&["0o17", "0xF", "15"], Int(15))]
    #[case(&["1e3", "1000.0", "1.0E+3", "+1000."], Float(1000.0))]
    #[case(&[".5", "0.5"], Float(0.5))]
    #[case(&[".inf", "+.Inf"], Float(f64::INFINITY))]
    #[case(&["-.INF"], Float(f64::NEG_INFINITY))]
    fn words_and_numbers(#[case] texts: &[&str], #[case] expected: Scalar) {
        for text in texts {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }
}
