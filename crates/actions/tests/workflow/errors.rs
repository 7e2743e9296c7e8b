//! What is refused, and in which words.

use rstest::rstest;

use crate::compiled::errors;

/// Errors of a file with this job in line 4 and on.
fn job_errors(lines: &str) -> String {
    errors(&format!("on: push\njobs:\n  a:\n{lines}\n"))
}

#[rstest]
#[case(
    "jobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 1): Required property is missing: on"
)]
#[case("on: push", "(Line: 1, Col: 1): Required property is missing: jobs")]
#[case(
    "on: push\njobs: {a: {runs-on: x}}\ncolour: red",
    "(Line: 3, Col: 1): Unexpected value 'colour'"
)]
#[case("on: push\njobs: []", "(Line: 2, Col: 7): A sequence was not expected")]
#[case("on: push\njobs:", "(Line: 2, Col: 5): Unexpected value ''")]
#[case(
    "on: push\njobs: {}",
    "(Line: 2, Col: 7): The workflow must contain at least one job with no dependencies."
)]
#[case("- a", "(Line: 1, Col: 1): A sequence was not expected")]
#[case(
    "name: '${{ github.ref }}'\non: push\njobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 7): Unrecognized named-value: 'github'. Located at position 1 within expression: github.ref"
)]
#[case(
    "name: ${{ 1 }}\non: push\njobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 7): A template expression is not allowed in this context"
)]
#[case(
    "run-name: '${{ secrets.X }}'\non: push\njobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 11): Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.X"
)]
#[case(
    "permissions: {contents: maybe}\non: push\njobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 25): Unexpected value 'maybe'"
)]
#[case(
    "permissions: read-some\non: push\njobs: {a: {runs-on: x}}",
    "(Line: 1, Col: 14): Unexpected value 'read-some'"
)]
fn workflows(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(errors(text), format!("ci.yml {expected}"));
}

#[rstest]
#[case(
    "    steps: []",
    "(Line: 4, Col: 5): Required property is missing: runs-on"
)]
#[case(
    "    runs-on: x\n    colour: red",
    "(Line: 5, Col: 5): Unexpected value 'colour'"
)]
#[case("    runs-on:", "(Line: 4, Col: 12): Unexpected value ''")]
#[case(
    "    runs-on: {labels: [x], zone: y}",
    "(Line: 4, Col: 28): Unexpected value 'zone'"
)]
#[case(
    "    runs-on: macos-latest",
    "(Line: 4, Col: 14): No runner fits 'macos-latest': Tappet's runners are Linux. Use a label like \
     ubuntu-latest, or leave the job out"
)]
#[case(
    "    runs-on: x\n    timeout-minutes: '5'",
    "(Line: 5, Col: 22): Unexpected value '5'"
)]
#[case(
    "    runs-on: x\n    timeout-minutes: 0",
    "(Line: 5, Col: 22): `timeout-minutes` has to be greater than 0"
)]
#[case(
    "    runs-on: x\n    continue-on-error: maybe",
    "(Line: 5, Col: 24): Unexpected value 'maybe'"
)]
#[case(
    "    runs-on: x\n    continue-on-error: ${{ vars.REGION }}",
    "(Line: 5, Col: 24): Unexpected value 'eu'"
)]
#[case(
    "    runs-on: x\n    env: ${{ fromJSON('{}') }}",
    "(Line: 5, Col: 10): `env: ${{ fromJSON('{}') }}` is not supported yet: write its names and values one by one"
)]
#[case(
    "    runs-on: x\n    if: secrets.X",
    "(Line: 5, Col: 9): Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.X"
)]
#[case(
    "    runs-on: x\n    if: fromJSON('{')",
    "(Line: 5, Col: 9): Error parsing fromJson: "
)]
#[case(
    "    runs-on: x\n    needs: b",
    "(Line: 5, Col: 12): Job 'a' depends on unknown job 'b'."
)]
#[case(
    "    runs-on: x\n    needs: ['']",
    "(Line: 5, Col: 13): Unexpected value ''"
)]
#[case(
    "    runs-on: x\n    steps: {}",
    "(Line: 5, Col: 12): A mapping was not expected"
)]
#[case(
    "    runs-on: x\n    strategy: {speed: 1}",
    "(Line: 5, Col: 16): Unexpected value 'speed'"
)]
#[case(
    "    runs-on: x\n    strategy: {fail-fast: 1}",
    "(Line: 5, Col: 27): Unexpected value '1'"
)]
#[case(
    "    runs-on: x\n    strategy: {matrix: {}}",
    "(Line: 5, Col: 24): Matrix must define at least one vector"
)]
#[case(
    "    runs-on: x\n    strategy: {matrix: {os: []}}",
    "(Line: 5, Col: 29): Matrix vector 'os' does not contain any values"
)]
#[case(
    "    runs-on: x\n    strategy: {matrix: {os: [1], exclude: [{cpu: 1}]}}",
    "(Line: 5, Col: 45): Matrix exclude key 'cpu' does not match any key within the matrix"
)]
#[case(
    "    runs-on: x\n    strategy: {matrix: {os: ['${{ matrix.x }}']}}",
    "(Line: 5, Col: 30): Unrecognized named-value: 'matrix'. Located at position 1 within expression: matrix.x"
)]
fn jobs(#[case] lines: &str, #[case] expected: &str) {
    let errors = job_errors(lines);
    assert!(
        errors.starts_with(&format!("ci.yml {expected}")),
        "{errors}"
    );
}

