//! What is no expression, in the words of GitHub's runner.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case("1 +", "Unexpected symbol: '+'", 3)]
#[case("1 + 1", "Unexpected symbol: '+'", 3)]
#[case("0xff + 1", "Unexpected symbol: '+'", 6)]
#[case("1 - 1", "Unexpected symbol: '-'", 3)]
#[case("1-1", "Unexpected symbol: '1-1'", 1)]
#[case("1 -1", "Unexpected symbol: '-1'", 3)]
#[case("2 * 3", "Unexpected symbol: '*'", 3)]
#[case("*", "Unexpected symbol: '*'", 1)]
#[case("1 / 2", "Unexpected symbol: '/'", 3)]
#[case("1 % 2", "Unexpected symbol: '%'", 3)]
#[case("1 2", "Unexpected symbol: '2'", 3)]
#[case("'a' 'b'", "Unexpected symbol: ''b''", 5)]
#[case("true false", "Unexpected symbol: 'false'", 6)]
#[case("github github", "Unexpected symbol: 'github'", 8)]
#[case("a = b", "Unrecognized named-value: 'a'", 1)]
#[case("1 = 1", "Unexpected symbol: '='", 3)]
#[case("1 =1", "Unexpected symbol: '=1'", 3)]
#[case("1 === 1", "Unexpected symbol: '='", 5)]
#[case("1 & 1", "Unexpected symbol: '&'", 3)]
#[case("1 | 1", "Unexpected symbol: '|'", 3)]
#[case("1 == == 2", "Unexpected symbol: '=='", 6)]
#[case("== 2", "Unexpected symbol: '=='", 1)]
#[case("1 ! 2", "Unexpected symbol: '!'", 3)]
#[case("1 && || 2", "Unexpected symbol: '||'", 6)]
#[case("'abc", "Unexpected symbol: ''abc'", 1)]
#[case("'abc''", "Unexpected symbol: ''abc'''", 1)]
#[case("\"abc\"", "Unexpected symbol: '\"abc\"'", 1)]
#[case("'a'.length", "Unexpected symbol: '.'", 4)]
#[case("'a'[0]", "Unexpected symbol: '['", 4)]
#[case("1[0]", "Unexpected symbol: '['", 2)]
#[case("null.x", "Unexpected symbol: '.'", 5)]
#[case("true[0]", "Unexpected symbol: '['", 5)]
#[case("1.2.3", "Unexpected symbol: '1.2.3'", 1)]
#[case("1a", "Unexpected symbol: '1a'", 1)]
#[case("0xg", "Unexpected symbol: '0xg'", 1)]
#[case("0x", "Unexpected symbol: '0x'", 1)]
#[case("0o8", "Unexpected symbol: '0o8'", 1)]
#[case("-a", "Unexpected symbol: '-a'", 1)]
#[case("-", "Unexpected symbol: '-'", 1)]
#[case("-NaN", "Unexpected symbol: '-NaN'", 1)]
#[case(".", "Unexpected symbol: '.'", 1)]
#[case(".a", "Unexpected symbol: '.a'", 1)]
#[case("github.", "Unexpected end of expression: '.'", 7)]
#[case("github..ref", "Unexpected symbol: '.'", 8)]
#[case("github.1", "Unexpected symbol: '1'", 8)]
#[case("github.'ref'", "Unexpected symbol: ''ref''", 8)]
#[case("github.ref()", "Unexpected symbol: '('", 11)]
#[case("github.[0]", "Unexpected symbol: '['", 8)]
#[case("github.*ref", "Unexpected symbol: 'ref'", 9)]
#[case("github*", "Unexpected symbol: 'github*'", 1)]
#[case("github *", "Unexpected symbol: '*'", 8)]
#[case("github[]", "Unexpected symbol: ']'", 8)]
#[case("github['a', 'b']", "Unexpected symbol: ','", 11)]
#[case("github[0", "Unexpected end of expression: '0'", 8)]
#[case("github[", "Unexpected end of expression: '['", 7)]
#[case("github]", "Unexpected symbol: ']'", 7)]
#[case("(1]", "Unexpected symbol: ']'", 3)]
#[case("github[1)", "Unexpected symbol: ')'", 9)]
#[case("contains('a'], 'b')", "Unexpected symbol: ']'", 13)]
#[case("()", "Unexpected symbol: ')'", 2)]
#[case("(1", "Unexpected end of expression: '1'", 2)]
#[case("(", "Unexpected end of expression: '('", 1)]
#[case(")", "Unexpected symbol: ')'", 1)]
#[case("1)", "Unexpected symbol: ')'", 2)]
#[case("(1))", "Unexpected symbol: ')'", 4)]
#[case("1, 2", "Unexpected symbol: ','", 2)]
#[case("(1, 2)", "Unexpected symbol: ','", 3)]
#[case("1 ==", "Unexpected end of expression: '=='", 3)]
#[case("1 &&", "Unexpected end of expression: '&&'", 3)]
#[case("!", "Unexpected end of expression: '!'", 1)]
#[case("format('a'", "Unexpected end of expression: ''a''", 8)]
#[case("format('a',", "Unexpected end of expression: ','", 11)]
#[case("format(", "Unexpected end of expression: '('", 7)]
#[case("format('a',)", "Unexpected symbol: ')'", 12)]
#[case("format(,'a')", "Unexpected symbol: ','", 8)]
#[case("format('a',,'b')", "Unexpected symbol: ','", 12)]
#[case("format('a' 'b')", "Unexpected symbol: ''b''", 12)]
#[case("format", "Unrecognized named-value: 'format'", 1)]
#[case("format['a']", "Unrecognized named-value: 'format'", 1)]
#[case("true()", "Unexpected symbol: '('", 5)]
#[case("NaN()", "Unexpected symbol: '('", 4)]
#[case("(format)('a')", "Unrecognized named-value: 'format'", 2)]
#[case("github('a')", "Unrecognized function: 'github'", 1)]
#[case("foo", "Unrecognized named-value: 'foo'", 1)]
#[case("1 == foo.bar", "Unrecognized named-value: 'foo'", 6)]
#[case("github[foo]", "Unrecognized named-value: 'foo'", 8)]
#[case("TRUE", "Unrecognized named-value: 'TRUE'", 1)]
#[case("Null", "Unrecognized named-value: 'Null'", 1)]
#[case("nan", "Unrecognized named-value: 'nan'", 1)]
#[case("infinity", "Unrecognized named-value: 'infinity'", 1)]
#[case("undefined", "Unrecognized named-value: 'undefined'", 1)]
#[case("lower('A')", "Unrecognized function: 'lower'", 1)]
#[case("foo()", "Unrecognized function: 'foo'", 1)]
#[case("foo(bar)", "Unrecognized function: 'foo'", 1)]
#[case("contains()", "Too few parameters supplied: '('", 9)]
#[case("contains('a')", "Too few parameters supplied: '('", 9)]
#[case("contains('a', 'b', 'c')", "Too many parameters supplied: '('", 9)]
#[case("startsWith('a')", "Too few parameters supplied: '('", 11)]
#[case("endsWith('a', 'b', 'c')", "Too many parameters supplied: '('", 9)]
#[case("format()", "Too few parameters supplied: '('", 7)]
#[case("join()", "Too few parameters supplied: '('", 5)]
#[case("join(1, 2, 3)", "Too many parameters supplied: '('", 5)]
#[case("toJSON()", "Too few parameters supplied: '('", 7)]
#[case("toJSON(1, 2)", "Too many parameters supplied: '('", 7)]
#[case("fromJSON()", "Too few parameters supplied: '('", 9)]
#[case("fromJSON(1, 2)", "Too many parameters supplied: '('", 9)]
#[case("case(true, 1)", "Too few parameters supplied: '('", 5)]
#[case(
    "case(true, 1, true, 2)",
    "Even number of parameters supplied, requires an odd number of parameters: '('",
    5
)]
#[case("success(1)", "Too many parameters supplied: '('", 8)]
#[case("hashFiles()", "Too few parameters supplied: '('", 10)]
#[case("$github", "Unexpected symbol: '$github'", 1)]
#[case("github.a$b", "Unexpected symbol: 'a$b'", 8)]
#[case("${{ 1 }}", "Unexpected symbol: '${{'", 1)]
#[case("git🎉hub", "Unexpected symbol: 'git🎉hub'", 1)]
#[case::positions_count_utf_16_units("'🎉' == foo", "Unrecognized named-value: 'foo'", 9)]
#[case("a-b", "Unrecognized named-value: 'a-b'", 1)]
#[case("-b-", "Unexpected symbol: '-b-'", 1)]
#[case("1 &&\n foo", "Unrecognized named-value: 'foo'", 7)]
fn places(#[case] expression: &str, #[case] what: &str, #[case] position: usize) {
    let error = evaluate(expression, &Surroundings::of_a_push()).expect_err("it is refused");
    assert_eq!(
        error.to_string(),
        format!("{what}. Located at position {position} within expression: {expression}")
    );
}

