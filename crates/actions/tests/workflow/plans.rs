//! What valid files become.

use rstest::rstest;
use serde_json::json;
use tappet_actions::workflow;
use tappet_model::plan::{AllowFailure, ArtifactSources, When};
use tappet_model::workflow_job::{Setting, StepAction, UsedAction};

use crate::compiled::{compile_job, file, matrices, outline, plan, plan_of_jobs, workflow_job};

#[test]
fn jobs_keep_the_order_of_the_file_and_know_what_they_need() {
    let plan = plan(
        "name: CI
on: [push, pull_request]
jobs:
  deploy:
    needs: [build, test]
    runs-on: ubuntu-latest
    steps: [{run: ./deploy}]
  build:
    runs-on: ubuntu-latest
    steps: [{run: make}]
  test:
    needs: Build
    runs-on: ubuntu-latest
    steps: [{run: make test}]
",
    );
    assert_eq!(
        outline(&plan),
        [
            r#"deploy Decided after ["build", "test"]"#,
            "build OnSuccess after []",
            r#"test Decided after ["build"]"#,
        ]
    );
    assert_eq!(plan.stages, ["CI"]);
    assert_eq!(plan.workflows[0].name.as_deref(), Some("CI"));
    assert_eq!(plan.workflows[0].file, "ci.yml");
    let spec = &plan.jobs[1].spec;
    assert_eq!(spec.timeout_s, Some(360 * 60));
    assert_eq!(spec.artifact_sources, ArtifactSources::Jobs(Vec::new()));
    assert_eq!(workflow_job(&plan.jobs[1]).key, "build");
}

#[test]
fn steps_have_keys_like_githubs_and_the_defaults_of_their_job() {
    let plan = plan(
        "on: push
defaults:
  run: {shell: sh, working-directory: app}
jobs:
  build:
    runs-on: ubuntu-latest
    defaults:
      run: {working-directory: \"${{ github.ref_name }}\"}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: make
      - run: make test
        id: test
        name: Test ${{ github.ref_name }}
        if: always()
        shell: python
        working-directory: sub
        env: {N: 1.50, T: true, E: }
        continue-on-error: true
        timeout-minutes: ${{ fromJSON('5') }}
      - uses: ./.depot/actions/pack
      - uses: Actions/Upload-Artifact@v4
      - uses: actions/download-artifact@65c4c4a1ddee5b72f698fdd19549f0f0fb45cf08
",
    );
    let steps = &workflow_job(&plan.jobs[0]).steps;
    let keys: Vec<_> = steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "__actions_checkout",
            "__run",
            "test",
            "__self",
            "__actions_upload-artifact",
            "__actions_download-artifact"
        ]
    );
    let names = [&steps[0], &steps[3]].map(|step| step.name.as_deref());
    assert_eq!(names, [Some("Run actions/checkout@v4"), None]);
    let run = |at: usize| match &steps[at].action {
        StepAction::Run {
            shell,
            working_directory,
            ..
        } => (shell.as_deref(), working_directory.as_deref()),
        other => panic!("{other:?}"),
    };
    assert_eq!(run(1), (Some("sh"), Some("${{ github.ref_name }}")));
    assert_eq!(run(2), (Some("python"), Some("sub")));
    let test = &steps[2];
    assert_eq!(test.id.as_deref(), Some("test"));
    assert_eq!(test.name.as_deref(), Some("Test ${{ github.ref_name }}"));
    assert_eq!(test.condition.as_deref(), Some("always()"));
    assert_eq!(test.continue_on_error.as_deref(), Some("true"));
    assert_eq!(
        test.timeout_minutes.as_deref(),
        Some("${{ fromJSON('5') }}")
    );
    assert_eq!(test.line, 13);
    let env: Vec<_> = test
        .env
        .iter()
        .map(|setting| (setting.name.as_str(), setting.value.as_str()))
        .collect();
    assert_eq!(env, [("N", "1.5"), ("T", "true"), ("E", "")]);
    let uses = |at: usize| match &steps[at].action {
        StepAction::Uses { action, .. } => action.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(uses(0), UsedAction::Checkout);
    assert_eq!(
        uses(3),
        UsedAction::Local("./.depot/actions/pack".to_owned())
    );
    assert_eq!(uses(4), UsedAction::UploadArtifact);
    assert_eq!(uses(5), UsedAction::DownloadArtifact);
}

