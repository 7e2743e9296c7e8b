//! What jobs say about stages and each other.

use rstest::rstest;

use crate::scenario::{error, errors};

#[rstest]
#[case(
    "rspec: {script: x, stage: acceptance}",
    "rspec job: chosen stage acceptance does not exist; available stages are .pre, build, test, deploy, .post at line 1 column 20"
)]
#[case(
    "stages: [A, b]\nRspec: {script: x}",
    "Rspec job: chosen stage test does not exist; available stages are .pre, A, b, .post at line 2 column 1"
)]
#[case(
    "stages: []\nj: {script: x}",
    "j job: chosen stage test does not exist; available stages are .pre, .post at line 2 column 1"
)]
#[case(
    "j: {script: x, needs: [y]}",
    "j job: undefined need: y at line 1 column 24"
)]
#[case(
    "j: {script: x, rules: [{needs: [y]}]}",
    "j job: undefined need: y at line 1 column 33"
)]
#[case(
    "j: {script: x, needs: [.h]}\n.h: {script: x}",
    "j job: undefined need: .h at line 1 column 24"
)]
#[case(
    "j: {script: x, needs: [d]}\nd: {stage: deploy, script: x}",
    "j job: need d is not defined in current or prior stages at line 1 column 24"
)]
#[case(
    "j: {script: x, needs: [{job: d, optional: true}]}\nd: {stage: deploy, script: x}",
    "j job: need d is not defined in current or prior stages at line 1 column 24"
)]
#[case(
    "j: {script: x, needs: [a, a]}\na: {script: x}",
    "j has the following needs duplicated: a. at line 1 column 27"
)]
#[case(
    "j: {script: x, needs: [a, b, a, b, a]}\na: {script: x}\nb: {script: x}",
    "j has the following needs duplicated: a, b. at line 1 column 30"
)]
#[case(
    "test1: {script: x, dependencies: [undefined]}",
    "test1 job: undefined dependency: undefined at line 1 column 20"
)]
#[case(
    "test1: {script: x, dependencies: [deploy]}\ndeploy: {stage: deploy, script: x}",
    "test1 job: dependency deploy is not defined in current or prior stages at line 1 column 20"
)]
#[case(
    "j: {script: x, needs: [a], dependencies: [a, b]}\na: {script: x}\nb: {script: x}",
    "jobs:j dependencies the b should be part of needs at line 1 column 28"
)]
#[case(
    "job: {script: x, needs: [job]}",
    "The pipeline has circular dependencies: self-dependency: job"
)]
#[case(
    "job_a: {script: x, needs: [job_c]}\njob_b: {script: x, needs: [job_a]}\njob_c: {script: x, needs: [job_b]}",
    "The pipeline has circular dependencies: topological sort failed: [\"job_a\", \"job_c\", \"job_b\"]"
)]
fn is_refused(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(error(text), expected);
}

#[test]
fn every_wrong_relation_is_named() {
    let text = "\
a:
  script: x
  needs: [nowhere]
b:
  script: x
  stage: moon
";
    assert_eq!(
        errors(text),
        [
            "a job: undefined need: nowhere at line 3 column 11",
            "b job: chosen stage moon does not exist; available stages are .pre, build, test, deploy, .post at line 6 column 3",
        ]
    );
}
