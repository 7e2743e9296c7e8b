//! Values and precedence of variables.

use rstest::rstest;

use crate::scenario::file;

#[rstest]
#[case("text", "text")]
#[case("yes", "true")]
#[case("off", "false")]
#[case("y", "y")]
#[case("0755", "493")]
#[case("08", "08")]
#[case("0x1F", "31")]
#[case("1_000", "1000")]
#[case("12:30", "45000")]
#[case("1.10", "1.1")]
#[case(".5", "0.5")]
#[case(":sym", "sym")]
#[case("~", "")]
#[case("", "")]
#[case("'0755'", "0755")]
#[case("$OTHER", "$OTHER")]
#[case("{value: x}", "x")]
#[case("{value: 1.10}", "1.1")]
#[case("{value: ~}", "")]
#[case("{description: only}", "")]
#[case("{value: a, options: [a, b], description: which}", "a")]
fn a_root_value_is_rubys_text(#[case] value: &str, #[case] expected: &str) {
    let scenario = file(&format!("variables:\n  A: {value}\nj: {{script: x}}\n"));
    assert_eq!(scenario.variables("j"), [format!("A={expected}")]);
}

#[test]
fn expand_false_makes_a_variable_raw() {
    let spec = file(
        "variables: {A: {value: $X, expand: false}, B: {value: $X, expand: true}}\nj: {script: x, variables: {C: {value: $X, expand: false}}}",
    )
    .spec("j");
    let raw: Vec<(&str, bool)> = spec
        .variables
        .iter()
        .map(|variable| (variable.key.as_str(), variable.raw))
        .collect();
    assert_eq!(raw, [("A", true), ("B", false), ("C", true)]);
}

#[test]
fn job_variables_win_over_root_variables() {
    let scenario =
        file("variables: {A: root, B: root}\nj: {script: x, variables: {B: job, C: job}}");
    assert_eq!(scenario.variables("j"), ["A=root", "B=job", "C=job"]);
}

#[test]
fn rule_variables_win_over_job_variables() {
    let scenario = file(
        "variables: {A: root}\nj: {script: x, variables: {B: job}, rules: [{variables: {A: rule, B: rule, C: rule}}]}",
    );
    assert_eq!(scenario.variables("j"), ["A=rule", "B=rule", "C=rule"]);
}

#[test]
fn only_the_deciding_rule_adds_variables() {
    let scenario = file(
        "j: {script: x, rules: [{if: $NO, variables: {A: first}}, {variables: {B: second}}, {variables: {C: third}}]}",
    );
    assert_eq!(scenario.variables("j"), ["B=second"]);
}

#[test]
fn a_null_map_of_variables_is_empty() {
    assert!(
        file("variables:\nj: {script: x, variables: ~}")
            .variables("j")
            .is_empty()
    );
}

#[rstest]
#[case("variables: {A: root}\n", "", "root")]
#[case("variables: {A: root}\n", "variables: {A: job},", "job")]
fn conditions_see_variables_of_the_file(#[case] root: &str, #[case] job: &str, #[case] seen: &str) {
    let scenario = file(&format!(
        "{root}j: {{script: x, {job} rules: [{{if: $A == \"{seen}\"}}]}}"
    ));
    assert_eq!(scenario.jobs(), ["j"]);
}

#[test]
fn variables_of_the_run_win_over_those_of_the_file_in_conditions() {
    let scenario = file(
        "variables: {A: root}\nj: {script: x, variables: {A: job}, rules: [{if: $A == \"run\"}]}",
    )
    .with("A", "run");
    assert_eq!(scenario.jobs(), ["j"]);
}

#[test]
fn a_condition_does_not_see_what_its_own_rule_adds() {
    let scenario = file("ok: {script: x}\nj: {script: x, rules: [{if: $A, variables: {A: x}}]}");
    assert_eq!(scenario.jobs(), ["ok"]);
}

#[test]
fn conditions_see_values_unexpanded() {
    let scenario = file("variables: {P: x, Q: $P}\nj: {script: x, rules: [{if: '$Q == \"$P\"'}]}");
    assert_eq!(scenario.jobs(), ["j"]);
}

#[rstest]
#[case("variables: {A: $B, B: $A}\nj: {script: x}")]
#[case("variables: {A: $B}\nj: {script: x, variables: {B: $A}}")]
#[case("variables: {A: $B}\nj: {script: x, rules: [{variables: {B: $A}}]}")]
#[case("workflow: {rules: [{variables: {B: $A}}]}\nvariables: {A: $B}\nj: {script: x}")]
fn variables_that_refer_to_each_other_in_a_circle_are_refused(#[case] text: &str) {
    let scenario = file(text);
    assert_eq!(
        scenario.refused().to_string(),
        "j: circular variable reference detected: [\"A\", \"B\"]"
    );
    assert_eq!(scenario.with("B", "given").jobs(), ["j"]);
}

#[test]
fn a_variable_may_refer_to_itself() {
    assert_eq!(
        file("variables: {A: '$A:x', B: $A}\nj: {script: x}").jobs(),
        ["j"]
    );
}
