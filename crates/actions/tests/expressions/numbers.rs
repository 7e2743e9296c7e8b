//! Numbers from text and to text.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case("0", 0.0)]
#[case("-0", 0.0)]
#[case("+1", 1.0)]
#[case("-1", -1.0)]
#[case("007", 7.0)]
#[case("1.", 1.0)]
#[case(".5", 0.5)]
#[case("-.5", -0.5)]
#[case("1.50", 1.5)]
#[case("1e3", 1000.0)]
#[case("1E+3", 1000.0)]
#[case("1.5e-3", 0.0015)]
#[case("1.e2", 100.0)]
#[case("0x0", 0.0)]
#[case("0xff", 255.0)]
#[case("0xFF", 255.0)]
#[case("0x7fffffff", 2_147_483_647.0)]
#[case::thirty_two_bits_with_a_sign("0xffffffff", -1.0)]
#[case("0x80000000", -2_147_483_648.0)]
#[case("0o17", 15.0)]
#[case("0o17777777777", 2_147_483_647.0)]
#[case("0o37777777777", -1.0)]
#[case("Infinity", f64::INFINITY)]
#[case("-Infinity", f64::NEG_INFINITY)]
#[case("+Infinity", f64::INFINITY)]
#[case("1e999", f64::INFINITY)]
#[case("-1e999", f64::NEG_INFINITY)]
#[case("1e-999", 0.0)]
#[case("9007199254740993", 9_007_199_254_740_992.0)]
#[case("0.1", 0.1)]
fn number_literals(#[case] expression: &str, #[case] number: f64) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.kind(), "Number");
    assert_eq!(value.to_number(), number);
}

#[test]
fn nan_is_a_literal() {
    let value = evaluate("NaN", &Surroundings::of_a_push()).expect("it has a value");
    assert!(value.to_number().is_nan());
    assert_eq!(value.to_json(), "NaN");
}

/// What a text is equal to as a number.
#[rstest]
#[case("'' == 0", true)]
#[case("'   ' == 0", true)]
#[case("' 1 ' == 1", true)]
#[case("'\t1\n' == 1", true)]
#[case("'1.0' == 1", true)]
#[case("'1e0' == 1", true)]
#[case("'0x10' == 16", true)]
#[case("'0o10' == 8", true)]
#[case("'0X10' == 16", false)]
#[case("'0O10' == 8", false)]
#[case("'0b11' == 3", false)]
#[case("'-0x10' == -16", false)]
#[case("'0x' == 0", false)]
#[case("'0x+1' == 1", false)]
#[case("'0xfffffffff' == 68719476735", false)]
#[case("'1_000' == 1000", false)]
#[case("'1,000' == 1000", false)]
#[case("'1 000' == 1000", false)]
#[case("'1e' == 1", false)]
#[case("'e1' == 1", false)]
#[case("'.' == 0", false)]
#[case("'-' == 0", false)]
#[case("'--1' == 1", false)]
#[case("'1.2.3' == 1.2", false)]
#[case("'Infinity' == Infinity", true)]
#[case("'-Infinity' == -Infinity", true)]
#[case("'infinity' == Infinity", false)]
#[case("'inf' == Infinity", false)]
#[case("'NaN' == NaN", false)]
#[case("'abc' == 0", false)]
#[case("'٣' == 3", false)]
fn texts_as_numbers(#[case] expression: &str, #[case] holds: bool) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_json(), holds);
}

/// The form G15 of .NET, which the runner prints numbers in.
#[rstest]
#[case("0", "0")]
#[case("-0", "0")]
#[case("1", "1")]
#[case("-1.5", "-1.5")]
#[case("1.50", "1.5")]
#[case("0.1", "0.1")]
#[case("100", "100")]
#[case("123456789012345", "123456789012345")]
#[case("999999999999999", "999999999999999")]
#[case("1000000000000000", "1E+15")]
#[case("-1234567890123456", "-1.23456789012346E+15")]
#[case("9007199254740993", "9.00719925474099E+15")]
#[case("999999999999999.9", "1E+15")]
#[case("12345678901234567890", "1.23456789012346E+19")]
#[case("1e20", "1E+20")]
#[case("1e100", "1E+100")]
#[case("1.7976931348623157e308", "1.79769313486232E+308")]
#[case("0.0001", "0.0001")]
#[case("0.00012345", "0.00012345")]
#[case("0.00001", "1E-05")]
#[case("0.0000123", "1.23E-05")]
#[case("-1e-7", "-1E-07")]
#[case("1e-100", "1E-100")]
#[case("5e-324", "4.94065645841247E-324")]
#[case("3.14159265358979323846", "3.14159265358979")]
#[case("123456.7890123456789", "123456.789012346")]
#[case("0.1234567890123456789", "0.123456789012346")]
#[case("Infinity", "Infinity")]
#[case("-Infinity", "-Infinity")]
#[case("NaN", "NaN")]
fn numbers_as_text(#[case] number: &str, #[case] text: &str) {
    let expression = format!("format('{{0}}', {number})");
    let value = evaluate(&expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.as_str(), Some(text));
    let expression = format!("toJSON({number})");
    let value = evaluate(&expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.as_str(), Some(text), "in JSON");
}

/// What programs get: whole numbers without a fraction, all digits.
#[rstest]
#[case("1.0", "1")]
#[case("-0", "0")]
#[case("1.5", "1.5")]
#[case("9007199254740992", "9007199254740992")]
#[case("0.1", "0.1")]
#[case("NaN", "\"NaN\"")]
#[case("Infinity", "\"Infinity\"")]
#[case("-Infinity", "\"-Infinity\"")]
fn numbers_as_json(#[case] expression: &str, #[case] json: &str) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_json().to_string(), json);
}
