//! `rules` of a job.

use rstest::rstest;
use tappet_model::plan::{AllowFailure, ArtifactSources, Need, When};

use crate::scenario::file;

#[rstest]
#[case("rules: [{if: $NO}]", "no rule matched")]
#[case("rules: [{if: $NO}, {if: $NO}]", "no rule matched")]
#[case("rules: [{when: never}]", "rules[0] says `when: never`")]
#[case(
    "rules: [{if: $NO}, {if: $YES, when: never}, {when: always}]",
    "rules[1] says `when: never`"
)]
#[case(
    "rules: [[{if: $NO}, [{if: $YES, when: never}]]]",
    "rules[1] says `when: never`"
)]
fn a_job_is_left_out_because(#[case] rules: &str, #[case] reason: &str) {
    let scenario = file(&format!("ok: {{script: x}}\nj: {{script: x, {rules}}}")).with("YES", "1");
    assert_eq!(scenario.jobs(), ["ok"]);
    assert_eq!(scenario.reason("j"), reason);
}

/// The keys of the job, then `when` and `allow_failure` of the planned one.
#[rstest]
#[case("rules: [{if: $YES}]", When::OnSuccess, AllowFailure::No)]
#[case("rules: [{when: on_success}]", When::OnSuccess, AllowFailure::No)]
#[case("rules: [{when: on_failure}]", When::OnFailure, AllowFailure::No)]
#[case("rules: [{when: always}]", When::Always, AllowFailure::No)]
#[case("rules: [{when: manual}]", When::Manual, AllowFailure::No)]
#[case(
    "rules: [{when: manual, allow_failure: true}]",
    When::Manual,
    AllowFailure::Yes
)]
#[case(
    "rules: [{if: $YES, allow_failure: true}]",
    When::OnSuccess,
    AllowFailure::Yes
)]
#[case(
    "rules: [{if: $NO, when: always}, {if: $YES, when: manual}]",
    When::Manual,
    AllowFailure::No
)]
#[case(
    "rules: [{if: $NO, when: manual}, {if: $YES, when: delayed, start_in: 30 minutes}]",
    When::Delayed { start_in_s: 1_800 },
    AllowFailure::No
)]
#[case("when: manual, rules: [{if: $YES}]", When::Manual, AllowFailure::Yes)]
#[case(
    "when: manual, rules: [{when: on_success}]",
    When::OnSuccess,
    AllowFailure::Yes
)]
#[case(
    "when: manual, rules: [{allow_failure: false}]",
    When::Manual,
    AllowFailure::No
)]
#[case(
    "when: manual, allow_failure: false, rules: [{if: $YES}]",
    When::Manual,
    AllowFailure::No
)]
#[case("when: always, rules: [{if: $YES}]", When::Always, AllowFailure::No)]
#[case(
    "when: always, rules: [{when: manual}]",
    When::Manual,
    AllowFailure::No
)]
#[case(
    "allow_failure: true, rules: [{when: manual}]",
    When::Manual,
    AllowFailure::Yes
)]
#[case(
    "allow_failure: true, rules: [{allow_failure: false}]",
    When::OnSuccess,
    AllowFailure::No
)]
#[case("allow_failure: {exit_codes: 3}, rules: [{if: $YES}]", When::OnSuccess, AllowFailure::ExitCodes(vec![3]))]
#[case(
    "allow_failure: {exit_codes: 3}, rules: [{allow_failure: false}]",
    When::OnSuccess,
    AllowFailure::No
)]
#[case(
    "allow_failure: {exit_codes: 3}, rules: [{allow_failure: true}]",
    When::OnSuccess,
    AllowFailure::Yes
)]
fn a_rule_decides(#[case] keys: &str, #[case] when: When, #[case] allow_failure: AllowFailure) {
    let job = file(&format!("j: {{script: x, {keys}}}"))
        .with("YES", "1")
        .job("j");
    assert_eq!((job.when, job.allow_failure), (when, allow_failure));
    assert_eq!(job.spec.manual, when.is_action());
}

