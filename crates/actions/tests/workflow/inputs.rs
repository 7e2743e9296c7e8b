//! Inputs of a dispatched run.

use rstest::rstest;
use serde_json::json;
use tappet_actions::workflow::{self, Workflow, default_inputs, dispatch_inputs};

fn workflow_with_inputs() -> Workflow {
    workflow::parse(
        "on:
  workflow_dispatch:
    inputs:
      plain:
      Level: {type: choice, options: [low, high], default: high}
      mode: {type: choice, options: [fast, slow]}
      dry: {type: boolean, description: Only look}
      loud: {type: boolean, default: 'true'}
      count: {type: number, default: 3}
      size: {type: number}
      version: {required: true, default: 1.10}
      target: {type: environment, required: true}
jobs: {a: {runs-on: x}}
",
    )
    .expect("it is valid")
}

#[test]
fn what_is_given_takes_the_declared_type_and_the_rest_its_default() {
    let given = [
        ("TARGET", "prod"),
        ("dry", "true"),
        ("size", "1.5"),
        ("level", "low"),
    ];
    let inputs = dispatch_inputs(&workflow_with_inputs(), given).expect("they fit");
    assert_eq!(
        inputs.to_json(),
        json!({
            "plain": "",
            "Level": "low",
            "mode": "fast",
            "dry": true,
            "loud": true,
            "count": 3,
            "size": 1.5,
            "version": "1.1",
            "target": "prod",
        })
    );
}

#[rstest]
#[case(&[("colour", "red"), ("target", "x")], "Unexpected input 'colour'. The workflow's inputs are: plain, Level, mode, dry, loud, count, size, version, target")]
#[case(&[], "Required input 'target' not provided")]
#[case(&[("target", "")], "Required input 'target' not provided")]
#[case(&[("target", "x"), ("Level", "LOW")], "Provided value 'LOW' for input 'Level' not in the list of allowed values: low, high")]
#[case(&[("target", "x"), ("dry", "yes")], "Provided value 'yes' for input 'dry' is not a boolean")]
#[case(&[("target", "x"), ("count", "many")], "Provided value 'many' for input 'count' is not a number")]
#[case(&[("target", "x"), ("count", "NaN")], "Provided value 'NaN' for input 'count' is not a number")]
fn what_does_not_fit_is_refused(#[case] given: &[(&str, &str)], #[case] expected: &str) {
    let error = dispatch_inputs(&workflow_with_inputs(), given.iter().copied()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_workflow_without_inputs_takes_none() {
    let workflow =
        workflow::parse("on: workflow_dispatch\njobs: {a: {runs-on: x}}").expect("valid");
    let none = dispatch_inputs(&workflow, []).expect("none are needed");
    assert_eq!(none.to_json(), json!({}));
    let error = dispatch_inputs(&workflow, [("a", "b")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Unexpected input 'a'. The workflow has no inputs"
    );
}

#[test]
fn only_what_says_workflow_dispatch_can_be_dispatched() {
    let workflow = workflow::parse("on: push\njobs: {a: {runs-on: x}}").expect("valid");
    let error = dispatch_inputs(&workflow, []).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Workflow does not have 'workflow_dispatch' trigger"
    );
}

#[test]
fn a_run_that_nobody_gave_inputs_to_has_the_defaults() {
    assert_eq!(
        default_inputs(&workflow_with_inputs()).to_json(),
        json!({
            "plain": "",
            "Level": "high",
            "mode": "fast",
            "dry": false,
            "loud": true,
            "count": 3,
            "size": null,
            "version": "1.1",
            "target": "",
        })
    );
}
