//! GitHub's rules for matrices as tables.

use rstest::rstest;
use serde_json::json;
use tappet_model::Position;

use super::*;

const HERE: Position = Position { line: 3, column: 7 };

fn expand(matrix: serde_json::Value) -> Result<Vec<Combination>, String> {
    let tree = Tree::of_value(&Value::from(matrix), HERE);
    combinations(&tree).map_err(|error| error.to_string())
}

fn values(matrix: serde_json::Value) -> serde_json::Value {
    let combinations = expand(matrix).expect("the matrix is valid");
    combinations
        .iter()
        .map(|combination| combination.values.to_json())
        .collect()
}

fn names(matrix: serde_json::Value) -> Vec<String> {
    let combinations = expand(matrix).expect("the matrix is valid");
    combinations
        .iter()
        .map(|combination| leg_name("build", &combination.name_parts))
        .collect()
}

#[rstest]
#[case::the_first_key_varies_slowest(
    json!({"os": ["a", "b"], "v": [1, 2]}),
    json!([{"os": "a", "v": 1}, {"os": "a", "v": 2}, {"os": "b", "v": 1}, {"os": "b", "v": 2}])
)]
#[case::exclude_takes_out_every_match_of_a_partial_item(
    json!({"os": ["a", "b"], "v": [1, 2], "exclude": [{"os": "a"}]}),
    json!([{"os": "b", "v": 1}, {"os": "b", "v": 2}])
)]
#[case::exclude_compares_like_double_equals(
    json!({"os": ["A"], "v": [1, 2], "exclude": [{"os": "a", "v": "1"}]}),
    json!([{"os": "A", "v": 2}])
)]
#[case::exclude_looks_into_nested_values(
    json!({"node": [{"v": 1, "npm": 6}, {"v": 2, "npm": 6}], "exclude": [{"node": {"v": 1}}]}),
    json!([{"node": {"v": 2, "npm": 6}}])
)]
#[case::exclude_compares_lists_item_by_item(
    json!({"pair": [[1, 2], [1, 3]], "exclude": [{"pair": [1, 2]}]}),
    json!([{"pair": [1, 3]}])
)]
#[case::include_adds_to_what_it_matches(
    json!({"os": ["a", "b"], "include": [{"os": "a", "extra": true}]}),
    json!([{"os": "a", "extra": true}, {"os": "b"}])
)]
#[case::include_without_a_filter_adds_to_all(
    json!({"os": ["a", "b"], "include": [{"color": "green"}]}),
    json!([{"os": "a", "color": "green"}, {"os": "b", "color": "green"}])
)]
#[case::later_includes_overwrite_earlier_ones(
    json!({"os": ["a"], "include": [{"color": "green"}, {"os": "a", "color": "pink"}]}),
    json!([{"os": "a", "color": "pink"}])
)]
#[case::an_include_that_matches_nothing_is_a_combination_of_its_own(
    json!({"os": ["a"], "include": [{"x": 1, "os": "c"}]}),
    json!([{"os": "a"}, {"os": "c", "x": 1}])
)]
#[case::an_include_that_only_matches_adds_nothing(
    json!({"os": ["a"], "include": [{"os": "a"}]}),
    json!([{"os": "a"}])
)]
#[case::includes_do_not_match_what_was_excluded(
    json!({"os": ["a", "b"], "exclude": [{"os": "a"}], "include": [{"os": "a", "x": 1}]}),
    json!([{"os": "b"}, {"os": "a", "x": 1}])
)]
#[case::includes_alone_are_a_matrix(
    json!({"include": [{"site": "prod"}, {"site": "staging"}]}),
    json!([{"site": "prod"}, {"site": "staging"}])
)]
#[case::the_example_of_githubs_page(
    json!({
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }),
    json!([
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ])
)]
#[case::null_is_a_value(
    json!({"v": [null, 1], "exclude": [{"v": 1}]}),
    json!([{"v": null}])
)]
#[case::an_empty_list_of_an_expression_leaves_only_includes(
    json!({"os": [], "include": [{"os": "a"}]}),
    json!([{"os": "a"}])
)]
#[case::nothing_at_all(json!({"os": []}), json!([]))]
fn combinations_are(#[case] matrix: serde_json::Value, #[case] expected: serde_json::Value) {
    assert_eq!(values(matrix), expected);
}

#[rstest]
#[case(json!({"os": ["ubuntu"], "v": [20, 1.5]}), &["build (ubuntu, 20)", "build (ubuntu, 1.5)"])]
#[case(json!({"flag": [true, false]}), &["build (true)", "build (false)"])]
#[case(json!({"os": ["", "a"]}), &["build", "build (a)"])]
#[case(json!({"v": [null]}), &["build"])]
#[case(json!({"node": [{"v": 1, "more": ["x", "y"]}]}), &["build (1, x, y)"])]
#[case(json!({"os": ["a"], "include": [{"os": "a", "extra": 1}]}), &["build (a)"])]
#[case(json!({"include": [{"os": "a", "extra": 1}]}), &["build (a, 1)"])]
fn names_hold_the_scalars_of_the_matrix(
    #[case] matrix: serde_json::Value,
    #[case] expected: &[&str],
) {
    assert_eq!(names(matrix), expected);
}

#[test]
fn a_long_name_is_cut_at_a_hundred_characters() {
    let names = names(json!({"os": ["é".repeat(200)]}));
    assert_eq!(names[0].chars().count(), 100);
    assert!(names[0].starts_with("build (é") && names[0].ends_with("é..."));
}

#[rstest]
#[case(json!([]), "A sequence was not expected")]
#[case(json!({"os": "a"}), "Unexpected value 'a'")]
#[case(json!({"os": ["a"], "include": ["a"]}), "Unexpected value 'a'")]
#[case(json!({"os": ["a"], "include": [{}]}), "Matrix include mapping does not contain any values")]
#[case(json!({"os": ["a"], "exclude": [{}]}), "Matrix exclude filter must not be empty")]
#[case(
    json!({"os": ["a"], "exclude": [{"cpu": 1}]}),
    "Matrix exclude key 'cpu' does not match any key within the matrix"
)]
fn what_is_no_matrix_is_refused_with_its_place(
    #[case] matrix: serde_json::Value,
    #[case] expected: &str,
) {
    assert_eq!(
        expand(matrix).err(),
        Some(format!("{expected} at line 3 column 7"))
    );
}

#[test]
fn two_hundred_and_fifty_six_legs_are_the_most() {
    let vector = |length: u32| (0..length).collect::<Vec<_>>();
    assert_eq!(
        values(json!({"a": vector(16), "b": vector(16)}))
            .as_array()
            .map(Vec::len),
        Some(256)
    );
    let too_many = expand(json!({"a": vector(257)})).err();
    assert_eq!(
        too_many.as_deref(),
        Some(
            "The matrix makes 257 jobs; 256 are the most. Split it into several jobs at line 3 column 7"
        )
    );
}

#[test]
fn a_product_of_millions_is_refused_without_being_built() {
    let vector: Vec<u32> = (0..1000).collect();
    let error = expand(json!({"a": vector, "b": vector, "c": vector})).err();
    assert!(error.is_some_and(|error| error.starts_with("The matrix makes 1000000000 jobs")));
}
