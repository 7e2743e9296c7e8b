//! `toJSON` and `fromJSON`.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case("toJSON(null)", "null")]
#[case("toJSON(true)", "true")]
#[case("toJSON('a')", r#""a""#)]
#[case("toJSON('')", r#""""#)]
#[case("toJSON(empty.object)", "{}")]
#[case("toJSON(empty.array)", "[]")]
#[case(
    "toJSON(empty)",
    "{\n  \"object\": {},\n  \"array\": [],\n  \"text\": \"\"\n}"
)]
#[case(
    "toJSON(lists)",
    "[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ]\n]"
)]
#[case(
    "toJSON(nulls)",
    "[\n  {\n    \"a\": null\n  },\n  {\n    \"a\": 1\n  },\n  {}\n]"
)]
#[case(
    "toJSON(fromJSON('{\"B\":1,\"a\":[2]}'))",
    "{\n  \"B\": 1,\n  \"a\": [\n    2\n  ]\n}"
)]
#[case::quotes_and_backslashes(r#"toJSON('"\')"#, r#""\"\\""#)]
#[case::line_ends("toJSON('\n\r\t')", r#""\n\r\t""#)]
#[case::control_letters(
    "toJSON('\u{1}\u{8}\u{c}\u{1f}\u{7f}')",
    "\"\\u0001\\b\\f\\u001f\u{7f}\""
)]
#[case::line_ends_of_unicode("toJSON('\u{85}\u{2028}\u{2029}')", r#""\u0085\u2028\u2029""#)]
#[case::a_slash_is_plain("toJSON('/')", r#""/""#)]
#[case::other_scripts_are_plain("toJSON('é🎉')", "\"é🎉\"")]
#[case::angle_brackets_are_plain("toJSON('<&>')", "\"<&>\"")]
#[case::a_quoted_key("toJSON(fromJSON('{\"a\\\"b\":1}'))", "{\n  \"a\\\"b\": 1\n}")]
fn printed(#[case] expression: &str, #[case] text: &str) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.as_str(), Some(text));
}

#[rstest]
#[case("null", "null")]
#[case("true", "true")]
#[case("false", "false")]
#[case("0", "0")]
#[case("-0", "0")]
#[case("-1.5e+2", "-150")]
#[case("1E2", "100")]
#[case("0.1", "0.1")]
#[case::too_large("1e400", r#""Infinity""#)]
#[case::exactly_rounded("0.3", "0.3")]
#[case::blanks(" \t\r\n1 ", "1")]
#[case("\"a\"", r#""a""#)]
#[case(r#""\"\\\/\b\f\n\r\t\u0041""#, r#""\"\\/\b\f\n\r\tA""#)]
#[case::a_pair_of_surrogates(r#""\ud83c\udf89""#, "\"🎉\"")]
#[case("[]", "[]")]
#[case("[ 1 , [ ] ]", "[1,[]]")]
#[case("{}", "{}")]
#[case(r#"{ "a" : 1 , "b" : { } }"#, r#"{"a":1,"b":{}}"#)]
#[case::the_last_of_a_repeated_name(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#)]
#[case::the_first_of_names_that_differ_in_case(r#"{"a":1,"A":2}"#, r#"{"a":1}"#)]
#[case::an_empty_name(r#"{"":1}"#, r#"{"":1}"#)]
fn read(#[case] text: &str, #[case] json: &str) {
    let expression = format!("fromJSON('{text}')");
    let value = evaluate(&expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_json().to_string(), json);
}

#[rstest]
#[case("fromJSON(true)", "true")]
#[case("fromJSON(1.5)", "1.5")]
#[case("FROMJSON('[1]')[0]", "1")]
#[case("fromJSON(toJSON(github)).event.number", "7")]
#[case("fromJSON('\"true\"') == true", "false")]
fn read_from_values(#[case] expression: &str, #[case] json: &str) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_json().to_string(), json);
}

#[rstest]
#[case("", "expected a value at line 1, column 1")]
#[case("  ", "expected a value at line 1, column 3")]
#[case("abc", "expected a value at line 1, column 1")]
#[case("True", "expected a value at line 1, column 1")]
#[case("NaN", "expected a value at line 1, column 1")]
#[case("{", "expected a name in double quotes at line 1, column 2")]
#[case("{a: 1}", "expected a name in double quotes at line 1, column 2")]
#[case("{\"a\" 1}", "expected `:` at line 1, column 6")]
#[case("{\"a\": 1,}", "expected a name in double quotes at line 1, column 9")]
#[case("{\"a\": 1 \"b\"}", "expected `,` or `}` at line 1, column 9")]
#[case("[1,]", "expected a value at line 1, column 4")]
#[case("[1", "expected `,` or `]` at line 1, column 3")]
#[case("[1,\n 2 3]", "expected `,` or `]` at line 2, column 4")]
#[case("1 2", "expected the end of the text at line 1, column 3")]
#[case("01", "expected the end of the text at line 1, column 2")]
#[case("1.", "expected a digit at line 1, column 3")]
#[case(".5", "expected a value at line 1, column 1")]
#[case("+1", "expected a value at line 1, column 1")]
#[case("-", "expected a digit at line 1, column 2")]
#[case("1e", "expected a digit at line 1, column 3")]
#[case("\"a", "the text ends inside a string at line 1, column 3")]
#[case("\"a\nb\"", "control letter in a string at line 1, column 3")]
#[case("\"\\x\"", "unknown escape in a string at line 1, column 3")]
#[case("\"\\u12\"", "expected four hexadecimal digits at line 1, column 3")]
#[case("\"\\ud800\"", "half of a surrogate pair at line 1, column 8")]
#[case("/* x */ 1", "expected a value at line 1, column 1")]
fn what_is_not_json(#[case] text: &str, #[case] why: &str) {
    let expression = format!("fromJSON('{text}')");
    let error = evaluate(&expression, &Surroundings::of_a_push()).expect_err("it has no value");
    assert_eq!(error.to_string(), format!("Error parsing fromJson: {why}"));
}

#[rstest]
#[case(100, true)]
#[case(101, false)]
fn json_may_be_a_hundred_deep(#[case] depth: usize, #[case] is_read: bool) {
    let expression = format!("fromJSON('{}{}')", "[".repeat(depth), "]".repeat(depth));
    let value = evaluate(&expression, &Surroundings::of_a_push());
    assert_eq!(value.is_ok(), is_read);
}
