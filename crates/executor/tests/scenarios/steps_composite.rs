//! Composite actions of the workspace.

use std::fmt::Write;

use rstest::rstest;
use tappet_model::steps_payload::StepOutcome::{Failure, Success};
use tappet_model::workflow_job::{StepAction, UsedAction};

use super::workflow::{Step, action, run, settings, workflow};

fn uses(path: &str, with: &[(&str, &str)]) -> Step {
    action(StepAction::Uses {
        action: UsedAction::Local(path.into()),
        with: settings(with),
    })
}

/// A step that writes actions into the workspace.
fn actions(files: &[(&str, &str)]) -> Step {
    let mut script = String::new();
    for (path, text) in files {
        let _ = write!(
            script,
            "mkdir -p {path}\ncat > {path}/action.yml <<'ENDE'\n{text}\nENDE\n"
        );
    }
    run(&script.replace("${{", "${{ '${{' }}"))
}

const GREET: &str = r#"
name: Greet
inputs:
  who: {required: true}
  greeting: {default: "Hello from ${{ github.event_name }}"}
  old: {deprecationMessage: use who}
outputs:
  text: {value: "${{ steps.make.outputs.text }}"}
runs:
  using: composite
  steps:
    - id: make
      shell: bash
      env: {INNER: inner}
      run: |
        echo "text=${{ inputs.greeting }}, ${{ inputs.WHO }}" >> $GITHUB_OUTPUT
        echo "outer=$OUTER inner=$INNER input=$INPUT_WHO path=${GITHUB_ACTION_PATH#$PWD}"
    - shell: bash
      run: |
        echo "inner=[$INNER] steps=[${{ steps.first.outputs.x }}] own=[${{ steps.make.outputs.text }}]"
        echo LATER=1 >> $GITHUB_ENV"#;

#[tokio::test]
async fn an_action_has_inputs_outputs_and_a_scope_of_its_own() {
    let ran = workflow(vec![
        actions(&[("act/greet", GREET)]),
        run("echo x=1 >> $GITHUB_OUTPUT").id("first"),
        uses("./act/greet", &[("who", "you")])
            .id("greet")
            .env(&[("OUTER", "outer")]),
        run(
            "echo \"out=${{ steps.greet.outputs.text }} make=[${{ steps.make.outputs.text }}]\"
             echo \"later=$LATER outer=[$OUTER] path=[$GITHUB_ACTION_PATH]\"",
        ),
    ])
    .run()
    .await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    for line in [
        "outer=outer inner=inner input= path=/act/greet",
        "inner=[] steps=[] own=[Hello from push, you]",
        "out=Hello from push, you make=[]",
        "later=1 outer=[] path=[]",
    ] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
    assert_eq!(
        ran.report.steps.len(),
        4,
        "its steps are not those of the job"
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_inputs_is_a_warning() {
    let ran = workflow(vec![
        actions(&[("greet", GREET)]),
        uses("./greet", &[("old", "1"), ("bad", "2")]),
    ])
    .run()
    .await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    for line in [
        "##[warning]Unexpected input(s) 'bad', valid inputs are ['who', 'greeting', 'old']",
        "##[warning]Input required and not supplied: who",
        "##[warning]Input 'old' has been deprecated with message: use who",
    ] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

const FAILS: &str = r"
runs:
  using: composite
  steps:
    - {shell: bash, run: exit 1, continue-on-error: true}
    - {shell: bash, run: echo went-on}
    - {shell: bash, run: exit 4}
    - {shell: bash, run: echo never}
    - {shell: bash, if: failure(), run: echo inner-failure}";

#[tokio::test]
async fn a_failure_inside_is_that_of_the_step() {
    let ran = workflow(vec![
        actions(&[("fails", FAILS)]),
        uses("./fails", &[]).id("act").continue_on_error("true"),
        run("echo outer-${{ steps.act.outcome }}"),
    ])
    .run()
    .await;
    assert_eq!(ran.step("act"), (Failure, Success));
    for line in ["went-on", "inner-failure", "outer-failure"] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
    assert!(!ran.says("never"));
}

#[tokio::test]
async fn inside_an_action_success_is_that_of_the_action() {
    let inner =
        "runs:\n  using: composite\n  steps:\n    - {shell: bash, run: echo inside-$((1+1))}";
    let ran = workflow(vec![
        actions(&[("act", inner)]),
        run("exit 1").id("bad"),
        uses("./act", &[]).when("always()"),
    ])
    .run()
    .await;
    assert!(ran.says("inside-2"), "{}", ran.log);
    let message = ran.report.error_message.unwrap();
    assert!(message.starts_with("Step 2 ("), "{message}");
}

#[tokio::test]
async fn actions_may_use_actions_down_to_a_depth() {
    let nested = |next: &str| {
        format!(
            "runs:\n  using: composite\n  steps:\n    - uses: ./{next}\n    - {{shell: bash, run: 'echo after-{next}'}}"
        )
    };
    let last = "runs:\n  using: composite\n  steps:\n    - {shell: bash, run: echo deepest}";
    let texts: Vec<(String, String)> = (0..10)
        .map(|level| (format!("a{level}"), nested(&format!("a{}", level + 1))))
        .chain([("a10".to_owned(), last.to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let ran = workflow(vec![
        actions(&files),
        uses("./a1", &[]).id("ten"),
        uses("./a0", &[]).id("eleven"),
    ])
    .run()
    .await;
    assert_eq!(ran.step("ten").0, Success, "{}", ran.log);
    assert!(ran.says("deepest") && ran.says("after-a2"));
    assert_eq!(ran.step("eleven").0, Failure);
    assert!(ran.says("##[error]Composite action depth exceeded max depth 9"));
}

#[rstest]
#[case::missing(
    "true",
    "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '"
)]
#[case::docker("mkdir act; touch act/Dockerfile", "is a Docker action")]
#[case::no_yaml("mkdir act; echo 'runs: [' > act/action.yaml", "action.yaml (Line:")]
#[case::javascript(
    "mkdir act; printf 'runs: {using: node20, main: x.js}' > act/action.yml",
    "node20"
)]
#[tokio::test]
async fn an_action_that_cannot_be_used_says_why(#[case] script: &str, #[case] text: &str) {
    let ran = workflow(vec![run(script), uses("./act", &[]).id("act")])
        .run()
        .await;
    assert_eq!(ran.step("act").0, Failure);
    let message = ran.report.error_message.unwrap();
    assert!(message.contains(text), "{message}");
}
