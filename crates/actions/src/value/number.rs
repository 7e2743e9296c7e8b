//! Numbers from text and to text.
//!
//! GitHub runner: `ExpressionUtility.ParseNumber` and .NET's format `G15`.

/// Digits that a number is written with.
const PRECISION: i32 = 15;

/// Decimal, `0x` and `0o` numbers and infinity, blanks around them allowed;
/// empty text is 0, all else NaN. Hexadecimal and octal numbers are 32 bits
/// with a sign, as in the runner: `0xffffffff` is -1, longer ones are NaN.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    if is_decimal(text.as_bytes()) {
        return text.parse().unwrap_or(f64::NAN);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

fn radix(digits: &str, radix: u32) -> f64 {
    if digits.starts_with('+') {
        return f64::NAN;
    }
    u32::from_str_radix(digits, radix).map_or(f64::NAN, |bits| f64::from(bits.cast_signed()))
}

/// `[+-] digits [. digits] [e [+-] digits]` with a digit before the exponent.
fn is_decimal(text: &[u8]) -> bool {
    let after_sign = text.strip_prefix(b"-").or(text.strip_prefix(b"+"));
    let (whole, rest) = split_digits(after_sign.unwrap_or(text));
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => split_digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    let [b'e' | b'E', exponent @ ..] = rest else {
        return rest.is_empty();
    };
    let after_sign = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+"));
    let (digits, rest) = split_digits(after_sign.unwrap_or(exponent));
    digits > 0 && rest.is_empty()
}

fn split_digits(text: &[u8]) -> (usize, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits, &text[digits..])
}

/// Fifteen significant digits; from 1E+15 and below 0.0001 with an exponent of
/// at least two digits. Negative zero is `0`.
pub(super) fn to_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 1e15 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and below 1e15, so it fits"
        )]
        return (value as i64).to_string();
    }
    // d.dddddddddddddde-7, exactly rounded.
    let scientific = format!("{:.*e}", PRECISION as usize - 1, value.abs());
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    if !(-4..PRECISION).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!(
            "{sign}{first}{point}{rest}E{direction}{:02}",
            exponent.abs()
        );
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits:0<whole$}");
    }
    let (whole, fraction) = digits.split_at(whole);
    format!("{sign}{whole}.{fraction}")
}

/// Whole numbers without a fraction; those that JSON lacks as text.
pub(super) fn to_json(value: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and within the exact integers, so it fits"
        )]
        return (value as i64).into();
    }
    match serde_json::Number::from_f64(value) {
        Some(number) => number.into(),
        None => to_text(value).into(),
    }
}
