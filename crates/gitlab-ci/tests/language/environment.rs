//! `environment` and `coverage` of a job.

use rstest::rstest;
use tappet_model::{DeploymentTier, EnvironmentAction};

use crate::scenario::{Scenario, error, errors, file, message};

/// A file with one job that has this environment.
fn with(environment: &str) -> String {
    format!("j: {{script: x, environment: {environment}}}")
}

fn name_of(scenario: &Scenario) -> String {
    scenario.job("j").environment.expect("j has one").name
}

#[test]
fn a_word_is_the_name() {
    let environment = file(&with("production")).job("j").environment.unwrap();
    assert_eq!(environment.name, "production");
    assert_eq!(environment.action, EnvironmentAction::Start);
    assert_eq!(environment.tier(), DeploymentTier::Production);
    assert_eq!(environment.url, None);
}

#[test]
fn a_map_says_more() {
    let text = with("{name: eu, url: https://$X.eu, action: verify, deployment_tier: staging}");
    let environment = file(&text).job("j").environment.unwrap();
    assert_eq!(environment.name, "eu");
    assert_eq!(environment.url.as_deref(), Some("https://$X.eu"));
    assert_eq!(environment.action, EnvironmentAction::Verify);
    assert_eq!(environment.tier(), DeploymentTier::Staging);
}

const NAME: &str = "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', \
                    and spaces, but it cannot start or end with '/'";

#[rstest]
#[case("[a]", "config should be a hash or a string")]
#[case("1", "config should be a hash or a string")]
#[case("a:b", &format!("name {NAME}"))]
#[case("/a", &format!("name {NAME}"))]
#[case("a/", &format!("name {NAME}"))]
#[case("{name: 1}", &format!("name {NAME}"))]
#[case("' '", "name can't be blank")]
#[case("{name: a, x: 1, y: 2}", "config contains unknown keys: x, y")]
#[case("{name: a, url: 1}", "url should be a string")]
#[case(
    "{name: a, action: go}",
    "action should be start, stop, prepare, verify, or access"
)]
#[case("{name: a, on_stop: 1}", "on stop should be a string")]
#[case("{name: a, auto_stop_in: 1}", "auto stop in should be a string")]
#[case(
    "{name: a, deployment_tier: prod}",
    "deployment tier must be one of production, staging, testing, development, other"
)]
fn what_gitlab_refuses(#[case] environment: &str, #[case] expected: &str) {
    let expected = format!("jobs:j:environment {expected}").to_lowercase();
    assert_eq!(message(&with(environment)), expected);
}

#[test]
fn a_map_needs_a_name() {
    let errors = errors(&with("{url: x}"));
    assert_eq!(
        errors[0],
        "jobs:j:environment name can't be blank at line 1 column 16"
    );
}

#[test]
fn a_url_has_at_most_255_characters() {
    let url = |length: usize| with(&format!("{{name: a, url: {}}}", "u".repeat(length)));
    file(&url(255));
    assert_eq!(
        message(&url(256)),
        "jobs:j:environment url is too long (maximum is 255 characters)"
    );
}

#[test]
fn a_cluster_is_refused_by_name() {
    let text = "j:\n  script: x\n  environment:\n    name: a\n    kubernetes: {namespace: b}\n";
    assert_eq!(
        error(text),
        "jobs:j:environment `kubernetes` is not supported yet; remove it or wait for a later \
         version at line 5 column 5"
    );
}

#[rstest]
#[case("{script: x}", "does not have environment defined")]
#[case("{script: x, environment: b}", "have different environment name")]
#[case("{script: x, environment: a}", "needs to have action stop defined")]
fn a_job_that_stops_has_the_same_environment(#[case] stopper: &str, #[case] problem: &str) {
    let text =
        format!("j: {{script: x, environment: {{name: a, on_stop: Close}}}}\nClose: {stopper}\n");
    assert_eq!(
        message(&text),
        format!("j job: on_stop job Close {problem}")
    );
}

#[test]
fn a_job_that_stops_exists() {
    assert_eq!(
        error(&with("{name: a, on_stop: gone}")),
        "j job: on_stop job gone is not defined at line 1 column 39"
    );
}

