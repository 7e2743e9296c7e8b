//! `workflow`, and pipelines without jobs.

use rstest::rstest;
use tappet_gitlab_ci::PlanError;

use crate::scenario::file;

#[rstest]
#[case("[{when: always}]", true)]
#[case("[{if: $YES}]", true)]
#[case("[{if: $NO}, {if: $YES, when: always}]", true)]
#[case("[[{if: $YES}]]", true)]
#[case("[{when: never}]", false)]
#[case("[{if: $NO}]", false)]
#[case("[{if: $YES, when: never}, {when: always}]", false)]
#[case("[{if: $ROOT == \"root\"}]", true)]
#[case("[{if: $JOB}]", false)]
fn rules_decide_whether_there_is_a_pipeline(#[case] rules: &str, #[case] runs: bool) {
    let scenario = file(&format!(
        "workflow: {{rules: {rules}}}\nvariables: {{ROOT: root}}\nj: {{script: x, variables: {{JOB: job}}}}"
    ))
    .with("YES", "1");
    if runs {
        assert_eq!(scenario.jobs(), ["j"]);
    } else {
        assert_eq!(scenario.refused(), PlanError::WorkflowRefused);
    }
}

#[test]
fn a_refusal_has_gitlabs_words() {
    assert_eq!(
        PlanError::WorkflowRefused.to_string(),
        "The pipeline did not run. Review the workflow:rules configuration for the pipeline."
    );
    assert_eq!(
        PlanError::Empty.to_string(),
        "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs."
    );
}

#[test]
fn variables_of_the_rule_are_root_variables() {
    let scenario = file(
        "\
workflow: {rules: [{if: $NO, variables: {A: no}}, {variables: {A: workflow, B: workflow, C: workflow}}]}
variables: {A: root, R: root}
j: {script: x, variables: {B: job}, rules: [{if: $A == \"workflow\", variables: {C: rule}}]}
",
    );
    assert_eq!(
        scenario.variables("j"),
        ["A=workflow", "R=root", "B=job", "C=rule"]
    );
}

#[test]
fn a_job_that_inherits_nothing_does_not_take_them() {
    let scenario = file(
        "workflow: {rules: [{variables: {A: workflow}}]}\nj: {script: x, inherit: {variables: false}}",
    );
    assert!(scenario.variables("j").is_empty());
}

#[rstest]
#[case("plain", Some("plain"))]
#[case("'  trimmed '", Some("trimmed"))]
#[case("'$A of $B'", Some("root of run"))]
#[case("$NOPE", Some("$NOPE"))]
#[case("'  '", None)]
#[case("~", None)]
fn a_name(#[case] name: &str, #[case] expected: Option<&str>) {
    let scenario = file(&format!(
        "workflow: {{name: {name}}}\nvariables: {{A: root}}\nj: {{script: x}}"
    ))
    .with("B", "run");
    assert_eq!(scenario.plan().name.as_deref(), expected);
}

#[test]
fn a_name_sees_the_variables_of_the_rule() {
    let scenario = file(
        "workflow: {name: $A, rules: [{variables: {A: workflow}}]}\nvariables: {A: root}\nj: {script: x}",
    );
    assert_eq!(scenario.plan().name.as_deref(), Some("workflow"));
}

#[test]
fn a_name_has_at_most_255_characters() {
    let text = |length| {
        format!(
            "workflow: {{name: {}}}\nj: {{script: x}}",
            "n".repeat(length)
        )
    };
    file(&text(255));
    assert_eq!(
        crate::scenario::message(&text(256)),
        "workflow name is too long (maximum is 255 characters)"
    );
}

#[rstest]
#[case("j: {script: x, rules: [{when: never}]}")]
#[case("j: {script: x, only: [nowhere]}")]
#[case("j: {script: x, stage: .pre}")]
#[case("j: {script: x, stage: .post}\ni: {script: x, stage: .pre}")]
#[case("j: {script: x, stage: .post}\ni: {script: x, rules: [{when: never}]}")]
fn a_pipeline_without_real_jobs_is_not_made(#[case] text: &str) {
    assert_eq!(file(text).refused(), PlanError::Empty);
}

#[test]
fn workflow_with_a_script_is_a_job_of_that_name() {
    assert_eq!(file("workflow: {script: x}").jobs(), ["workflow"]);
}
