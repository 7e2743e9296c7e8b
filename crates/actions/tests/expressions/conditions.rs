//! Conditions and the `success()` that most of them imply.

use rstest::rstest;
use tappet_actions::Condition;

use crate::surroundings::Surroundings;

#[rstest]
#[case::nothing_written("", true, false)]
#[case::blanks("  ", true, false)]
#[case::plain("github.ref == 'refs/heads/main'", true, false)]
#[case::does_not_hold("github.ref == 'x'", false, false)]
#[case::in_braces("${{ github.ref }}", true, false)]
#[case::in_braces_and_untrue("${{ false }}", false, false)]
#[case::always("always()", true, true)]
#[case::always_in_braces("${{ always() }}", true, true)]
#[case::always_and("always() && false", false, false)]
#[case::failure("failure()", false, true)]
#[case::failure_inside_a_call("contains(fromJSON('[true]'), failure())", false, true)]
#[case::failure_of_any_case("FAILURE() || 0", false, true)]
#[case::not_cancelled("!cancelled()", true, true)]
#[case::its_name_in_a_text_is_no_call("'always()'", true, false)]
#[case::hash_files_is_no_status("hashFiles('x')", true, false)]
#[case::text_around_braces_is_text("${{ false }} == true", true, false)]
#[case::text_around_a_status("${{ failure() }} x", true, true)]
#[case::an_empty_text("${{ '' }}", false, false)]
fn conditions(#[case] text: &str, #[case] after_success: bool, #[case] after_failure: bool) {
    let succeeded = Surroundings::of_a_push();
    let failed = Surroundings::of_a_push().after_a_failure();
    let condition = Condition::parse(text, &succeeded).expect("it is a condition");
    assert_eq!(
        condition.holds(&succeeded).expect("it has a value"),
        after_success
    );
    assert_eq!(
        condition.holds(&failed).expect("it has a value"),
        after_failure
    );
}

#[test]
fn where_none_is_written_success_is_asked() {
    let condition = Condition::implied();
    let failed = Surroundings::of_a_push().after_a_failure();
    assert!(
        condition
            .holds(&Surroundings::of_a_push())
            .expect("it has a value")
    );
    assert!(!condition.holds(&failed).expect("it has a value"));
}

#[test]
fn an_error_is_not_untrue() {
    let surroundings = Surroundings::of_a_push();
    let condition = Condition::parse("fromJSON('bad')", &surroundings).expect("it is a condition");
    condition.holds(&surroundings).expect_err("it has no value");
}

#[test]
fn after_a_failure_the_rest_is_not_evaluated() {
    let failed = Surroundings::of_a_push().after_a_failure();
    let condition = Condition::parse("fromJSON('bad')", &failed).expect("it is a condition");
    assert!(!condition.holds(&failed).expect("it has a value"));
}
