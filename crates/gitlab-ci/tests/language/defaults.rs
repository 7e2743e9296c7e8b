//! `default:`, its old spellings and `inherit`.

use rstest::rstest;

use crate::scenario::file;

const DEFAULTS: &str = "\
default:
  before_script: [before]
  after_script: [after]
  artifacts: {paths: [out]}
  tags: [shared]
  retry: 2
  timeout: 1 hour
variables: {A: root, B: root}
";

#[test]
fn a_job_without_own_keys_takes_all() {
    let scenario = file(&format!("{DEFAULTS}j: {{script: x}}"));
    let job = scenario.job("j");
    assert_eq!(job.spec.script, ["before", "x"]);
    assert_eq!(job.spec.after_script, ["after"]);
    assert_eq!(job.spec.artifacts.as_ref().unwrap().paths, ["out"]);
    assert_eq!(job.spec.timeout_s, Some(3600));
    assert_eq!(job.tags, ["shared"]);
    assert_eq!(job.retry.max, 2);
}

#[test]
fn an_own_key_replaces_the_default_whole() {
    let scenario = file(&format!(
        "{DEFAULTS}j: {{script: x, before_script: [], after_script: [own], artifacts: {{name: n, untracked: true}}, tags: [], retry: 0, timeout: 1 minute}}"
    ));
    let job = scenario.job("j");
    assert_eq!(job.spec.script, ["x"]);
    assert_eq!(job.spec.after_script, ["own"]);
    assert!(job.spec.artifacts.as_ref().unwrap().paths.is_empty());
    assert_eq!(job.spec.timeout_s, Some(60));
    assert!(job.tags.is_empty());
    assert_eq!(job.retry.max, 0);
}

#[test]
fn a_null_key_is_not_an_own_key() {
    let spec = file(&format!("{DEFAULTS}j: {{script: x, before_script: ~}}")).spec("j");
    assert_eq!(spec.script, ["before", "x"]);
}

#[test]
fn scripts_at_the_root_are_defaults() {
    let spec = file("before_script: [b]\nafter_script: a\nj: {script: x}").spec("j");
    assert_eq!(spec.script, ["b", "x"]);
    assert_eq!(spec.after_script, ["a"]);
}

#[rstest]
#[case("", &["before", "x"], &["shared"])]
#[case("inherit: {default: true}", &["before", "x"], &["shared"])]
#[case("inherit: {default: false}", &["x"], &[])]
#[case("inherit: {default: [tags]}", &["x"], &["shared"])]
#[case("inherit: {default: [before_script, retry]}", &["before", "x"], &[])]
#[case("inherit: {default: []}", &["x"], &[])]
fn inherit_default(#[case] keys: &str, #[case] script: &[&str], #[case] tags: &[&str]) {
    let job = file(&format!("{DEFAULTS}j: {{script: x, {keys}}}")).job("j");
    assert_eq!(job.spec.script, script);
    assert_eq!(job.tags, tags);
}

#[rstest]
#[case("inherit: {variables: true}", &["A=root", "B=root", "C=own"])]
#[case("inherit: {variables: false}", &["C=own"])]
#[case("inherit: {variables: [B]}", &["B=root", "C=own"])]
#[case("inherit: {default: false}", &["A=root", "B=root", "C=own"])]
fn inherit_variables(#[case] keys: &str, #[case] expected: &[&str]) {
    let scenario = file(&format!(
        "{DEFAULTS}j: {{script: x, variables: {{C: own}}, {keys}}}"
    ));
    assert_eq!(scenario.variables("j"), expected);
}

#[test]
fn default_with_a_script_is_a_job_of_that_name() {
    assert_eq!(file("default: {script: x}").jobs(), ["default"]);
}
