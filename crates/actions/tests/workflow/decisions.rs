//! Jobs whose needs are over.

use rstest::rstest;
use serde_json::json;
use tappet_actions::workflow::{
    Decision, DecisionContexts, NeededJob, ResolvedJobs, decide, needs_context, overall,
};
use tappet_model::plan::{AllowFailure, JobGroup};
use tappet_model::steps_payload::StepOutcome::{self, Cancelled, Failure, Skipped, Success};
use tappet_model::workflow_job::WorkflowJob;

use crate::compiled::{contexts, plan_of_jobs, workflow_job};

/// `build` is needed, `lint` came before it.
fn decision_contexts(build: StepOutcome, lint: StepOutcome) -> DecisionContexts {
    DecisionContexts {
        run: contexts(),
        needs: vec![NeededJob {
            key: "build".to_owned(),
            result: build,
            outputs: vec![("list".to_owned(), r#"["a","b"]"#.to_owned())],
        }],
        ancestors: vec![("build".to_owned(), build), ("lint".to_owned(), lint)],
        is_cancelled: false,
    }
}

fn job_with(condition: Option<&str>) -> WorkflowJob {
    WorkflowJob {
        key: "deploy".to_owned(),
        condition: condition.map(str::to_owned),
        ..WorkflowJob::default()
    }
}

#[rstest]
#[case(None, Success, Success, true)]
#[case(None, Failure, Success, false)]
#[case(None, Skipped, Success, false)]
#[case(None, Cancelled, Success, false)]
#[case(None, Success, Failure, false)]
#[case(None, Success, Skipped, false)]
#[case(Some("true"), Failure, Success, false)]
#[case(Some("always()"), Failure, Skipped, true)]
#[case(Some("failure()"), Failure, Success, true)]
#[case(Some("failure()"), Success, Failure, true)]
#[case(Some("failure()"), Success, Success, false)]
#[case(Some("failure()"), Skipped, Cancelled, false)]
#[case(Some("!cancelled()"), Failure, Failure, true)]
#[case(Some("cancelled()"), Cancelled, Success, false)]
#[case(Some("success('build')"), Success, Failure, true)]
#[case(Some("failure('lint')"), Success, Failure, true)]
#[case(Some("success('BUILD', 'lint')"), Success, Failure, false)]
#[case(Some("needs.build.result == 'success'"), Success, Success, true)]
#[case(
    Some("always() && needs.build.result == 'skipped'"),
    Skipped,
    Success,
    true
)]
#[case(
    Some("${{ !failure() && needs.build.outputs.list != '' }}"),
    Skipped,
    Success,
    true
)]
fn status_functions_look_at_all_jobs_before(
    #[case] condition: Option<&str>,
    #[case] build: StepOutcome,
    #[case] lint: StepOutcome,
    #[case] runs: bool,
) {
    let expected = if runs { Decision::Run } else { Decision::Skip };
    assert_eq!(
        decide(&job_with(condition), &decision_contexts(build, lint)),
        Ok(expected)
    );
}

#[rstest]
#[case(None, Decision::Skip)]
#[case(Some("cancelled()"), Decision::Run)]
#[case(Some("always()"), Decision::Run)]
#[case(Some("!cancelled()"), Decision::Skip)]
fn a_cancel_lets_only_those_run_that_ask_for_it(
    #[case] condition: Option<&str>,
    #[case] expected: Decision,
) {
    let contexts = DecisionContexts {
        is_cancelled: true,
        ..decision_contexts(Success, Success)
    };
    assert_eq!(decide(&job_with(condition), &contexts), Ok(expected));
}

#[rstest]
#[case(
    "success('deploy')",
    "The `if` of job 'deploy' has no value: The job 'deploy' is not one that this job waits for: add it to `needs`"
)]
fn a_condition_without_a_value_says_why(#[case] condition: &str, #[case] expected: &str) {
    let contexts = decision_contexts(Success, Success);
    assert_eq!(
        decide(&job_with(Some(condition)), &contexts),
        Err(expected.to_owned())
    );
}

/// The second of two jobs, of which the first is `build`.
fn waiting_job(lines: &str) -> WorkflowJob {
    let plan = plan_of_jobs(&format!(
        "  build: {{runs-on: x}}\n  deploy:\n    needs: build\n{lines}"
    ));
    workflow_job(&plan.jobs[1]).clone()
}

