//! The scalar rules of Ruby's Psych, which GitLab reads its files with: YAML
//! 1.1 with corners of its own (`lib/psych/scalar_scanner.rb`).

use crate::scalar::Scalar;

/// Types one unquoted word.
pub(crate) fn resolve(text: &str) -> Scalar {
    let Some(&first) = text.as_bytes().first() else {
        return Scalar::Null;
    };
    match first {
        b'~' if text == "~" => Scalar::Null,
        b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b':' => symbol(text),
        b'0'..=b'9' | b'-' | b'+' | b'.' => number(text),
        _ => Scalar::Text,
    }
}

/// Words in any mix of cases. `y` and `n` alone are texts.
fn word(text: &str) -> Scalar {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("null") {
        Scalar::Null
    } else if is("yes") || is("true") || is("on") {
        Scalar::Bool(true)
    } else if is("no") || is("false") || is("off") {
        Scalar::Bool(false)
    } else {
        Scalar::Text
    }
}

/// `:name`, `:"name"` or `:'name'`; what follows a closing quote is dropped.
fn symbol(text: &str) -> Scalar {
    let name = &text[1..];
    if name.is_empty() || text.contains('\n') {
        return Scalar::Text;
    }
    let quoted = match name.as_bytes()[0] {
        quote @ (b'"' | b'\'') => name[1..].rfind(char::from(quote)).map(|end| &name[1..=end]),
        _ => None,
    };
    let name = quoted.map_or(name, |name| name.strip_prefix(':').unwrap_or(name));
    Scalar::Symbol(name.to_owned())
}

fn number(text: &str) -> Scalar {
    if is_time(text) {
        return Scalar::Forbidden("Time");
    }
    if is_date(text) {
        return Scalar::Forbidden("Date");
    }
    special_float(text)
        .or_else(|| base_60(text))
        .or_else(|| float(text))
        .or_else(|| integer(text))
        .unwrap_or(Scalar::Text)
}

fn special_float(text: &str) -> Option<Scalar> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is(".inf") || is("+.inf") {
        Some(Scalar::Float(f64::INFINITY))
    } else if is("-.inf") {
        Some(Scalar::Float(f64::NEG_INFINITY))
    } else if is(".nan") {
        Some(Scalar::Float(f64::NAN))
    } else {
        None
    }
}

/// `2024-1-2` with an optional zero before one-digit months and days. Whether
/// the day exists is never asked: the class is refused first.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let in_range = |part: &str, max: u32| {
        matches!(part.len(), 1 | 2)
            && all_digits(part)
            && part.parse::<u32>().is_ok_and(|number| number <= max)
    };
    year.len() == 4 && all_digits(year) && in_range(month, 12) && in_range(day, 31)
}

/// `2024-01-02 03:04:05`, with `T`, fraction and zone as YAML 1.1 has them.
fn is_time(text: &str) -> bool {
    let mut rest = Cursor(text.strip_prefix('-').unwrap_or(text).as_bytes());
    let date = rest.digits(4, 4)
        && rest.byte(b'-')
        && rest.digits(1, 2)
        && rest.byte(b'-')
        && rest.digits(1, 2);
    if !date || !(rest.byte(b'T') || rest.byte(b't') || rest.spaces()) {
        return false;
    }
    let time = rest.digits(1, 2)
        && rest.byte(b':')
        && rest.digits(2, 2)
        && rest.byte(b':')
        && rest.digits(2, 2);
    if !time {
        return false;
    }
    if rest.byte(b'.') {
        rest.digits(0, usize::MAX);
    }
    if rest.0.is_empty() {
        return true;
    }
    rest.spaces();
    if rest.byte(b'Z') {
        return rest.0.is_empty();
    }
    if !((rest.byte(b'-') || rest.byte(b'+')) && rest.digits(1, 2)) {
        return false;
    }
    rest.byte(b':');
    rest.0.is_empty() || (rest.digits(2, 2) && rest.0.is_empty())
}

/// What is left of a text to match.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn byte(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn digits(&mut self, min: usize, max: usize) -> bool {
        let count = self
            .0
            .iter()
            .take(max)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.0 = &self.0[count..];
        count >= min
    }

    fn spaces(&mut self) -> bool {
        let count = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.0 = &self.0[count..];
        count > 0
    }
}