#[test]
fn the_patch_step_of_the_depot_cli_is_done_by_the_runner() {
    let plan = plan_of_jobs(
        r#"  a:
    runs-on: depot-ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {ref: 0123456789abcdef0123456789abcdef01234567}
      - env: {DEPOT_TOKEN: "${{ secrets.DEPOT_TOKEN }}"}
        name: Apply local patch from Depot Cache
        run: |
          curl -d '{"entry_type":"generic","key":"patch/0123456789ab/0123456789abcdef"}' …
"#,
    );
    let steps = &workflow_job(&plan.jobs[0]).steps;
    assert_eq!(
        steps[1].action,
        StepAction::ApplyPatch {
            cache_key: "patch/0123456789ab/0123456789abcdef".to_owned()
        }
    );
}

#[test]
fn env_of_the_workflow_comes_before_that_of_the_job() {
    let plan = plan(
        "on: push
env: {A: 1, B: '${{ vars.REGION }}'}
jobs:
  build:
    runs-on: ubuntu-latest
    env: {A: 2}
    outputs: {version: '${{ steps.v.outputs.version }}'}
    steps: [{id: v, run: make}]
",
    );
    let job = workflow_job(&plan.jobs[0]);
    let setting = |name: &str, value: &str| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        job.env,
        [
            setting("A", "1"),
            setting("B", "${{ vars.REGION }}"),
            setting("A", "2")
        ]
    );
    assert_eq!(
        job.outputs,
        [setting("version", "${{ steps.v.outputs.version }}")]
    );
}