#[rstest]
#[case("container: node:20", "container")]
#[case("services: {db: {image: postgres}}", "services")]
#[case("environment: production", "environment")]
#[case("concurrency: deploy", "concurrency")]
#[case("snapshot: my-image", "snapshot")]
#[case("cancel-timeout-minutes: 1", "cancel-timeout-minutes")]
fn keys_of_jobs_that_do_not_work_yet_are_named(#[case] line: &str, #[case] keyword: &str) {
    let errors = job_errors(&format!("    runs-on: x\n    {line}"));
    assert!(
        errors.starts_with(&format!(
            "ci.yml (Line: 5, Col: 5): `{keyword}` is not supported yet: "
        )),
        "{errors}"
    );
}

#[rstest]
#[case("concurrency: deploy")]
#[case("concurrency: {group: a, cancel-in-progress: true}")]
fn concurrency_of_a_workflow_is_refused_rather_than_ignored(#[case] line: &str) {
    assert_eq!(
        errors(&format!("on: push\n{line}\njobs: {{a: {{runs-on: x}}}}")),
        "ci.yml (Line: 2, Col: 1): `concurrency` is not supported yet: leave it out; runs of one branch \
         then go on side by side"
    );
}

#[test]
fn images_of_runners_are_named() {
    assert_eq!(
        job_errors("    runs-on: {size: 2x8, image: mine}"),
        "ci.yml (Line: 4, Col: 26): `image` is not supported yet: leave it out and install what the job \
         needs in its steps"
    );
}

#[test]
fn a_job_has_steps_or_calls_a_workflow() {
    assert_eq!(
        job_errors("    runs-on: x\n    uses: ./x"),
        "ci.yml (Line: 5, Col: 5): Unexpected value 'uses'"
    );
    assert_eq!(
        job_errors("    name: x\n    with: {a: 1}\n    steps: []"),
        "ci.yml (Line: 4, Col: 5): Required property is missing: uses\n\
         ci.yml (Line: 6, Col: 5): Unexpected value 'steps'"
    );
}

#[test]
fn calls_of_other_workflows_are_named() {
    let errors =
        job_errors("    uses: ./.github/workflows/x.yml\n    with: {a: 1}\n    secrets: inherit");
    assert!(
        errors.starts_with("ci.yml (Line: 4, Col: 5): `uses` is not supported yet: copy the jobs"),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1);
}

