//! Numbers as Ruby writes them.

/// Ruby's `Float#to_s`: shortest digits that read back the same, always with a
/// point, exponents from 1e15 up and below 1e-4.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        return exponent_text(value);
    }
    let text = format!("{value}");
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

fn exponent_text(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}{point}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::float_text;

    #[rstest]
    #[case(1.10, "1.1")]
    #[case(0.5, "0.5")]
    #[case(3.0, "3.0")]
    #[case(-0.0, "-0.0")]
    #[case(0.0001, "0.0001")]
    #[case(0.00001, "1.0e-05")]
    #[case(0.000012345, "1.2345e-05")]
    #[case(1e14, "100000000000000.0")]
    #[case(1e15, "1.0e+15")]
    #[case(1234567890123456.0, "1.234567890123456e+15")]
    #[case(1e16, "1.0e+16")]
    #[case(-1.5e20, "-1.5e+20")]
    #[case(1e100, "1.0e+100")]
    #[case(f64::INFINITY, "Infinity")]
    #[case(f64::NEG_INFINITY, "-Infinity")]
    #[case(f64::NAN, "NaN")]
    fn floats_are_written_as_ruby_writes_them(#[case] value: f64, #[case] text: &str) {
        assert_eq!(float_text(value), text);
    }
}
