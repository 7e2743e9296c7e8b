//! Pipelines of merge requests, and of files that say nothing about them.

use rstest::rstest;
use tappet_model::Source;

use crate::scenario::file;

#[rstest]
#[case("j: {script: x}", false)]
#[case("j: {script: 'echo $CI_MERGE_REQUEST_IID'}", false)]
#[case("# merge_requests\nj: {script: x}", false)]
#[case("j: {script: x, only: [branches]}", false)]
#[case("j: {script: x, only: [merge_requests]}", true)]
#[case("j: {script: x, except: {refs: [merge_requests]}}", true)]
#[case("j: {script: x, rules: [{if: $CI_COMMIT_BRANCH}]}", false)]
#[case("j: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}", true)]
#[case(
    "j: {script: x, rules: [[{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]]}",
    true
)]
#[case(
    "workflow: {rules: [{if: $CI_MERGE_REQUEST_ID}, {when: always}]}\nj: {script: x}",
    true
)]
#[case(".a: {rules: [{if: $CI_MERGE_REQUEST_ID}]}\nj: {script: x}", false)]
#[case(
    ".a: {rules: [{if: $CI_MERGE_REQUEST_ID}]}\nj: {script: x, extends: .a}",
    true
)]
fn files_speak_of_merge_requests_where_jobs_are_decided(
    #[case] text: &str,
    #[case] expected: bool,
) {
    assert_eq!(file(text).speaks_of_merge_requests(), expected);
}

#[test]
fn jobs_that_say_nothing_join_when_they_are_asked_to() {
    let text = "\
unspoken: {script: x}
branches: {script: x, only: [branches]}
except: {script: x, except: [tags]}
rules: {script: x, rules: [{if: $CI_COMMIT_BRANCH}]}
always: {script: x, rules: [{when: always}]}
";
    let strict = file(text).from(Source::MergeRequestEvent);
    assert_eq!(strict.jobs(), ["always"]);
    let lenient = strict.in_which_unspoken_jobs_join();
    assert_eq!(lenient.jobs(), ["unspoken", "always"]);
}

#[test]
fn the_source_and_the_variables_of_a_merge_request_decide() {
    let text = "\
j:
  script: x
  rules:
    - if: $CI_PIPELINE_SOURCE == 'merge_request_event' && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == 'main'
";
    let scenario = |target| {
        file(text)
            .from(Source::MergeRequestEvent)
            .predefined("CI_PIPELINE_SOURCE", "merge_request_event")
            .predefined("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", target)
    };
    assert_eq!(scenario("main").jobs(), ["j"]);
    assert!(scenario("dev").try_plan().is_err());
}
