//! The functions that mean the same everywhere.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case("contains('abc', 'b')", true)]
#[case("contains('abc', 'B')", true)]
#[case("contains('ABC', 'bc')", true)]
#[case("contains('abc', 'd')", false)]
#[case("contains('abc', '')", true)]
#[case("contains('', '')", true)]
#[case("contains('', 'a')", false)]
#[case("contains(null, '')", true)]
#[case("contains('a', null)", true)]
#[case("contains(123, 2)", true)]
#[case("contains(true, 'RU')", true)]
#[case("contains('1.5', 1.50)", true)]
#[case("contains('É', 'é')", true)]
#[case("contains('abc', github)", false)]
#[case("contains('Object', github)", false)]
#[case("contains(github, 'ref')", false)]
#[case("contains(github, 'Object')", false)]
#[case("contains(matrix.list, 1)", true)]
#[case("contains(matrix.list, '1')", true)]
#[case("contains(matrix.list, 2)", true)]
#[case("contains(matrix.list, 0)", true)]
#[case("contains(matrix.list, false)", true)]
#[case("contains(matrix.list, 'x')", false)]
#[case("contains(matrix.list, 'Array')", false)]
#[case("contains(empty.array, null)", false)]
#[case("contains(empty.array, fromJSON('bad'))", false)]
#[case("contains(github, fromJSON('bad'))", false)]
#[case("contains(fromJSON('[\"Push\", \"x\"]'), github.event_name)", true)]
#[case("contains(fromJSON('[\"pushed\"]'), 'push')", false)]
#[case("contains(fromJSON('[[1]]'), fromJSON('[1]'))", false)]
#[case("contains(lists, lists[0])", true)]
#[case("CONTAINS('a', 'A')", true)]
#[case("contains ( 'a' , 'a' )", true)]
#[case("startsWith('abc', 'AB')", true)]
#[case("startsWith('abc', 'b')", false)]
#[case("startsWith('abc', '')", true)]
#[case("startsWith('abc', null)", true)]
#[case("startsWith('', 'a')", false)]
#[case("startsWith(123, 12)", true)]
#[case("startsWith(github.ref, 'refs/heads/')", true)]
#[case("startsWith('Object', github)", false)]
#[case("startsWith(github, 'Obj')", false)]
#[case("startsWith(matrix.list, '')", false)]
#[case("startsWith(github, fromJSON('bad'))", false)]
#[case("STARTSWITH('a', 'a')", true)]
#[case("endsWith('abc', 'BC')", true)]
#[case("endsWith('abc', 'b')", false)]
#[case("endsWith('abc', '')", true)]
#[case("endsWith(123, 23)", true)]
#[case("endsWith(1.50, '.5')", true)]
#[case("endsWith('Array', matrix.list)", false)]
#[case("endsWith(null, '')", true)]
#[case("endsWith(false, 'SE')", true)]
#[case("endswith('a', 'a')", true)]
fn questions(#[case] expression: &str, #[case] holds: bool) {
    assert_eq!(value(expression), holds.to_string());
}

#[rstest]
#[case("format('')", "")]
#[case("format('plain')", "plain")]
#[case("format('{0}', 'a')", "a")]
#[case("format('{0}{1}{0}', 'a', 'b')", "aba")]
#[case("format('{1}', 'a', 'b')", "b")]
#[case("format('x{0}y', 'a')", "xay")]
#[case("format('{{{0}}}', 'a')", "{a}")]
#[case("format('{{}}')", "{}")]
#[case("format('{{0}}', 'a')", "{0}")]
#[case("format('}}{{')", "}{")]
#[case("format('{{{{')", "{{")]
#[case("format('{00}', 'a')", "a")]
#[case("format('{0:}', 'a')", "a")]
#[case("format('{0}', '{1}')", "{1}")]
#[case("format('{0}', null)", "")]
#[case("format('{0}', true)", "true")]
#[case("format('{0}', 1.50)", "1.5")]
#[case("format('{0}', github)", "Object")]
#[case("format('{0}', matrix.list)", "Array")]
#[case("format('é{0}ü', '🎉')", "é🎉ü")]
#[case("format(1)", "1")]
#[case("format(null)", "")]
#[case("format(github)", "Object")]
#[case("FORMAT('{0}', 'a')", "a")]
#[case::unused_arguments_are_not_evaluated("format('x', fromJSON('bad'))", "x")]
#[case("join(matrix.list)", "1,2,,true")]
#[case("join(matrix.list, '')", "12true")]
#[case("join(matrix.list, ', ')", "1, 2, , true")]
#[case("join(matrix.list, 0)", "10200true")]
#[case("join(matrix.list, null)", "12true")]
#[case("join(matrix.list, github)", "1,2,,true")]
#[case("join(lists)", "Array,Array")]
#[case("join(empty.array)", "")]
#[case("join(empty.array, fromJSON('bad'))", "")]
#[case("join(fromJSON('[1]'), fromJSON('bad'))", "1")]
#[case("join('a', ',')", "a")]
#[case("join(1.50)", "1.5")]
#[case("join(null)", "")]
#[case("join(github)", "")]
#[case("join(fromJSON('[1e20, 0.00001]'), ' ')", "1E+20 1E-05")]
fn texts(#[case] expression: &str, #[case] text: &str) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.as_str(), Some(text));
}

