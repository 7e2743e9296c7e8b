//! `action.yml` files.

use rstest::rstest;
use tappet_actions::action::{self, ActionInput};
use tappet_model::workflow_job::{StepAction, UsedAction};

#[test]
fn a_composite_action_has_inputs_outputs_and_steps() {
    let action = action::parse(
        "name: Pack
author: me
description: Packs it
branding: {icon: box, color: blue}
inputs:
  level: {description: How hard, required: true, default: '${{ github.ref_name }}'}
  quiet:
outputs:
  file: {description: Where, value: '${{ steps.pack.outputs.file }}'}
runs:
  using: composite
  steps:
    - {id: pack, run: pack, shell: 'bash ${{ inputs.level }}', if: 'success()'}
    - uses: ./other
      with: {a: '${{ inputs.quiet }}'}
",
    )
    .expect("it is valid");
    assert_eq!(action.name, "Pack");
    let input = |name: &str, required: bool, default: Option<&str>| ActionInput {
        name: name.to_owned(),
        required,
        default: default.map(str::to_owned),
        deprecation_message: None,
    };
    assert_eq!(
        action.inputs,
        [
            input("level", true, Some("${{ github.ref_name }}")),
            input("quiet", false, None)
        ]
    );
    assert_eq!(action.outputs[0].value, "${{ steps.pack.outputs.file }}");
    let keys: Vec<_> = action.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(keys, ["pack", "__self"]);
    assert!(matches!(
        &action.steps[1].action,
        StepAction::Uses { action: UsedAction::Local(path), .. } if path == "./other"
    ));
}

#[rstest]
#[case("name: x", "Required property is missing: runs at line 1 column 1")]
#[case(
    "colour: red\nruns: {using: composite, steps: []}",
    "Unexpected value 'colour' at line 1 column 1"
)]
#[case(
    "runs: {steps: []}",
    "Required property is missing: using at line 1 column 7"
)]
#[case(
    "runs: {using: composite}",
    "Required property is missing: steps at line 1 column 7"
)]
#[case(
    "runs: {using: composite, main: x, steps: []}",
    "Unexpected value 'main' at line 1 column 26"
)]
#[case(
    "runs: {using: node20, main: index.js}",
    "`using: node20` is not supported yet: write the action as a composite one (`using: composite`), or \
     call its program in a `run` step at line 1 column 15"
)]
#[case(
    "runs: {using: docker, image: Dockerfile}",
    "`using: docker` is not supported yet: write the action as a composite one (`using: composite`), or \
     call its program in a `run` step at line 1 column 15"
)]
#[case(
    "runs: {using: python3, steps: []}",
    "Unexpected value 'python3' at line 1 column 15"
)]
#[case(
    "runs: {using: composite, steps: [{run: x}]}",
    "Required property is missing: shell at line 1 column 34"
)]
#[case(
    "runs: {using: composite, steps: [{run: x, shell: sh, timeout-minutes: 1}]}",
    "Unexpected value 'timeout-minutes' at line 1 column 54"
)]
#[case(
    "runs: {using: composite, steps: [{run: 'x ${{ secrets.A }}', shell: sh}]}",
    "Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.A at line 1 column 40"
)]
#[case(
    "outputs: {a: {}}\nruns: {using: composite, steps: []}",
    "Required property is missing: value at line 1 column 14"
)]
fn what_is_no_composite_action_is_refused(#[case] text: &str, #[case] expected: &str) {
    let errors = action::parse(text).expect_err("it is invalid");
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, [expected]);
}

#[test]
fn keys_of_inputs_that_do_nothing_are_told() {
    let action = action::parse("inputs: {a: {type: string}}\nruns: {using: composite, steps: []}")
        .expect("it is valid");
    assert_eq!(
        action.warnings[0].to_string(),
        "`type` of an action's input has no effect at line 1 column 14"
    );
}
