//! Nothing that is read as an expression breaks the reader.

use proptest::prelude::*;
use tappet_actions::{Condition, Template, Value};

use crate::surroundings::{Surroundings, evaluate};

/// Pieces of expressions in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("("),
        Just(")"),
        Just("["),
        Just("]"),
        Just(","),
        Just("."),
        Just("*"),
        Just("!"),
        Just("=="),
        Just("<="),
        Just("&&"),
        Just("||"),
        Just("'"),
        Just("'a'"),
        Just("1"),
        Just("-"),
        Just("0x"),
        Just(" "),
        Just("github"),
        Just("github.event.commits.*"),
        Just("format("),
        Just("'{0}'"),
        Just("toJSON("),
        Just("fromJSON("),
        Just("'[1,{}]'"),
        Just("case("),
        Just("true"),
        Just("é"),
        Just("🎉"),
        Just("${{"),
        Just("}}"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Texts of JSON, mostly broken.
fn broken_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("\"a\""),
        Just("\"\\ud83c\\udf89\""),
        Just("\"\\u"),
        Just("\\"),
        Just("1"),
        Just("-1.5e3"),
        Just("1e999"),
        Just("true"),
        Just("null"),
        Just(" "),
        Just("é"),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text(text in any::<String>()) {
        let surroundings = Surroundings::of_a_push();
        let _ = evaluate(&text, &surroundings);
        let _ = Template::parse(&text, &surroundings);
        let _ = Condition::parse(&text, &surroundings);
    }

    #[test]
    fn any_pieces(text in soup()) {
        let surroundings = Surroundings::of_a_push();
        let _ = evaluate(&text, &surroundings);
        if let Ok(template) = Template::parse(&text, &surroundings) {
            let _ = template.evaluate(&surroundings);
        }
    }

    #[test]
    fn any_json_is_read_again_as_it_was_printed(text in broken_json()) {
        if let Ok(value) = tappet_actions::json::read(&text, 100) {
            let printed = tappet_actions::json::print(&value, 1 << 20).expect("it is short");
            let again = tappet_actions::json::read(&printed, 100);
            // Infinity is printed bare, which is no JSON.
            if !printed.contains("Infinity") {
                prop_assert_eq!(again.expect("it is JSON").to_json(), value.to_json());
            }
        }
    }

    #[test]
    fn numbers_read_from_their_text_are_near(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let text = Value::from(number).to_text();
        let again = Value::from(text).to_number();
        let close = (number - again).abs() <= number.abs() * 1e-14 || again.is_infinite();
        prop_assert!(close, "{} {}", number, again);
    }
}

#[test]
fn a_text_of_nothing_but_brackets_is_refused_quickly() {
    for text in ["(", "[", "!", "github[", "format(", "github.*"] {
        let text = text.repeat(21_000 / text.len());
        evaluate(&text, &Surroundings::of_a_push()).expect_err("it is no expression");
    }
}

#[test]
fn nested_filters_cannot_fill_the_memory() {
    let leaf = Value::array(vec![Value::Null; 10]);
    let tree = (0..6).fold(leaf, |inner, _| Value::array(vec![inner; 10]));
    let surroundings = Surroundings::of_a_push().with("a", tree);
    let error = evaluate(&format!("a{}", ".*".repeat(7)), &surroundings);
    assert_eq!(
        error.expect_err("it is too much").to_string(),
        "The maximum allowed memory size was exceeded"
    );
}
