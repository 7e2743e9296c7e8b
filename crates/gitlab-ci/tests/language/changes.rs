//! `changes` and `exists`.

use rstest::rstest;
use tappet_model::Source;

use crate::scenario::{Scenario, error, file};

fn rules(rule: &str) -> Scenario {
    file(&format!(
        "ok: {{script: x}}\nj:\n  script: x\n  rules:\n    - {rule}\n"
    ))
}

fn is_included(scenario: &Scenario) -> bool {
    scenario.jobs().contains(&"j".to_owned())
}

/// A rule, what was changed, and whether the job is made.
#[rstest]
#[case("changes: ['*.md']", &["README.md"], true)]
#[case("changes: ['*.md']", &["docs/README.md"], false)]
#[case("changes: ['**/*.md']", &["docs/README.md"], true)]
#[case("changes: [docs/**/*]", &["docs/a/b"], true)]
#[case("changes: [a, b]", &["b"], true)]
#[case("changes: [a, b]", &["c"], false)]
#[case("changes: [a]", &[], false)]
#[case("changes: []", &["a"], false)]
#[case("changes: {paths: [a]}", &["a"], true)]
#[case("changes: {paths: [a]}", &["b"], false)]
#[case("changes: [$DIR/*]", &["src/a"], true)]
#[case("changes: ['${DIR}/*']", &["lib/a"], false)]
#[case("changes: [$NESTED/*]", &["src/deep/a"], true)]
#[case("changes: [$UNKNOWN]", &["$UNKNOWN"], true)]
#[case("{if: $DIR, changes: [a]}", &["a"], true)]
#[case("{if: $NO, changes: [a]}", &["a"], false)]
#[case("{changes: [a], when: never}", &["a"], false)]
fn changed_files_decide(#[case] rule: &str, #[case] changed: &[&str], #[case] expected: bool) {
    let scenario = rules(rule)
        .changing(changed)
        .with("DIR", "src")
        .with("NESTED", "$DIR/deep");
    assert_eq!(is_included(&scenario), expected);
}

#[test]
fn without_anything_to_compare_with_everything_counts_as_changed() {
    assert!(is_included(&rules("changes: [a]")));
    assert!(is_included(&rules("changes: {paths: [a]}")));
}

#[test]
fn changes_are_told_against_the_ref_that_the_rule_names() {
    let rule = "changes: {paths: [a], compare_to: $BASE}";
    let scenario = rules(rule)
        .with("BASE", "refs/heads/trunk")
        .changing(&["b"]);
    let scenario = scenario.changing_since(Some("refs/heads/trunk"), &["a"]);
    assert!(is_included(&scenario));
}

#[test]
fn a_ref_that_does_not_exist_is_an_error_of_the_file() {
    let job = rules("changes: {paths: [a], compare_to: nowhere}").refused();
    assert_eq!(
        job.to_string(),
        "Failed to parse rule for j: rules:changes:compare_to is not a valid ref"
    );
    let workflow =
        "workflow: {rules: [{changes: {paths: [a], compare_to: nowhere}}]}\nj: {script: x}";
    assert_eq!(
        file(workflow).refused().to_string(),
        "Failed to parse rule for workflow: rules:changes:compare_to is not a valid ref"
    );
}

#[rstest]
#[case(&["a"], true)]
#[case(&["b"], false)]
fn changed_files_decide_about_the_whole_pipeline(#[case] changed: &[&str], #[case] expected: bool) {
    let scenario = file("workflow: {rules: [{changes: [a]}]}\nj: {script: x}").changing(changed);
    assert_eq!(scenario.try_plan().is_ok(), expected);
}

#[test]
fn a_repository_is_asked_only_where_a_rule_needs_it() {
    let quiet = rules("{if: $NO, changes: [a], exists: [b]}").changing(&[]);
    quiet.plan();
    assert_eq!(quiet.questions(), 0);
    let first_decides = file("j:\n  script: x\n  rules:\n    - if: $YES\n    - changes: [a]\n");
    first_decides.with("YES", "1").plan();
    let asking = rules("changes: [a]").changing(&["a"]);
    asking.plan();
    assert_eq!(asking.questions(), 1);
}

