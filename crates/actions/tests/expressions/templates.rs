//! Text with `${{ }}`.

use rstest::rstest;
use tappet_actions::Template;

use crate::surroundings::Surroundings;

#[rstest]
#[case::plain("plain", r#""plain""#)]
#[case::empty("", r#""""#)]
#[case::a_whole_expression_keeps_its_type("${{ 1 }}", "1")]
#[case::of_an_object("${{empty.object}}", "{}")]
#[case::null("${{ github.nothing }}", "null")]
#[case::blanks_around_make_it_text(" ${{ 1 }}", r#"" 1""#)]
#[case::mixed("ci-${{ github.ref }}-x", r#""ci-refs/heads/main-x""#)]
#[case::two("${{ 1 }}${{ null }}${{ true }}", r#""1true""#)]
#[case::braces_around("{${{ 1 }}}", r#""{1}""#)]
#[case::quotes_around("'${{ 'a' }}'", r#""'a'""#)]
#[case::braces_in_a_string("${{ '}}' }}", r#""}}""#)]
#[case::a_quote_and_braces_in_a_string("${{ 'it''s }} fine' }}", r#""it's }} fine""#)]
#[case::an_escaped_opening("${{ '${{' }} x", r#""${{ x""#)]
#[case::an_object_in_text("x ${{ github }}", r#""x Object""#)]
#[case::a_lone_dollar("$HOME ${HOME} $ {{ x }}", r#""$HOME ${HOME} $ {{ x }}""#)]
#[case::closing_without_opening("a }} b", r#""a }} b""#)]
#[case::several_lines("a\n${{\n  1\n}}\nb", r#""a\n1\nb""#)]
fn texts(#[case] text: &str, #[case] json: &str) {
    let surroundings = Surroundings::of_a_push();
    let template = Template::parse(text, &surroundings).expect("it is a template");
    let value = template.evaluate(&surroundings).expect("it has a value");
    assert_eq!(value.to_json().to_string(), json);
    let text = template
        .evaluate_text(&surroundings)
        .expect("it has a value");
    assert_eq!(text, value.to_text());
}

const NOT_CLOSED: &str = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.";

#[rstest]
#[case("${{ 1", NOT_CLOSED)]
#[case("${{ 1 }", NOT_CLOSED)]
#[case("${{ '}}", NOT_CLOSED)]
#[case("${{ 1 }} ${{", NOT_CLOSED)]
#[case("${{}}", "An expression was expected")]
#[case("a ${{   }}", "An expression was expected")]
#[case(
    "a ${{  foo }}",
    "Unrecognized named-value: 'foo'. Located at position 1 within expression: foo"
)]
#[case(
    "${{ 1 + 1 }}",
    "Unexpected symbol: '+'. Located at position 3 within expression: 1 + 1"
)]
fn refusals(#[case] text: &str, #[case] error: &str) {
    let refused = Template::parse(text, &Surroundings::of_a_push()).expect_err("it is refused");
    assert_eq!(refused.to_string(), error);
}

#[rstest]
#[case("plain", Some("plain"))]
#[case("", Some(""))]
#[case("${{ 'a' }}", None)]
fn literals(#[case] text: &str, #[case] literal: Option<&str>) {
    let template = Template::parse(text, &Surroundings::of_a_push()).expect("it is a template");
    assert_eq!(template.literal(), literal);
}