#[rstest]
#[case(
    "name: x",
    "(Line: 6, Col: 9): There's not enough info to determine what you meant. Add one of these properties: \
     run, shell, uses, with, working-directory"
)]
#[case("{run: x, uses: ./y}", "(Line: 6, Col: 18): Unexpected value 'uses'")]
#[case("{uses: ./y, run: x}", "(Line: 6, Col: 21): Unexpected value 'run'")]
#[case("{shell: sh}", "(Line: 6, Col: 9): Required property is missing: run")]
#[case(
    "{run: x, shell: '${{ matrix.x }}'}",
    "(Line: 6, Col: 25): Unrecognized named-value: 'matrix'."
)]
#[case("{run: x, shell: ''}", "(Line: 6, Col: 25): Unexpected value ''")]
#[case("{run: [x]}", "(Line: 6, Col: 15): A sequence was not expected")]
#[case(
    "{run: x, id: 1x}",
    "(Line: 6, Col: 22): The identifier '1x' is invalid."
)]
#[case(
    "{run: 'echo ${{ nope }}'}",
    "(Line: 6, Col: 15): Unrecognized named-value: 'nope'. Located at position 1 within expression: nope"
)]
#[case(
    "{run: 'echo ${{ success() }}'}",
    "(Line: 6, Col: 15): Unrecognized function: 'success'. Located at position 1 within expression: success()"
)]
#[case(
    "{run: 'echo ${{ a'}",
    "(Line: 6, Col: 15): The expression is not closed."
)]
#[case(
    "{run: x, if: secrets.X != ''}",
    "(Line: 6, Col: 22): Unrecognized named-value: 'secrets'."
)]
#[case(
    "{uses: actions}",
    "(Line: 6, Col: 16): Expected format {org}/{repo}[/path]@ref. Actual 'actions'"
)]
#[case(
    "{uses: actions/checkout}",
    "(Line: 6, Col: 16): Expected format {org}/{repo}[/path]@ref. Actual 'actions/checkout'"
)]
#[case(
    "{uses: actions/setup-node@v4}",
    "(Line: 6, Col: 16): `uses: actions/setup-node@v4` is not supported yet: "
)]
#[case(
    "{uses: actions/upload-artifact/merge@v4}",
    "(Line: 6, Col: 16): `uses: actions/upload-artifact/merge@v4` is not supported yet: "
)]
#[case(
    "{uses: 'docker://alpine'}",
    "(Line: 6, Col: 16): `uses: docker://alpine` is not supported yet: "
)]
#[case(
    "{parallel: [{run: x}]}",
    "(Line: 6, Col: 10): `parallel` is not supported yet: "
)]
#[case("{wait: x}", "(Line: 6, Col: 10): `wait` is not supported yet: ")]
#[case(
    "{run: x, background: true}",
    "(Line: 6, Col: 18): `background` is not supported yet: "
)]
fn steps(#[case] step: &str, #[case] expected: &str) {
    let errors = job_errors(&format!("    runs-on: x\n    steps:\n      - {step}"));
    assert!(
        errors.starts_with(&format!("ci.yml {expected}")),
        "{errors}"
    );
}

#[test]
fn step_ids_are_unique_whatever_their_case() {
    let errors = job_errors("    runs-on: x\n    steps: [{id: v, run: x}, {id: V, run: x}]");
    assert_eq!(
        errors,
        "ci.yml (Line: 5, Col: 35): The identifier 'V' may not be used more than once within the same scope."
    );
}

#[test]
fn circles_of_needs_are_named_at_each_job_in_them() {
    let text = "on: push
jobs:
  a: {runs-on: x}
  b: {runs-on: x, needs: c}
  c: {runs-on: x, needs: [a, b]}
  d: {runs-on: x, needs: c}
";
    let errors = errors(text);
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "ci.yml (Line: 4, Col: 26): Job 'b' depends on job 'c' which creates a cycle in the dependency graph.",
            "ci.yml (Line: 5, Col: 30): Job 'c' depends on job 'b' which creates a cycle in the dependency graph.",
        ]
    );
}

#[test]
fn jobs_that_all_need_each_other_have_no_first_one() {
    assert_eq!(
        errors("on: push\njobs: {a: {runs-on: x, needs: b}, b: {runs-on: x, needs: a}}"),
        "ci.yml (Line: 2, Col: 7): The workflow must contain at least one job with no dependencies."
    );
}

#[test]
fn ten_errors_are_told_at_most() {
    let keys: String = (0..20).map(|n| format!("k{n}: 1\n")).collect();
    let errors = errors(&format!("{keys}on: push\njobs: {{a: {{runs-on: x}}}}"));
    assert_eq!(errors.lines().count(), 10);
    assert!(errors.starts_with("ci.yml (Line: 1, Col: 1): Unexpected value 'k0'\n"));
}
