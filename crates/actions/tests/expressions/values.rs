//! What expressions of workflows are worth.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case::null("null", "null")]
#[case::truth("true", "true")]
#[case::whole_number("42", "42")]
#[case::property("github.event.number", "7")]
#[case::property_of_another_case("GitHub.Event.NUMBER", "7")]
#[case::missing_property("github.nothing.at.all", "null")]
#[case::and_gives_an_operand("github.ref && 'yes'", "\"yes\"")]
#[case::or_gives_an_operand("'' || 'b' || fromJSON('bad')", "\"b\"")]
#[case::not("!!github.ref == true", "true")]
#[case::filter(
    "toJSON(github.event.commits.*.author.name)",
    r#""[\n  \"ann\",\n  \"ben\"\n]""#
)]
#[case::call("format('{0}-{{{1}}}', 'a', 0x10)", "\"a-{16}\"")]
fn values(#[case] expression: &str, #[case] json: &str) {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    assert_eq!(value.to_json().to_string(), json);
}