#[test]
fn what_would_stop_an_environment_is_warned_of() {
    let text = "j:\n  script: x\n  environment:\n    name: a\n    on_stop: close\n    \
                auto_stop_in: 1 day\nclose:\n  script: x\n  environment: {name: a, action: stop}\n";
    assert_eq!(
        file(text).warnings(),
        [
            "jobs:j:environment `on_stop` has no effect: Tappet stops no environment by itself; \
             run the job close instead at line 5 column 5",
            "jobs:j:environment `auto_stop_in` has no effect: Tappet stops no environment by \
             itself at line 6 column 5",
        ]
    );
}

#[rstest]
#[case::branch("review/$CI_COMMIT_REF_SLUG", "review/fix-1")]
#[case::value_of_a_value("$WHERE", "review/fix-1")]
#[case::own_variable("${OWN}x", "ownx")]
#[case::from_outside("$OUTER", "outside")]
#[case::of_the_job("$CI_JOB_NAME", "j")]
#[case::unknown("a$NOBODY", "a")]
fn variables_in_the_name_are_expanded(#[case] name: &str, #[case] expected: &str) {
    let text = format!(
        "variables: {{WHERE: review/$CI_COMMIT_REF_SLUG, OUTER: file}}\n\
         j: {{script: x, variables: {{OWN: own}}, environment: '{name}'}}\n"
    );
    let scenario = file(&text)
        .with("OUTER", "outside")
        .predefined("CI_COMMIT_REF_SLUG", "fix-1");
    assert_eq!(name_of(&scenario), expected);
}

#[test]
fn the_deciding_rule_may_set_what_the_name_is_made_of() {
    let text = "j:\n  script: x\n  variables: {TO: staging}\n  environment: $TO\n  rules:\n    \
                - {if: $LIVE, variables: {TO: production}}\n    - {when: always}\n";
    assert_eq!(name_of(&file(text)), "staging");
    assert_eq!(name_of(&file(text).with("LIVE", "1")), "production");
}

#[test]
fn a_variable_of_workflow_rules_is_part_of_the_name() {
    let text = "workflow: {rules: [{if: $LIVE, variables: {TO: production}}, {when: always}]}\n\
                variables: {TO: staging}\nj: {script: x, environment: $TO}\n";
    assert_eq!(name_of(&file(text)), "staging");
    assert_eq!(name_of(&file(text).with("LIVE", "1")), "production");
}

#[test]
fn rules_see_the_variables_of_their_environment() {
    let text = "a: {script: x, environment: production, rules: [{if: '$KEY == \"p\"'}]}\n\
                b: {script: x, environment: staging, rules: [{if: '$KEY == \"p\"'}]}\n\
                c: {script: x, rules: [{if: $KEY}]}\n\
                d: {script: x, environment: qa, rules: [{if: '$CI_ENVIRONMENT_NAME == \"qa\"'}]}\n";
    let scenario = file(text).with_scoped("production", "KEY", "p");
    assert_eq!(scenario.jobs(), ["a", "d"]);
}

#[test]
fn a_name_is_not_made_of_what_only_its_environment_has() {
    let scenario = file(&with("'a$KEY'")).with_scoped("a", "KEY", "b");
    assert_eq!(name_of(&scenario), "a");
}

#[test]
fn a_pattern_of_coverage_is_kept_as_written() {
    let spec = file("j: {script: x, coverage: '/TOTAL.*?(\\d+)%/'}").spec("j");
    assert_eq!(spec.coverage.as_deref(), Some("/TOTAL.*?(\\d+)%/"));
}

#[rstest]
#[case("'\\d+%'")]
#[case("/(?=x)/")]
#[case("/(/")]
#[case("80")]
#[case("[a]")]
fn coverage_is_a_regular_expression(#[case] pattern: &str) {
    assert_eq!(
        message(&format!("j: {{script: x, coverage: {pattern}}}")),
        "jobs:j:coverage config must be a regular expression with re2 syntax"
    );
}