fn legs(job: &WorkflowJob, contexts: &DecisionContexts) -> ResolvedJobs {
    match decide(job, contexts) {
        Ok(Decision::Legs(legs)) => legs,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_matrix_of_an_output_becomes_legs() {
    let job = waiting_job(
        "    name: Deploy ${{ matrix.to }}
    runs-on: [self-hosted, '${{ matrix.to }}']
    continue-on-error: true
    strategy:
      max-parallel: 1
      matrix: {to: '${{ fromJSON(needs.build.outputs.list) }}'}
    env: {A: 1}
    steps: [{run: deploy}]
",
    );
    let legs = legs(&job, &decision_contexts(Success, Success));
    assert_eq!(
        legs.group,
        Some(JobGroup {
            fail_fast: true,
            max_parallel: Some(1)
        })
    );
    let first = &legs.jobs[0];
    assert_eq!(first.name, "Deploy a");
    assert_eq!(first.tags, ["a"]);
    assert_eq!(first.allow_failure, AllowFailure::Yes);
    assert_eq!(legs.jobs[1].name, "Deploy b");
    let second = legs.jobs[1]
        .spec
        .workflow_job
        .as_deref()
        .expect("it has steps");
    assert_eq!(second.leg, Some(1));
    assert_eq!(second.matrix, json!({"to": "b"}));
    assert_eq!(second.unresolved, None);
    assert_eq!((second.env.len(), second.steps.len()), (1, 1));
}

#[test]
fn a_job_that_waited_for_its_name_only_is_one_job_without_a_group() {
    let job = waiting_job("    name: Deploy ${{ needs.build.result }}\n    runs-on: x\n");
    let legs = legs(&job, &decision_contexts(Success, Success));
    assert_eq!((legs.jobs.len(), legs.group), (1, None));
    assert_eq!(legs.jobs[0].name, "Deploy success");
}

#[test]
fn a_job_that_waited_for_its_run_is_named_after_it() {
    let plan = plan_of_jobs("  a: {runs-on: x, name: 'No. ${{ github.run_number }}'}\n");
    let job = workflow_job(&plan.jobs[0]);
    let contexts = DecisionContexts {
        run: contexts(),
        ..DecisionContexts::default()
    };
    assert_eq!(legs(job, &contexts).jobs[0].name, "No. 7");
}

#[test]
fn a_matrix_without_legs_is_skipped() {
    let job = waiting_job(
        "    runs-on: x\n    strategy: {matrix: {to: '${{ fromJSON(needs.build.outputs.list) }}'}}\n",
    );
    let mut contexts = decision_contexts(Success, Success);
    contexts.needs[0].outputs = vec![("list".to_owned(), "[]".to_owned())];
    assert_eq!(decide(&job, &contexts), Ok(Decision::Skip));
}

#[test]
fn the_condition_comes_before_the_matrix() {
    let job = waiting_job(
        "    if: needs.build.outputs.none\n    runs-on: x\n    \
         strategy: {matrix: '${{ fromJSON(needs.build.outputs.none) }}'}\n",
    );
    assert_eq!(
        decide(&job, &decision_contexts(Success, Success)),
        Ok(Decision::Skip)
    );
}

#[test]
fn a_matrix_without_a_value_is_an_error_with_its_place() {
    let job = waiting_job(
        "    runs-on: x\n    strategy:\n      matrix: ${{ fromJSON(needs.build.outputs.none) }}\n",
    );
    let error = decide(&job, &decision_contexts(Success, Success)).unwrap_err();
    assert!(error.starts_with("(Line: 8, Col: 15): "), "{error}");
}

#[test]
fn of_outputs_of_legs_the_last_one_counts_that_is_not_empty() {
    let output = |value: &str| ("v".to_owned(), value.to_owned());
    let needs = [NeededJob {
        key: "build".to_owned(),
        result: Success,
        outputs: vec![output("1"), output("2"), output("")],
    }];
    assert_eq!(
        needs_context(&needs).to_json(),
        json!({"build": {"result": "success", "outputs": {"v": "2"}}})
    );
}

#[rstest]
#[case(&[Success, Success], Success)]
#[case(&[Success, Skipped], Success)]
#[case(&[Success, Cancelled], Cancelled)]
#[case(&[Cancelled, Failure], Failure)]
#[case(&[Skipped], Skipped)]
#[case(&[], Skipped)]
fn a_matrix_is_as_bad_as_its_worst_leg(
    #[case] legs: &[StepOutcome],
    #[case] expected: StepOutcome,
) {
    assert_eq!(overall(legs.iter().copied()), expected);
}