#[rstest]
#[case("$CI_COMMIT_BRANCH == \"main\"", true)]
#[case("$CI_COMMIT_BRANCH =~ /^ma/", true)]
#[case("$CI_COMMIT_BRANCH != \"main\"", false)]
#[case("$CI_COMMIT_TAG", false)]
#[case("$CI_COMMIT_TAG == null", true)]
#[case("$EMPTY", false)]
fn a_condition_sees_the_context(#[case] condition: &str, #[case] included: bool) {
    let scenario = file(&format!(
        "ok: {{script: x}}\nj:\n  script: x\n  rules:\n    - if: '{condition}'\n"
    ))
    .with("CI_COMMIT_BRANCH", "main")
    .with("EMPTY", "");
    assert_eq!(scenario.jobs().len() == 2, included);
}

#[test]
fn a_rule_may_replace_the_needs() {
    let scenario = file(
        "\
a: {stage: build, script: x}
b: {stage: build, script: x}
j: {script: x, needs: [a], rules: [{if: $B, needs: [b]}, {when: always}]}
",
    );
    let needs = |scenario: &crate::scenario::Scenario| scenario.job("j").needs.unwrap();
    let need = |job| Need {
        job,
        artifacts: true,
    };
    assert_eq!(needs(&scenario), [need(0)]);
    let scenario = scenario.with("B", "1");
    assert_eq!(needs(&scenario), [need(1)]);
    assert_eq!(
        scenario.spec("j").artifact_sources,
        ArtifactSources::Jobs(vec!["b".into()])
    );
}

#[test]
fn a_rule_makes_a_stage_job_a_needs_job() {
    let scenario = file("a: {stage: build, script: x}\nj: {script: x, rules: [{needs: [a]}]}");
    assert_eq!(scenario.job("j").needs.unwrap().len(), 1);
}

#[rstest]
#[case("rules: [{if: $A}, {when: always}]", true)]
#[case("rules: [{when: manual}]", true)]
#[case("rules: [{if: $A}]", false)]
#[case("rules: [{if: $A}, {when: never}]", false)]
#[case("rules: [{when: always, allow_failure: true}]", false)]
fn a_last_rule_without_condition_is_warned_about(#[case] rules: &str, #[case] warned: bool) {
    let text = format!("j: {{script: x, {rules}}}");
    let warnings = file(&text).warnings();
    assert_eq!(warnings.len(), usize::from(warned), "{warnings:?}");
    for warning in &warnings {
        assert!(
            warning.starts_with("jobs:j may allow multiple pipelines to run for a single action due to `rules:when` clause with no `workflow:rules`"),
            "{warning}"
        );
    }
    let with_workflow = format!("workflow: {{rules: [{{when: always}}]}}\n{text}");
    assert!(file(&with_workflow).warnings().is_empty());
}

#[test]
fn jobs_that_share_nothing_with_rules_share_their_spec_between_plans() {
    let scenario = file("j: {script: x, rules: [{if: $NO}, {when: always}]}");
    let (first, second) = (scenario.job("j").spec, scenario.job("j").spec);
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

/// GitLab: settings and callers win over the file, the file over what is predefined.
#[rstest]
#[case::predefined("$A == 'predefined'", &[("A", "predefined")], &[], "{}", true)]
#[case::file("$A == 'file'", &[("A", "predefined")], &[], "{A: file}", true)]
#[case::file_wins("$A == 'predefined'", &[("A", "predefined")], &[], "{A: file}", false)]
#[case::caller("$A == 'given'", &[("A", "predefined")], &[("A", "given")], "{A: file}", true)]
#[case::name("$CI_JOB_NAME == 'job'", &[], &[], "{}", true)]
#[case::other_name("$CI_JOB_NAME == 'other'", &[], &[], "{}", false)]
#[case::stage("$CI_JOB_STAGE == 'test'", &[], &[], "{}", true)]
#[case::pipeline_name("$CI_PIPELINE_NAME == 'Nightly'", &[], &[], "{}", true)]
fn a_condition_sees_the_strongest_value(
    #[case] condition: &str,
    #[case] predefined: &[(&str, &str)],
    #[case] given: &[(&str, &str)],
    #[case] variables: &str,
    #[case] holds: bool,
) {
    let mut scenario = file(&format!(
        "workflow:\n  name: Nightly\nalways:\n  script: x\njob:\n  script: x\n  variables: {variables}\n  \
         rules:\n    - if: \"{condition}\"\n"
    ));
    for (name, value) in predefined {
        scenario = scenario.predefined(name, value);
    }
    for (name, value) in given {
        scenario = scenario.with(name, value);
    }
    assert_eq!(scenario.jobs().contains(&"job".to_owned()), holds);
}