#[test]
fn a_matrix_becomes_a_group_of_legs_that_followers_wait_for() {
    let plan = plan_of_jobs(
        "  build:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix: {os: [a, b], node: [18, 20]}
    timeout-minutes: 0.5
    steps: [{run: make}]
  report:
    needs: build
    runs-on: ubuntu-latest
    steps: [{run: ls}]
",
    );
    assert_eq!(
        outline(&plan),
        [
            "build (a, 18) OnSuccess after []",
            "build (a, 20) OnSuccess after []",
            "build (b, 18) OnSuccess after []",
            "build (b, 20) OnSuccess after []",
            r#"report Decided after ["build (a, 18)", "build (a, 20)", "build (b, 18)", "build (b, 20)"]"#,
        ]
    );
    assert_eq!(plan.groups.len(), 1);
    assert!(!plan.groups[0].fail_fast);
    assert_eq!(plan.groups[0].max_parallel, Some(2));
    let groups: Vec<_> = plan.jobs.iter().map(|job| job.group).collect();
    assert_eq!(groups, [Some(0), Some(0), Some(0), Some(0), None]);
    let third = workflow_job(&plan.jobs[2]);
    assert_eq!(third.leg, Some(2));
    assert_eq!(third.matrix, json!({"os": "b", "node": 18}));
    assert_eq!(
        third.strategy,
        json!({"fail-fast": false, "job-index": 2, "job-total": 4, "max-parallel": 2})
    );
    assert_eq!(plan.jobs[2].spec.timeout_s, Some(30));
    let report = workflow_job(&plan.jobs[4]);
    assert_eq!((report.leg, &report.matrix), (None, &json!(null)));
    assert_eq!(
        report.strategy,
        json!({"fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1})
    );
}

#[test]
fn each_leg_has_its_own_name_labels_and_leave_to_fail() {
    let plan = plan_of_jobs(
        "  build:
    name: Build on ${{ matrix.os }}
    runs-on: [self-hosted, '${{ matrix.os }}']
    continue-on-error: ${{ matrix.os == 'b' }}
    timeout-minutes: ${{ matrix.minutes }}
    strategy:
      matrix:
        os: ${{ fromJSON('[\"a\", \"b\"]') }}
        include: [{minutes: 3}]
    steps: [{run: make}]
",
    );
    let legs: Vec<_> = plan
        .jobs
        .iter()
        .map(|job| {
            (
                job.name.as_str(),
                job.tags.join(","),
                job.allow_failure == AllowFailure::Yes,
                job.spec.timeout_s,
            )
        })
        .collect();
    assert_eq!(
        legs,
        [
            ("Build on a", "a".to_owned(), false, Some(180)),
            ("Build on b", "b".to_owned(), true, Some(180))
        ]
    );
    assert_eq!(matrices(&plan)[1], json!({"os": "b", "minutes": 3}));
}

#[rstest]
#[case("github.ref == 'refs/heads/main'", When::OnSuccess)]
#[case("${{ github.event_name == 'push' }}", When::OnSuccess)]
#[case("github.event_name == 'pull_request'", When::Never)]
#[case("false", When::Never)]
#[case("failure()", When::Never)]
#[case("always()", When::OnSuccess)]
#[case("!cancelled()", When::OnSuccess)]
#[case("''", When::Never)]
#[case("inputs.dry", When::Never)]
#[case("vars.REGION == 'eu'", When::OnSuccess)]
fn the_condition_of_a_job_without_needs_is_judged_at_once(
    #[case] condition: &str,
    #[case] expected: When,
) {
    let plan = plan_of_jobs(&format!(
        "  a:\n    if: {}\n    runs-on: x\n    steps: [{{run: x}}]\n",
        json!(condition)
    ));
    assert_eq!(plan.jobs[0].when, expected);
}

#[test]
fn a_skipped_matrix_job_is_one_job() {
    let plan = plan_of_jobs(
        "  a:
    name: Test ${{ matrix.v }}
    if: false
    runs-on: x
    strategy: {matrix: {v: [1, 2]}}
",
    );
    assert_eq!(outline(&plan), ["a Never after []"]);
}

#[test]
fn a_matrix_that_an_expression_leaves_empty_is_skipped() {
    let plan = plan_of_jobs(
        "  a:\n    runs-on: x\n    strategy: {matrix: {v: \"${{ fromJSON('[]') }}\"}}\n",
    );
    assert_eq!(outline(&plan), ["a Never after []"]);
}

#[rstest]
#[case("name: Deploy ${{ needs.build.outputs.v }}")]
#[case("runs-on: ${{ needs.build.outputs.v }}")]
#[case("strategy: {matrix: '${{ fromJSON(needs.build.outputs.v) }}'}")]
#[case("strategy: {matrix: {v: '${{ fromJSON(needs.build.outputs.v) }}'}}")]
#[case("strategy: {max-parallel: '${{ fromJSON(needs.build.outputs.v) }}', matrix: {v: [1]}}")]
#[case("timeout-minutes: ${{ fromJSON(needs.build.outputs.v) }}")]
#[case("continue-on-error: ${{ fromJSON(needs.build.outputs.v) }}")]
fn a_job_whose_shape_asks_its_needs_stays_unresolved(#[case] line: &str) {
    let runs_on = if line.starts_with("runs-on") {
        ""
    } else {
        "    runs-on: x\n"
    };
    let plan = plan_of_jobs(&format!(
        "  build: {{runs-on: x}}\n  deploy:\n    needs: build\n{runs_on}    {line}\n"
    ));
    assert_eq!(outline(&plan)[1], r#"deploy Decided after ["build"]"#);
    let deploy = workflow_job(&plan.jobs[1]);
    assert!(deploy.unresolved.is_some());
    assert!(deploy.steps.is_empty());
}

#[rstest]
#[case::name("name: Build ${{ github.run_number }}", true)]
#[case::labels("runs-on: [self-hosted, '${{ github[''run_id''] }}']", true)]
#[case::everything_of_github("strategy: {matrix: {v: ['${{ toJSON(github) }}']}}", true)]
#[case::condition("if: github.run_attempt == 1", false)]
#[case::steps("steps: [{run: 'echo ${{ github.run_id }}'}]", false)]
#[case::other_facts("name: ${{ github.ref_name }}", false)]
fn a_job_that_asks_for_its_run_is_decided_once_that_is_there(
    #[case] line: &str,
    #[case] waits_for_its_shape: bool,
) {
    let runs_on = if line.starts_with("runs-on") {
        ""
    } else {
        "    runs-on: x\n"
    };
    let plan = plan_of_jobs(&format!("  a:\n{runs_on}    {line}\n"));
    let job = workflow_job(&plan.jobs[0]);
    assert_eq!(job.unresolved.is_some(), waits_for_its_shape);
    let is_decided = waits_for_its_shape || line.starts_with("if");
    assert_eq!(plan.jobs[0].when == When::Decided, is_decided);
    assert_eq!(plan.jobs[0].needs.as_deref(), Some(&[][..]));
}

#[test]
fn a_run_name_with_the_number_of_its_run_is_left_out_with_a_warning() {
    let plan = plan("run-name: No. ${{ github.run_number }}\non: push\njobs: {a: {runs-on: x}}");
    assert_eq!(plan.name, None);
    assert_eq!(
        plan.warnings[0].to_string(),
        "ci.yml: `run-name` has no effect: it asks for the number of a run, which has its name before \
         at line 1 column 11"
    );
}

#[test]
fn a_job_with_needs_that_asks_nothing_of_them_is_resolved() {
    let plan = plan_of_jobs(
        "  build: {runs-on: x}
  deploy:
    needs: build
    if: needs.build.outputs.v == '1'
    runs-on: x
    strategy: {matrix: {v: [1, 2]}}
    steps: [{run: 'echo ${{ needs.build.outputs.v }}'}]
",
    );
    assert_eq!(
        outline(&plan)[1..],
        [
            r#"deploy (1) Decided after ["build"]"#,
            r#"deploy (2) Decided after ["build"]"#
        ]
    );
    let leg = workflow_job(&plan.jobs[1]);
    assert_eq!(leg.unresolved, None);
    assert_eq!(
        leg.condition.as_deref(),
        Some("needs.build.outputs.v == '1'")
    );
}

const CHAIN: &str = "on: push
jobs:
  a: {runs-on: x}
  b: {runs-on: x, needs: a, strategy: {matrix: {v: [1, 2]}}}
  c: {runs-on: x, needs: b}
";

#[test]
fn a_job_that_was_asked_for_runs_alone_and_without_its_needs() {
    let plan = compile_job(CHAIN, Some("b"));
    assert_eq!(
        outline(&plan),
        [
            "a Never after []",
            "b (1) OnSuccess after []",
            "b (2) OnSuccess after []",
            "c Never after []",
        ]
    );
}

#[test]
fn a_job_that_is_not_there_cannot_be_asked_for() {
    let error = workflow::compile(&[file("ci.yml", CHAIN)], Some("B")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "job \"B\" not found in workflow. Available jobs: a, b, c"
    );
}

#[test]
fn every_workflow_is_a_stage_and_a_broken_one_does_not_stop_the_others() {
    let files = [
        file("ci.yml", "name: CI\non: push\njobs: {a: {runs-on: x}}"),
        file("bad.yml", "on: push\njobs: {a: {}}"),
        file("more.yml", "name: CI\non: push\njobs: {a: {runs-on: x}}"),
        file("plain.yml", "on: push\njobs: {b: {runs-on: x}}"),
    ];
    let plan = workflow::compile(&files, None).expect("no job was asked for");
    assert_eq!(plan.stages, ["CI", "bad.yml", "CI (more.yml)", "plain.yml"]);
    let jobs: Vec<_> = plan
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.stage))
        .collect();
    assert_eq!(jobs, [("a", 0), ("a", 2), ("b", 3)]);
    assert_eq!(
        plan.workflows[1].error.as_deref(),
        Some("bad.yml (Line: 2, Col: 11): Required property is missing: runs-on")
    );
    assert_eq!(
        plan.workflows[3].path.as_deref(),
        Some(".depot/workflows/plain.yml")
    );
}

#[test]
fn jobs_of_one_name_are_told_apart() {
    let plan = plan_of_jobs(
        "  a: {runs-on: x, name: Test}\n  b: {runs-on: x, name: Test}\n  c: {runs-on: x, name: ''}\n",
    );
    let names: Vec<_> = plan.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["Test", "Test (2)", "c"]);
}

#[test]
fn the_run_is_named_after_the_run_name_of_its_only_workflow() {
    let text = "run-name: Deploy ${{ github.ref_name }} (${{ inputs.level }})\non: push\njobs: {a: {runs-on: x}}";
    assert_eq!(plan(text).name.as_deref(), Some("Deploy main (high)"));
    let files = [file("a.yml", text), file("b.yml", text)];
    let two = workflow::compile(&files, None).expect("no job was asked for");
    assert_eq!(two.name, None);
}

#[test]
fn what_has_no_effect_is_told() {
    let plan = plan_of_jobs("  a:\n    runs-on: {size: 2x8}\n    if: ${{ github.ref }} == 'x'\n");
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "ci.yml: this condition is always true: text stands outside of `${{ }}`; put the whole \
             condition inside at line 5 column 9",
            "ci.yml: `size` has no effect: a job has all of its runner's machine at line 4 column 21",
        ]
    );
}
