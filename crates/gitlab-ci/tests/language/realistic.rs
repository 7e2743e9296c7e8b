//! A file as projects have it, and its whole plan.

use tappet_model::Source;

use crate::scenario::file;

/// Uses most keywords together.
pub const FILE: &str = "\
stages: [build, test, deploy]

workflow:
  name: 'Pipeline for $CI_COMMIT_BRANCH'
  rules:
    - if: $CI_COMMIT_TAG
      variables: {KIND: release}
    - if: $CI_COMMIT_BRANCH

variables:
  KIND: snapshot
  LEVEL:
    value: info
    description: How much is logged
    options: [info, debug]
  PATTERN: {value: '$x', expand: false}

default:
  before_script:
    - echo preparing
  retry: {max: 1, when: [runner_system_failure]}
  timeout: 30 minutes
  tags: [linux]

.cargo: &cargo
  variables: {CARGO_HOME: $CI_PROJECT_DIR/.cargo}

.only-main:
  rules:
    - if: $CI_COMMIT_BRANCH == \"main\"

compile:
  <<: *cargo
  stage: build
  script:
    - cargo build
    - [cargo doc]
  artifacts:
    paths: [target/debug/app]
    expire_in: 1 week

lint:
  extends: .cargo
  stage: build
  before_script: []
  script: cargo clippy
  allow_failure: {exit_codes: [101]}

unit:
  script: cargo test
  needs: [{job: compile, artifacts: false}]
  after_script: [echo done]

slow:
  script: cargo test -- --ignored
  rules:
    - if: $CI_PIPELINE_SOURCE == \"schedule\"
    - when: manual
      allow_failure: true

tagged:
  script: echo tag
  only: [tags]

publish:
  stage: deploy
  extends: .only-main
  script: ./publish $KIND
  tags: [$RUNNER_KIND]
  needs:
    - unit
    - {job: tagged, optional: true}
  variables: {LEVEL: debug}

clean:
  stage: .post
  script: rm -rf tmp
  when: always
  inherit: {default: [tags], variables: false}
";

#[test]
fn a_trigger_on_main() {
    let plan = file(FILE)
        .from(Source::Trigger)
        .with("CI_COMMIT_BRANCH", "main")
        .with("CI_PIPELINE_SOURCE", "trigger")
        .with("RUNNER_KIND", "trusted")
        .plan();
    insta::assert_debug_snapshot!(plan);
}
