//! Every row of what FastAPI and pydantic answer, as their errors stand in a reply.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// What the checks of `check` told of a value, as JSON.
fn told(text: &str, check: impl FnOnce(&mut Checks, &Json)) -> Vec<Value> {
    let value = Json::parse(text).unwrap();
    let mut checks = Checks::default();
    check(&mut checks, &value);
    let problems = checks.problems.iter();
    problems
        .map(|problem| serde_json::from_str(&problem.to_json()).unwrap())
        .collect()
}

fn at(name: &str) -> Place {
    Place::body().field(name)
}

#[rstest]
#[case(
    "12.5",
    "int_from_float",
    "Input should be a valid integer, got a number with a fractional part"
)]
#[case(
    "\"abc\"",
    "int_parsing",
    "Input should be a valid integer, unable to parse string as an integer"
)]
#[case(
    "\"\"",
    "int_parsing",
    "Input should be a valid integer, unable to parse string as an integer"
)]
#[case("null", "int_type", "Input should be a valid integer")]
#[case("[]", "int_type", "Input should be a valid integer")]
fn what_is_no_integer(#[case] value: &str, #[case] kind: &str, #[case] message: &str) {
    let told = told(value, |checks, value| {
        checks.integer(at("pr_number"), value);
    });
    let input: Value = serde_json::from_str(value).unwrap();
    let expected = json!({
        "type": kind, "loc": ["body", "pr_number"], "msg": message, "input": input,
    });
    assert_eq!(told, [expected]);
}

#[test]
fn what_is_too_little() {
    let told = told("\"0\"", |checks, value| {
        checks.integer_from(Place::query("limit"), value, 1);
    });
    let expected = json!({
        "type": "greater_than_equal",
        "loc": ["query", "limit"],
        "msg": "Input should be greater than or equal to 1",
        "input": "0",
        "ctx": { "ge": 1 },
    });
    assert_eq!(told, [expected]);
}

#[test]
fn what_is_unreadable_is_not_too_little_as_well() {
    let told = told("\"x\"", |checks, value| {
        checks.integer_from(Place::query("limit"), value, 1);
    });
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["type"], "int_parsing");
}

#[rstest]
#[case("7", json!({"type":"string_type","msg":"Input should be a valid string","input":7}))]
#[case("null", json!({"type":"string_type","msg":"Input should be a valid string","input":null}))]
#[case("\"abcdef\"", json!({
    "type":"string_too_long","msg":"String should have at most 5 characters","input":"abcdef",
    "ctx":{"max_length":5},
}))]
#[case("\"a\\u0000\"", json!({
    "type":"value_error","msg":"Value error, the text must not hold null characters",
    "input":"a\u{0}","ctx":{"error":{}},
}))]
fn what_is_no_text(#[case] value: &str, #[case] expected: Value) {
    let mut told = told(value, |checks, value| {
        checks.text(at("pr_sha"), value, 5);
    });
    assert_eq!(told.len(), 1);
    let place = told[0].as_object_mut().unwrap().remove("loc");
    assert_eq!(place, Some(json!(["body", "pr_sha"])));
    assert_eq!(told[0], expected);
}

#[rstest]
#[case("true", Some(true))]
#[case("\"Yes\"", Some(true))]
#[case("\"on\"", Some(true))]
#[case("1", Some(true))]
#[case("1.0", Some(true))]
#[case("0", Some(false))]
#[case("\"f\"", Some(false))]
#[case("\"N\"", Some(false))]
#[case("2", None)]
#[case("\"x\"", None)]
#[case("\"\"", None)]
#[case("null", None)]
#[case("1.5", None)]
#[case("[]", None)]
fn what_stands_for_a_truth_value(#[case] value: &str, #[case] expected: Option<bool>) {
    let mut read = false;
    let told = told(value, |checks, value| read = checks.boolean(at("b"), value));
    assert_eq!(told.is_empty(), expected.is_some(), "{told:?}");
    assert_eq!(read, expected.unwrap_or_default());
}

#[rstest]
#[case("2", "bool_parsing")]
#[case("null", "bool_type")]
fn why_something_is_no_truth_value(#[case] value: &str, #[case] kind: &str) {
    let told = told(value, |checks, value| {
        checks.boolean(at("b"), value);
    });
    assert_eq!(told[0]["type"], kind);
}

#[test]
fn fields_are_missed_in_the_order_of_the_checks() {
    let told = told("{}", |checks, value| {
        let fields = checks.object(Place::body(), value);
        for name in ["pr_number", "pr_branch"] {
            fields.required(checks, name);
        }
    });
    let missing =
        |name| json!({"type":"missing","loc":["body",name],"msg":"Field required","input":null});
    assert_eq!(told, [missing("pr_number"), missing("pr_branch")]);
}

#[rstest]
#[case("[\"secret\"]")]
#[case("\"secret\"")]
#[case("5")]
fn what_is_no_object_is_not_sent_back(#[case] body: &str) {
    let told = told(body, |checks, value| {
        let fields = checks.object(Place::body(), value);
        fields.required(checks, "pr_number");
    });
    let expected = json!({
        "type": "model_attributes_type",
        "loc": ["body"],
        "msg": "Input should be a valid dictionary or object to extract fields from",
        "input": null,
    });
    assert_eq!(told, [expected]);
}

#[test]
fn elements_are_told_by_their_index() {
    let told = told("[\"a\", 1]", |checks, value| {
        checks.texts(&at("pk"), value, 10, 10);
    });
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["loc"], json!(["body", "pk", 1]));
    assert_eq!(told[0]["type"], "string_type");
}

#[test]
fn what_is_no_list_and_what_is_too_long_a_one() {
    let list = |value| {
        told(value, |checks, value| {
            checks.list(at("pk"), value, 1);
        })
    };
    let no_list = json!({
        "type": "list_type", "loc": ["body", "pk"], "msg": "Input should be a valid list",
        "input": "id",
    });
    assert_eq!(list("\"id\""), [no_list]);
    let too_long = json!({
        "type": "too_long", "loc": ["body", "pk"],
        "msg": "List should have at most 1 item after validation, not 2", "input": [1, 2],
        "ctx": { "field_type": "List", "max_length": 1, "actual_length": 2 },
    });
    assert_eq!(list("[1, 2]"), [too_long]);
}

#[test]
fn words_are_named_when_another_one_comes() {
    let told = told("\"staging\"", |checks, value| {
        checks.one_of(at("run_type"), value, &["production", "pull_request"]);
    });
    let expected = json!({
        "type": "literal_error",
        "loc": ["body", "run_type"],
        "msg": "Input should be 'production' or 'pull_request'",
        "input": "staging",
        "ctx": { "expected": "'production' or 'pull_request'" },
    });
    assert_eq!(told, [expected]);
}

#[test]
fn broken_json_is_told_with_its_place() {
    let problem = Problem::json_invalid(5, "Expecting value");
    assert_eq!(
        problem.to_json(),
        r#"{"type":"json_invalid","loc":["body",5],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}"#
    );
}

#[test]
fn long_values_are_cut() {
    let text = format!("\"{}\"", "x".repeat(5000));
    let told_text = told(&text, |checks, value| {
        checks.integer(at("n"), value);
    });
    let input = told_text[0]["input"].as_str().unwrap();
    assert!(input.len() < 300 && input.ends_with('…'), "{input}");
    let list = format!("[{}1]", "1,".repeat(2000));
    let told_list = told(&list, |checks, value| {
        checks.integer(at("n"), value);
    });
    assert_eq!(told_list[0]["input"], Value::Null);
}