#[rstest]
#[case("")]
#[case("  \n")]
fn nothing_is_no_expression(#[case] expression: &str) {
    let error = evaluate(expression, &Surroundings::of_a_push()).expect_err("it is refused");
    assert_eq!(error.to_string(), "An expression was expected");
}

/// Fifty levels are allowed; a value is one.
#[rstest]
#[case::not(|levels| format!("{}1", "!".repeat(levels)), 49)]
#[case::properties(|levels| format!("github{}", ".x".repeat(levels)), 49)]
#[case::filters(|levels| format!("github{}", ".*".repeat(levels)), 49)]
#[case::indexes(|levels| format!("{}1{}", "github[".repeat(levels), "]".repeat(levels)), 49)]
#[case::calls(|levels| format!("{}1{}", "join(".repeat(levels), ")".repeat(levels)), 49)]
#[case::comparisons(|levels| format!("1{}", " == 1".repeat(levels)), 49)]
#[case::logic_in_groups(|levels| format!("{}1{}", "1 && (1 || ".repeat(levels), ")".repeat(levels)), 24)]
fn depth_is_limited(#[case] nested: fn(usize) -> String, #[case] allowed: usize) {
    let surroundings = Surroundings::of_a_push();
    evaluate(&nested(allowed), &surroundings).expect("it is not too deep");
    let error = evaluate(&nested(allowed + 1), &surroundings).expect_err("it is too deep");
    assert_eq!(error.to_string(), "Exceeded max expression depth 50");
}