/// `12:30` and `12:30:45`. The first part always counts as hours, so `12:30`
/// is 45000, not 750.
fn base_60(text: &str) -> Option<Scalar> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let digits = first.strip_prefix(['-', '+']).unwrap_or(first);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !all_of(digits, |b| b == b'_') {
        return None;
    }
    let rest: Vec<&str> = parts.collect();
    let (last, middle) = rest.split_last()?;
    if rest.len() > 2 || !middle.iter().all(|part| is_sixtieth(part)) {
        return None;
    }
    let (last, fraction) = match last.split_once('.') {
        Some((last, fraction)) => (last, Some(fraction)),
        None => (*last, None),
    };
    if !is_sixtieth(last) || !fraction.is_none_or(|text| all_of(text, |b| b == b'_')) {
        return None;
    }
    let parts = std::iter::once(first).chain(rest.iter().copied());
    if fraction.is_none() {
        let mut sum: i64 = 0;
        for (part, unit) in parts.zip([3600, 60, 1]) {
            let number: i64 = part.replace('_', "").parse().ok()?;
            sum = sum.checked_add(number.checked_mul(unit)?)?;
        }
        return Some(Scalar::Int(sum));
    }
    let mut sum = 0.0;
    for (part, unit) in parts.zip([3600.0, 60.0, 1.0]) {
        sum += part.replace('_', "").parse::<f64>().ok()? * unit;
    }
    Some(Scalar::Float(sum))
}

fn is_sixtieth(part: &str) -> bool {
    matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
}

/// A point is needed and an exponent needs its sign: `1e3` and `1.5e3` are
/// texts.
fn float(text: &str) -> Option<Scalar> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = body.split_once('.')?;
    let well_formed = whole.is_empty()
        || (whole.starts_with(|c: char| c.is_ascii_digit())
            && all_of(whole, |b| matches!(b, b'_' | b',')));
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (rest, None),
    };
    let signed = exponent.is_none_or(|text| {
        text.strip_prefix(['-', '+'])
            .is_some_and(|digits| !digits.is_empty() && all_digits(digits))
    });
    if !well_formed || !signed || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty())
    {
        return None;
    }
    text.replace(['_', ','], "").parse().ok().map(Scalar::Float)
}

/// Decimal, `0b1`, `017` and `0x1f`; `_` and `,` group digits.
fn integer(text: &str) -> Option<Scalar> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let grouped = |text: &str, is_digit: fn(u8) -> bool| {
        text.bytes()
            .all(|byte| is_digit(byte) || matches!(byte, b'_' | b','))
            .then(|| text.replace(['_', ','], ""))
    };
    if let Some(digits) = body.strip_prefix("0b") {
        let digits = grouped(digits, |byte| matches!(byte, b'0' | b'1'))?;
        return Scalar::integer(negative, &digits, 2);
    }
    if let Some(digits) = body.strip_prefix("0x") {
        let digits = grouped(digits, |byte| byte.is_ascii_hexdigit())?;
        return Scalar::integer(negative, &digits, 16);
    }
    if let Some(digits) = body.strip_prefix('0') {
        let digits = grouped(digits, |byte| matches!(byte, b'0'..=b'7'))?;
        return Scalar::integer(negative, &format!("0{digits}"), 8);
    }
    let separator_before_digit = body.as_bytes().windows(2).all(|pair| {
        pair[1].is_ascii_digit() || (matches!(pair[1], b'_' | b',') && pair[0].is_ascii_digit())
    });
    if !body.starts_with(|c: char| c.is_ascii_digit())
        || !body.ends_with(|c: char| c.is_ascii_digit())
        || !separator_before_digit
    {
        return None;
    }
    let digits = grouped(body, |byte| byte.is_ascii_digit())?;
    Scalar::integer(negative, &digits, 10)
}

fn all_digits(text: &str) -> bool {
    all_of(text, |_| false)
}

