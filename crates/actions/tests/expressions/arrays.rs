//! Arrays, indexes and what `.*` makes.

use rstest::rstest;

use crate::surroundings::{Surroundings, evaluate};

#[rstest]
#[case::first("matrix.list[0]", "1")]
#[case::last("matrix.list[3]", "true")]
#[case::out_of_range("matrix.list[4]", "null")]
#[case::negative("matrix.list[-1]", "null")]
#[case::floor("matrix.list[1.9]", r#""2""#)]
#[case::text("matrix.list['1']", r#""2""#)]
#[case::text_with_blanks("matrix.list[' 1 ']", r#""2""#)]
#[case::empty_text_is_zero("matrix.list['']", "1")]
#[case::null_is_zero("matrix.list[null]", "1")]
#[case::truth_is_one("matrix.list[true]", r#""2""#)]
#[case::no_number("matrix.list['x']", "null")]
#[case::nan("matrix.list[NaN]", "null")]
#[case::infinity("matrix.list[Infinity]", "null")]
#[case::beyond_32_bits("matrix.list[4294967296]", "null")]
#[case::object("matrix.list[github]", "null")]
#[case::property("matrix.list.length", "null")]
#[case::hexadecimal("matrix.list[0x1]", r#""2""#)]
#[case::nested("github.event.commits[1].author.name", r#""ben""#)]
#[case::index_of_an_index("matrix.list[matrix.list[0]]", r#""2""#)]
fn indexes(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

#[rstest]
#[case::of_an_array("matrix.list.*", r#"[1,"2",null,true]"#)]
#[case::in_brackets("matrix.list[*]", r#"[1,"2",null,true]"#)]
#[case::blanks("matrix.list[ * ]", r#"[1,"2",null,true]"#)]
#[case::of_an_object("tree.*", r#"[{"v":1,"w":[1,2]},{"v":2,"w":[3]},"leaf"]"#)]
#[case::maps_a_property("github.event.commits.*.id", r#"["c1","c2","c3"]"#)]
#[case::drops_what_is_missing("github.event.commits.*.author.name", r#"["ann","ben"]"#)]
#[case::keeps_what_is_null("nulls.*.a", "[null,1]")]
#[case::maps_a_property_of_any_case("github.event.commits.*.ID", r#"["c1","c2","c3"]"#)]
#[case::maps_an_index("github.event.commits.*.files[0]", r#"["a","c"]"#)]
#[case::an_index_drops_what_is_out_of_range("github.event.commits.*.files[1]", r#"["b"]"#)]
#[case::maps_a_text_index("github.event.commits.*['id']", r#"["c1","c2","c3"]"#)]
#[case::again_flattens("github.event.commits.*.files.*", r#"["a","b","c"]"#)]
#[case::twice_on_objects("tree.*.*", "[1,[1,2],2,[3]]")]
#[case::thrice("tree.*.*.*", "[1,2,3]")]
#[case::to_the_end("tree.*.*.*.*", "[]")]
#[case::index_on_a_filter_goes_into_the_items("matrix.list.*[0]", "[]")]
#[case::index_on_a_filter_of_arrays("lists.*[1]", "[2,4]")]
#[case::index_by_truth_on_a_filter("lists.*[true]", "[2,4]")]
#[case::index_by_object_on_a_filter("lists.*[github]", "[]")]
#[case::of_text("matrix.os.*", "[]")]
#[case::of_null("github.nothing.*", "[]")]
#[case::of_a_number("matrix.version.*", "[]")]
#[case::of_null_and_on("github.nothing.*.a.b", "[]")]
#[case::of_an_empty_object("empty.object.*", "[]")]
#[case::of_a_call("fromJSON('[{\"a\":1},{\"a\":2}]').*.a", "[1,2]")]
#[case::a_group_stays_a_filter("(github.event.commits.*).id", r#"["c1","c2","c3"]"#)]
#[case::read_again_it_is_plain("fromJSON(toJSON(matrix.list.*))[0]", "1")]
#[case::plain_array_inside_a_filter("lists.*.*", "[1,2,3,4]")]
#[case::in_an_operator("github.event.commits.*.id && 'x'", r#""x""#)]
fn filters(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

#[rstest]
#[case("contains(github.event.commits.*.author.name, 'BEN')", "true")]
#[case("contains(github.event.commits.*.author.name, 'carl')", "false")]
#[case("join(github.event.commits.*.id, '-')", r#""c1-c2-c3""#)]
#[case("join(github.event.commits.*.author)", r#""Object,Object""#)]
#[case("toJSON(github.nothing.*)", r#""[]""#)]
#[case("format('{0}', matrix.list.*)", r#""Array""#)]
fn filters_in_functions(#[case] expression: &str, #[case] json: &str) {
    assert_eq!(value(expression), json);
}

fn value(expression: &str) -> String {
    let value = evaluate(expression, &Surroundings::of_a_push()).expect("it has a value");
    value.to_json().to_string()
}