#[rstest]
#[case::groups(format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)))]
#[case::and("1 && ".repeat(4_000) + "1")]
#[case::or("0 || ".repeat(4_000) + "1")]
#[case::and_in_groups(format!("{}1{}", "(1 && ".repeat(2_500), ")".repeat(2_500)))]
fn what_is_long_but_not_deep_is_allowed(#[case] expression: String) {
    let value = evaluate(&expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_number(), 1.0);
}

#[rstest]
#[case(21_000, true)]
#[case(21_001, false)]
fn length_is_limited(#[case] length: usize, #[case] is_read: bool) {
    let expression = format!("'{}'", "a".repeat(length - 2));
    match evaluate(&expression, &Surroundings::of_a_push()) {
        Ok(_) => assert!(is_read),
        Err(error) => {
            assert!(!is_read);
            assert_eq!(error.to_string(), "Exceeded max expression length 21000");
        }
    }
}

#[test]
fn length_counts_utf_16_units() {
    let letters = |count: usize| format!("'{}'", "é".repeat(count));
    let surroundings = Surroundings::of_a_push();
    evaluate(&letters(20_998), &surroundings).expect("it is not too long");
    evaluate(&letters(20_999), &surroundings).expect_err("it is too long");
}

#[rstest]
#[case(255, true)]
#[case(256, false)]
fn functions_take_at_most_255_arguments(#[case] count: usize, #[case] is_read: bool) {
    let expression = format!("format('x'{})", ", 1".repeat(count - 1));
    let value = evaluate(&expression, &Surroundings::of_a_push());
    assert_eq!(value.is_ok(), is_read);
}

#[test]
fn what_an_expression_builds_is_limited() {
    let doubled =
        |inner: String| format!("format('{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}{{0}}', {inner})");
    let expression = (0..12).fold("'0123456789'".to_owned(), |inner, _| doubled(inner));
    let error = evaluate(&expression, &Surroundings::of_a_push()).expect_err("it is too much");
    assert_eq!(
        error.to_string(),
        "The maximum allowed memory size was exceeded"
    );
}
