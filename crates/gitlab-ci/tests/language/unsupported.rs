//! What GitLab knows and this version does not is never ignored.

use rstest::rstest;

use crate::scenario::{errors, file};

const LATER: &str = "is not supported yet; remove it or wait for a later version";

/// Keyword as the message shows it, the whole file, and the place.
#[rstest]
#[case("`include`", "include: a.yml\nj: {script: x}", 1, 1)]
#[case("`image`", "j: {script: x}\nimage: ruby", 2, 1)]
#[case("`services`", "j: {script: x}\nservices: [a]", 2, 1)]
#[case("`cache`", "j: {script: x}\ncache: {paths: [a]}", 2, 1)]
#[case("`spec`", "j: {script: x}\nspec: {inputs: {}}", 2, 1)]
#[case("`spec`", "spec: {inputs: {}}\n---\nj: {script: x}", 1, 1)]
#[case("`---`", "a: {script: x}\n---\nj: {script: x}", 3, 1)]
#[case("default `image`", "default:\n  image: ruby\nj: {script: x}", 2, 3)]
#[case("default `services`", "default:\n  services: []\nj: {script: x}", 2, 3)]
#[case("default `cache`", "default:\n  cache: {}\nj: {script: x}", 2, 3)]
#[case(
    "default `interruptible`",
    "default:\n  interruptible: true\nj: {script: x}",
    2,
    3
)]
#[case("default `hooks`", "default:\n  hooks: {}\nj: {script: x}", 2, 3)]
#[case(
    "default `id_tokens`",
    "default:\n  id_tokens: {}\nj: {script: x}",
    2,
    3
)]
#[case("default `identity`", "default:\n  identity: x\nj: {script: x}", 2, 3)]
#[case(
    "workflow `auto_cancel`",
    "workflow:\n  auto_cancel: {}\nj: {script: x}",
    2,
    3
)]
#[case(
    "workflow:rules:rule `auto_cancel`",
    "workflow:\n  rules:\n    - auto_cancel: {}\nj: {script: x}",
    3,
    7
)]
#[case("jobs:Build `cache`", "Build:\n  script: x\n  cache: {}", 3, 3)]
#[case("jobs:j `run`", "j:\n  run: []", 2, 3)]
#[case("jobs:j `trigger`", "a: {script: x}\nj:\n  trigger: a/b", 3, 3)]
#[case(
    "jobs:j `needs:pipeline`",
    "a: {script: x}\nj:\n  needs: {pipeline: a/b}",
    3,
    11
)]
#[case(
    "jobs:j:artifacts:reports `coverage_report`",
    "j:\n  script: x\n  artifacts:\n    reports:\n      coverage_report: {}",
    5,
    7
)]
#[case(
    "jobs:j:artifacts `expose_as`",
    "j:\n  script: x\n  artifacts:\n    expose_as: x",
    4,
    5
)]
#[case(
    "jobs:j:artifacts `public`",
    "j:\n  script: x\n  artifacts:\n    public: true",
    4,
    5
)]
#[case(
    "jobs:j:artifacts `access`",
    "j:\n  script: x\n  artifacts:\n    access: all",
    4,
    5
)]
#[case(
    "jobs:j:rules:rule:changes `regexp`",
    "j:\n  script: x\n  rules:\n    - changes:\n        regexp: a",
    5,
    9
)]
#[case(
    "jobs:j:rules:rule:exists `project`",
    "j:\n  script: x\n  rules:\n    - exists:\n        paths: [a]\n        project: a/b",
    6,
    9
)]
#[case(
    "jobs:j:rules:rule `interruptible`",
    "j:\n  script: x\n  rules:\n    - interruptible: true",
    4,
    7
)]
#[case(
    "jobs:j:only `kubernetes`",
    "j:\n  script: x\n  only:\n    kubernetes: active",
    4,
    5
)]
#[case(
    "jobs:j:needs:need `parallel`",
    "a: {script: x}\nj:\n  script: x\n  needs:\n    - job: a\n      parallel: 2",
    6,
    7
)]
#[case(
    "jobs:j:needs:need `pipeline`",
    "j:\n  script: x\n  needs:\n    - pipeline: a",
    4,
    7
)]
#[case(
    "jobs:j:script `!reference`",
    "j:\n  script:\n    - !reference [.a, script]",
    3,
    7
)]
#[case(
    "jobs:j:rules `!reference`",
    "j:\n  script: x\n  rules:\n    - !reference [.a, rules]",
    4,
    7
)]
#[case(
    "variables `!reference`",
    "variables: !reference [.a, variables]\nj: {script: x}",
    1,
    12
)]
#[case(
    "default:before_script `!reference`",
    "default:\n  before_script: !reference [.a]\nj: {script: x}",
    2,
    18
)]
fn is_refused(
    #[case] keyword: &str,
    #[case] text: &str,
    #[case] line: usize,
    #[case] column: usize,
) {
    assert_eq!(
        errors(text),
        [format!("{keyword} {LATER} at line {line} column {column}")]
    );
}

#[rstest]
fn a_job_keyword_is_refused(
    #[values(
        "resource_group",
        "interruptible",
        "image",
        "services",
        "cache",
        "hooks",
        "parallel",
        "inputs",
        "release",
        "id_tokens",
        "publish",
        "pages",
        "manual_confirmation",
        "run",
        "dast_configuration",
        "identity",
        "secrets"
    )]
    keyword: &str,
) {
    assert_eq!(
        errors(&format!("j:\n  script: x\n  {keyword}: x\n")),
        [format!("jobs:j `{keyword}` {LATER} at line 3 column 3")]
    );
}

#[test]
fn a_keyword_of_an_extended_hidden_job_is_refused_in_the_job() {
    assert_eq!(
        errors(".base:\n  image: ruby\nj:\n  extends: .base\n  script: x\n"),
        [format!("jobs:j `image` {LATER} at line 2 column 3")]
    );
}

#[test]
fn a_hidden_job_that_nobody_uses_may_hold_anything() {
    let scenario = file(".base:\n  image: ruby\n  script: !reference [a, b]\nj: {script: x}\n");
    assert_eq!(scenario.jobs(), ["j"]);
}

#[test]
fn a_null_keyword_is_not_used() {
    let scenario = file("cache:\nj:\n  script: x\n  image: null\n");
    assert_eq!(scenario.jobs(), ["j"]);
}

#[test]
fn an_only_include_is_named_before_the_missing_jobs() {
    let errors = errors("include: a.yml\n");
    assert_eq!(errors[0], format!("`include` {LATER} at line 1 column 1"));
    assert_eq!(
        errors[1],
        "jobs config should contain at least one visible job"
    );
}
