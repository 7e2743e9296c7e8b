//! Literals, contexts and properties.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case::null("null", "null")]
#[case::truth("true", "true")]
#[case::untruth("false", "false")]
#[case::blanks_around("  \t\r\n true \n", "true")]
#[case::blanks_of_other_scripts("\u{a0}\u{2003}true\u{3000}", "true")]
#[case::empty_text("''", r#""""#)]
#[case::text("'abc'", r#""abc""#)]
#[case::quote("'it''s'", r#""it's""#)]
#[case::only_a_quote("''''", r#""'""#)]
#[case::every_quote_counts("'''a''b'''", r#""'a'b'""#)]
#[case::braces_and_backslashes_are_plain(r"'\n {0} }} \'", r#""\\n {0} }} \\""#)]
#[case::a_double_quote_is_plain(r#"'say "x"'"#, r#""say \"x\"""#)]
#[case::line_break_in_text("'a\nb'", r#""a\nb""#)]
#[case::text_of_other_scripts("'héé 🎉'", r#""héé 🎉""#)]
fn literals(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

#[rstest]
#[case::context("empty.object", "{}")]
#[case::property("github.ref", r#""refs/heads/main""#)]
#[case::nested("github.event.number", "7")]
#[case::any_case("GitHub.Event.NUMBER", "7")]
#[case::blanks("github . event\n.\tnumber", "7")]
#[case::dash_in_a_name("github.a-b", r#""dashed""#)]
#[case::by_text("github['a-b']", r#""dashed""#)]
#[case::by_text_of_any_case("github['EVENT']['Number']", "7")]
#[case::blanks_inside_brackets("github[ 'ref' ]", r#""refs/heads/main""#)]
#[case::computed("github[format('{0}_name', 'event')]", r#""push""#)]
#[case::named_like_null("words.null", "1")]
#[case::named_like_true("words.true", "2")]
#[case::named_like_a_number("words.NaN", "3")]
#[case::named_like_a_function("words.contains", "4")]
#[case::underscore_first("words._x", "5")]
#[case::missing("github.nothing", "null")]
#[case::of_a_missing("github.nothing.at.all", "null")]
#[case::of_a_missing_by_index("github['nothing'][0]['all']", "null")]
#[case::of_text("github.ref.length", "null")]
#[case::of_a_number("matrix.version.x", "null")]
#[case::of_null("(null).x", "null")]
#[case::of_a_literal_in_a_group("('abc')[0]", "null")]
#[case::of_a_call("fromJSON('{\"a\":{\"b\":1}}').a.b", "1")]
#[case::of_a_group("(github).event.number", "7")]
#[case::of_an_alternative("(matrix.nothing || github.event).number", "7")]
#[case::the_index_of_a_scalar_is_not_evaluated("matrix.os[fromJSON('bad')]", "null")]
#[case::number_as_a_key("words[1]", r#""one""#)]
#[case::number_as_a_key_in_its_text_form("words[1.0]", r#""one""#)]
#[case::truth_as_a_key("words[true]", "2")]
#[case::null_as_a_key("words[null]", r#""nameless""#)]
#[case::object_as_a_key("words[github]", "null")]
#[case::array_as_a_key("words[matrix.list]", "null")]
fn properties(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

#[test]
fn a_context_of_null_is_known_and_null() {
    let surroundings = Surroundings::of(serde_json::json!({"inputs": null}));
    let value = evaluate("inputs.x || inputs", &surroundings).expect("it has a value");
    assert_eq!(value.kind(), "Null");
}

#[test]
fn a_name_that_differs_in_case_from_an_earlier_one_is_left_out() {
    let surroundings = Surroundings::of(serde_json::json!({"a": {"x": 1, "X": 2, "y": 3}}));
    let value = evaluate("a", &surroundings).expect("it has a value");
    assert_eq!(value.to_json().to_string(), r#"{"x":1,"y":3}"#);
}

#[test]
fn many_names_are_found_whatever_their_case() {
    let names: serde_json::Map<String, serde_json::Value> =
        (0..100).map(|n| (format!("Name{n}"), n.into())).collect();
    let surroundings = Surroundings::of(serde_json::json!({"a": names}));
    for n in [0, 15, 16, 17, 99] {
        let value = evaluate(&format!("a.nAmE{n}"), &surroundings).expect("it has a value");
        assert_eq!(value.to_json(), n);
    }
}

#[test]
fn names_can_be_told_apart_by_case() {
    let mut object = tappet_actions::Object::case_sensitive();
    for n in 0..40 {
        object.insert(format!("a{n}"), f64::from(n).into());
        object.insert(format!("A{n}"), f64::from(-n).into());
    }
    assert_eq!(object.len(), 80);
    assert_eq!(object.get("a30").expect("it is there").to_number(), 30.0);
    assert_eq!(object.get("A30").expect("it is there").to_number(), -30.0);
}

#[test]
fn a_name_given_again_keeps_its_place() {
    let mut object = tappet_actions::Object::new();
    object.insert("a", 1.0.into());
    object.insert("b", 2.0.into());
    object.insert("A", 3.0.into());
    let value = tappet_actions::Value::from(object);
    assert_eq!(value.to_json().to_string(), r#"{"a":3,"b":2}"#);
}

fn value(expression: &str) -> String {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    value.to_json().to_string()
}