fn all_of(text: &str, also: fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || also(byte))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::resolve;
    use crate::scalar::Scalar::{self, Bool, Float, Forbidden, Int, Null, Text};

    fn symbol(name: &str) -> Scalar {
        Scalar::Symbol(name.to_owned())
    }

    fn big(digits: &str) -> Scalar {
        Scalar::BigInt(digits.to_owned())
    }

    #[rstest]
    #[case(&["", "~", "null", "Null", "NULL", "nUlL"], Null)]
    #[case(&["yes", "Yes", "YES", "on", "On", "true", "TRUE", "tRuE"], Bool(true))]
    #[case(&["no", "No", "off", "OFF", "false", "False"], Bool(false))]
    #[case(&["y", "n", "Y", "N", "t", "nil", "none", "~x", "truely", "script"], Text)]
    fn words(#[case] texts: &[&str], #[case] expected: Scalar) {
        for text in texts {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[rstest]
    #[case("0", Int(0))]
    #[case("-7", Int(-7))]
    #[case("+7", Int(7))]
    #[case("0755", Int(493))]
    #[case("-0755", Int(-493))]
    #[case("07_5,5", Int(493))]
    #[case("00", Int(0))]
    #[case("0_", Int(0))]
    #[case("08", Text)]
    #[case("0o755", Text)]
    #[case("0x1F", Int(31))]
    #[case("0xF_F", Int(255))]
    #[case("-0x1f", Int(-31))]
    #[case("0xg", Text)]
    #[case("0x", Text)]
    #[case("0X1F", Text)]
    #[case("0b11", Int(3))]
    #[case("0b12", Text)]
    #[case("1_000", Int(1000))]
    #[case("1,000", Int(1000))]
    #[case("1,0", Int(10))]
    #[case("1_000_000", Int(1_000_000))]
    #[case("1__0", Text)]
    #[case("1,", Text)]
    #[case("1_", Text)]
    #[case("_1", Text)]
    #[case("1a", Text)]
    #[case("-", Text)]
    #[case("--1", Text)]
    #[case("9223372036854775807", Int(i64::MAX))]
    #[case("-9223372036854775808", Int(i64::MIN))]
    #[case("9223372036854775808", big("9223372036854775808"))]
    #[case("-1_0000000000000000000000", big("-10000000000000000000000"))]
    #[case(
        "100000000000000000000000000000000000000000000",
        big("100000000000000000000000000000000000000000000")
    )]
    #[case("0x8000000000000000", big("9223372036854775808"))]
    fn integers(#[case] text: &str, #[case] expected: Scalar) {
        assert_eq!(resolve(text), expected);
    }

    #[rstest]
    #[case("12:30", Int(45_000))]
    #[case("12:30:45", Int(45_045))]
    #[case("22:22", Int(80_520))]
    #[case("-1:30", Int(-1_800))]
    #[case("1_0:00", Int(36_000))]
    #[case("12:5", Int(43_500))]
    #[case("12:60", Text)]
    #[case("12:300", Text)]
    #[case("1:2:3:4", Text)]
    #[case("12:", Text)]
    #[case("8080:80", Text)]
    #[case("80:8080", Text)]
    #[case("1:30.5", Float(5_430.0))]
    #[case("1:2:3.5", Float(3_723.5))]
    #[case("1:2:3.", Float(3_723.0))]
    fn base_60(#[case] text: &str, #[case] expected: Scalar) {
        assert_eq!(resolve(text), expected);
    }

    #[rstest]
    #[case("1.10", Float(1.1))]
    #[case(".5", Float(0.5))]
    #[case("-.5", Float(-0.5))]
    #[case("1.", Float(1.0))]
    #[case("1,000.5", Float(1000.5))]
    #[case("1.5e+3", Float(1500.0))]
    #[case("1.e-1", Float(0.1))]
    #[case("1.5e3", Text)]
    #[case("1e3", Text)]
    #[case("1.5e+", Text)]
    #[case("1.2.3", Text)]
    #[case("1._5", Text)]
    #[case("1.5_0", Text)]
    #[case(".", Text)]
    #[case("-.", Text)]
    #[case("..", Text)]
    #[case(".e+3", Text)]
    #[case("./run.sh", Text)]
    #[case(".hidden", Text)]
    #[case(".inf", Float(f64::INFINITY))]
    #[case("+.INF", Float(f64::INFINITY))]
    #[case("-.Inf", Float(f64::NEG_INFINITY))]
    fn floats(#[case] text: &str, #[case] expected: Scalar) {
        assert_eq!(resolve(text), expected);
    }

    #[test]
    fn nan_is_a_float() {
        assert!(matches!(resolve(".NaN"), Float(value) if value.is_nan()));
    }

    #[rstest]
    #[case(&["2024-01-01", "2024-1-1", "2024-02-31", "0000-0-0"], Forbidden("Date"))]
    #[case(
        &[
            "2024-01-01 10:00:00",
            "2024-01-01T10:00:00Z",
            "2024-1-1t1:00:00.123",
            "2024-01-01  10:00:00 +02:00",
            "2024-01-01 10:00:00-2",
            "2024-01-01 10:00:00.",
            "-2024-01-01 10:00:00 Z",
        ],
        Forbidden("Time")
    )]
    #[case(
        &[
            "2024-13-01",
            "2024-01-32",
            "24-01-01",
            "2024-01-001",
            "2024-01",
            "2024-01-01x",
            "-2024-01-01",
            "2024-01-01 10:00",
            "2024-01-01 10:00:00 UTC",
            "2024-01-01T10:00:00+",
        ],
        Text
    )]
    fn dates_and_times_are_classes_that_files_may_not_create(
        #[case] texts: &[&str],
        #[case] expected: Scalar,
    ) {
        for text in texts {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[rstest]
    #[case(":sym", symbol("sym"))]
    #[case(":\"a b\"", symbol("a b"))]
    #[case(":'a'", symbol("a"))]
    #[case(":\":a\"", symbol("a"))]
    #[case(":'a' b", symbol("a"))]
    #[case(":'a", symbol("'a"))]
    #[case("::a", symbol(":a"))]
    #[case(":", Text)]
    #[case("a:b", Text)]
    fn symbols_lose_their_colon(#[case] text: &str, #[case] expected: Scalar) {
        assert_eq!(resolve(text), expected);
    }
}