/// Keys, what was changed, and whether the job is made for a push to a branch.
#[rstest]
#[case("only: {changes: ['*.md']}", Some(&["a.md"][..]), true)]
#[case("only: {changes: ['*.md']}", Some(&["a.rs"][..]), false)]
#[case("only: {changes: ['*.md']}", None, true)]
#[case("only: {refs: [tags], changes: ['*.md']}", Some(&["a.md"][..]), false)]
#[case("only: {changes: [$DIR]}", Some(&["src"][..]), false)]
#[case("except: {changes: ['*.md']}", Some(&["a.md"][..]), false)]
#[case("except: {changes: ['*.md']}", Some(&["a.rs"][..]), true)]
#[case("except: {changes: ['*.md']}", None, false)]
fn policies(#[case] keys: &str, #[case] changed: Option<&[&str]>, #[case] expected: bool) {
    let scenario = file(&format!("ok: {{script: x}}\nj: {{script: x, {keys}}}\n"));
    let scenario = scenario.with("DIR", "src");
    let scenario = match changed {
        Some(paths) => scenario.changing(paths),
        None => scenario,
    };
    assert_eq!(is_included(&scenario), expected);
}

#[rstest]
#[case("exists: [Dockerfile]", true)]
#[case("exists: Dockerfile", true)]
#[case("exists: [docker]", false)]
#[case("exists: [docker/]", true)]
#[case("exists: [dock/]", false)]
#[case("exists: ['**/*.rb']", true)]
#[case("exists: ['**/*.py']", false)]
#[case("exists: ['*.rb']", false)]
#[case("exists: ['docker/*']", true)]
#[case("exists: {paths: [Dockerfile]}", true)]
#[case("exists: ['$FILE']", true)]
#[case("exists: []", false)]
#[case("{exists: [Dockerfile], changes: [a]}", false)]
fn files_of_the_commit_decide(#[case] rule: &str, #[case] expected: bool) {
    let scenario = rules(rule)
        .with_files(&["Dockerfile", "docker/a/b.rb", "docker/c"])
        .changing(&["b"])
        .with("FILE", "Dockerfile");
    assert_eq!(is_included(&scenario), expected);
}

#[test]
fn with_more_files_than_can_be_told_every_file_exists() {
    assert!(is_included(&rules("exists: [nothing]")));
}

#[rstest]
#[case(
    "changes: a",
    "jobs:j:rules:rule:changes should be an array or a hash at line 5 column 7"
)]
#[case(
    "changes: [1]",
    "jobs:j:rules:rule:changes config should be an array of strings at line 5 column 7"
)]
#[case(
    "changes: {compare_to: main}",
    "jobs:j:rules:rule:changes paths should be an array of strings at line 5 column 7"
)]
#[case(
    "changes: {paths: [a], compare_to: 1}",
    "jobs:j:rules:rule:changes compare to should be a string at line 5 column 29"
)]
#[case(
    "changes: {path: [a]}",
    "jobs:j:rules:rule:changes config contains unknown keys: path at line 5 column 17"
)]
#[case(
    "exists: 1",
    "jobs:j:rules:rule:exists should be a string, an array of strings, or a hash at line 5 column 7"
)]
#[case(
    "exists: {}",
    "jobs:j:rules:rule:exists config missing required keys: paths at line 5 column 7"
)]
#[case(
    "exists: [[a]]",
    "jobs:j:rules:rule:exists config should be an array of strings at line 5 column 7"
)]
fn what_is_no_list_of_patterns_is_refused(#[case] rule: &str, #[case] expected: &str) {
    let text = format!("ok: {{script: x}}\nj:\n  script: x\n  rules:\n    - {rule}\n");
    assert_eq!(error(&text), expected);
}

#[rstest]
#[case("changes: [PATTERNS]", "changes config")]
#[case("changes: {paths: [PATTERNS]}", "changes paths")]
#[case("exists: [PATTERNS]", "exists config")]
#[case("exists: {paths: [PATTERNS]}", "exists paths")]
fn a_rule_has_at_most_50_patterns(#[case] rule: &str, #[case] place: &str) {
    let with = |count: usize| rule.replace("PATTERNS", &vec!["a"; count].join(", "));
    rules(&with(50));
    let rule = with(51);
    let text = format!("ok: {{script: x}}\nj:\n  script: x\n  rules:\n    - {rule}\n");
    let expected = format!("jobs:j:rules:rule:{place} has too many entries (maximum 50)");
    assert!(error(&text).starts_with(&expected), "{}", error(&text));
}

#[test]
fn policies_want_a_list_of_patterns() {
    assert_eq!(
        error("j: {script: x, only: {changes: a}}"),
        "jobs:j:only changes should be an array of strings at line 1 column 23"
    );
}

#[test]
fn a_merge_request_is_compared_like_any_other() {
    let scenario = rules("changes: [a]").from(Source::MergeRequestEvent);
    let plan = scenario.changing(&["b"]).refused();
    assert!(
        plan.to_string().starts_with("The resulting pipeline"),
        "{plan}"
    );
}