#[rstest]
#[case("case(true, 1, 2)", "1")]
#[case("case(false, 1, 2)", "2")]
#[case("case(false, 1, true, 2, 3)", "2")]
#[case("case(false, 1, false, 2, 3)", "3")]
#[case("case(true, github.nothing, 2)", "null")]
#[case("case(1 == 1, matrix.list, 2)", r#"[1,"2",null,true]"#)]
#[case("CASE(true, 1, 2)", "1")]
#[case::the_rest_is_not_evaluated("case(true, 1, fromJSON('bad'), 2, fromJSON('bad'))", "1")]
#[case::what_was_not_chosen_is_not_evaluated("case(false, fromJSON('bad'), 2)", "2")]
fn cases(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

#[rstest]
#[case(
    "format('{0}')",
    "The following format string references more arguments than were supplied: {0}"
)]
#[case(
    "format('{1}', 'a')",
    "The following format string references more arguments than were supplied: {1}"
)]
#[case("format('{')", "The following format string is invalid: {")]
#[case("format('}')", "The following format string is invalid: }")]
#[case("format('{}', 'a')", "The following format string is invalid: {}")]
#[case("format('{a}', 'a')", "The following format string is invalid: {a}")]
#[case("format('{-1}', 'a')", "The following format string is invalid: {-1}")]
#[case("format('{ 0}', 'a')", "The following format string is invalid: { 0}")]
#[case("format('{0 }', 'a')", "The following format string is invalid: {0 }")]
#[case("format('{0', 'a')", "The following format string is invalid: {0")]
#[case("format('{0}}', 'a')", "The following format string is invalid: {0}}")]
#[case("format('{{0}', 'a')", "The following format string is invalid: {{0}")]
#[case(
    "format('{256}', 'a')",
    "The following format string is invalid: {256}"
)]
#[case("format('{0:x', 'a')", "The following format string is invalid: {0:x")]
#[case(
    "format('{0:x}', 'a')",
    "The format specifiers 'x' are not valid for objects of type 'String'"
)]
#[case(
    "format('{0:a}}b}', 1)",
    "The format specifiers 'a}b' are not valid for objects of type 'Number'"
)]
#[case("case(1, 2, 3)", "case predicate must evaluate to a boolean value")]
#[case(
    "case('true', 2, 3)",
    "case predicate must evaluate to a boolean value"
)]
#[case("case(null, 2, 3)", "case predicate must evaluate to a boolean value")]
#[case(
    "case(false, 1, github, 2, 3)",
    "case predicate must evaluate to a boolean value"
)]
fn failures(#[case] expression: &str, #[case] error: &str) {
    let refused = evaluate(expression, &Surroundings::of_a_push()).expect_err("it has no value");
    assert_eq!(refused.to_string(), error);
}

#[rstest]
#[case("always()", "true")]
#[case("SUCCESS()", "true")]
#[case("!failure() && !cancelled()", "true")]
#[case("hashFiles('**/Cargo.lock', 'x')", r#""**/Cargo.lock""#)]
fn special_functions_ask_the_environment(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

fn value(expression: &str) -> String {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    value.to_json().to_string()
}
