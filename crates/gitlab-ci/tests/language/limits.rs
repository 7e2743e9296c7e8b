//! Files that are made to be big.

use rstest::rstest;

use crate::scenario::{errors, file, message};

fn nested(levels: usize) -> String {
    format!("{}x{}", "[".repeat(levels), "]".repeat(levels))
}

#[rstest]
#[case(
    "j: {script: @}",
    "jobs:j:script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "stages: @\nj: {stage: x, script: x}",
    "stages config should be an array of strings or a nested array of strings up to 10 levels deep"
)]
fn lists_nest_ten_levels(#[case] text: &str, #[case] expected: &str) {
    file(&text.replace('@', &nested(10)));
    assert_eq!(message(&text.replace('@', &nested(11))), expected);
}

#[test]
fn rules_nest_ten_levels() {
    let text = |levels: usize| {
        format!(
            "j: {{script: x, rules: {}}}",
            nested(levels).replace('x', "{if: $A}")
        )
    };
    assert!(tappet_gitlab_ci::parse(&text(10)).is_ok());
    assert_eq!(
        message(&text(11)),
        "jobs:j rules should be an array containing hashes and arrays of hashes"
    );
}

#[test]
fn three_megabytes_are_too_much() {
    let text = format!("j: {{script: x}}\n# {}\n", "x".repeat(3 * 1024 * 1024));
    assert_eq!(message(&text), "The parsed YAML is too big");
}

#[test]
fn a_big_base_extended_by_many_jobs_is_too_much() {
    let mut text = format!(".b: {{script: {}}}\n", "x".repeat(1024 * 1024));
    for job in 0..400 {
        text.push_str(&format!("j{job}: {{extends: .b}}\n"));
    }
    assert!(errors(&text)[0].starts_with("The parsed YAML is too big"));
}

#[test]
fn big_root_variables_in_many_jobs_are_too_much() {
    let mut text = format!("variables: {{A: {}}}\n", "x".repeat(1024 * 1024));
    for job in 0..400 {
        text.push_str(&format!("j{job}: {{script: x}}\n"));
    }
    assert!(errors(&text)[0].starts_with("The parsed YAML is too big"));
}

#[test]
fn a_config_can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<tappet_gitlab_ci::Config>();
}
