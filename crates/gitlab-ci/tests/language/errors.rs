//! GitLab's messages for files that it refuses.

use rstest::rstest;

use crate::scenario::{error, errors, message};

#[rstest]
#[case("", "Please provide content of .gitlab-ci.yml")]
#[case("  \n\n", "Please provide content of .gitlab-ci.yml")]
#[case("# only a comment", "Invalid configuration format")]
#[case("- a\n- b", "Invalid configuration format")]
#[case("just text", "Invalid configuration format")]
#[case(
    ".hidden: {script: x}",
    "jobs config should contain at least one visible job"
)]
#[case(
    "variables: {A: 1}",
    "jobs config should contain at least one visible job"
)]
#[case("j: {script: x}\n.h:", "jobs:.h config can't be blank")]
#[case("j: {script: x}\n.h: {}", "jobs:.h config can't be blank")]
fn files(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(message(text), expected);
}

#[rstest]
#[case("'': {script: x}", "jobs:job name can't be blank")]
#[case("10: {script: x}", "jobs:10 name should be a symbol")]
#[case("on: {script: x}", "jobs:true name should be a symbol")]
fn job_names(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(message(text), expected);
}

#[test]
fn a_job_name_has_at_most_255_characters() {
    let name = "ä".repeat(255);
    crate::scenario::file(&format!("{name}: {{script: x}}"));
    assert_eq!(
        message(&format!("{name}b: {{script: x}}")),
        format!("jobs:{name}b name is too long (maximum is 255 characters)")
    );
}

#[rstest]
#[case("true")]
#[case("false")]
#[case("nil")]
fn quoted_words_are_job_names(#[case] name: &str) {
    let scenario = crate::scenario::file(&format!("\"{name}\": {{script: x}}"));
    assert_eq!(scenario.jobs(), [name]);
}

#[rstest]
#[case(
    "extra: 1",
    "jobs extra config should implement the script:, run:, or trigger: keyword"
)]
#[case(
    "rspec: {stage: test}",
    "jobs rspec config should implement the script:, run:, or trigger: keyword"
)]
#[case(
    "my job: {}",
    "jobs my_job config should implement the script:, run:, or trigger: keyword"
)]
#[case(
    "rspec:",
    "jobs rspec config should implement the script:, run:, or trigger: keyword"
)]
#[case(
    "rspec: [a]",
    "jobs rspec config should implement the script:, run:, or trigger: keyword"
)]
fn entries_that_are_no_jobs(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(message(&format!("ok: {{script: x}}\n{text}")), expected);
}

/// Each case is the body of a job `rspec` with `script: x`.
#[rstest]
#[case("bad_tags: x", "jobs:rspec config contains unknown keys: bad_tags")]
#[case("a: 1\nb: 2", "jobs:rspec config contains unknown keys: a, b")]
#[case("stage: 1", "jobs:rspec:stage config should be a string")]
#[case("stage: [a]", "jobs:rspec:stage config should be a string")]
#[case(
    "before_script: 10",
    "jobs:rspec:before_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "before_script: [10]",
    "jobs:rspec:before_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "after_script: {a: b}",
    "jobs:rspec:after_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "after_script: [a: b]",
    "jobs:rspec:after_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case("tags: mysql", "jobs:rspec:tags config should be an array of strings")]
#[case("tags: [1]", "jobs:rspec:tags config should be an array of strings")]
#[case(
    "when: 1",
    "jobs:rspec when should be one of: on_success, on_failure, always, manual, delayed"
)]
#[case(
    "when: sometimes",
    "jobs:rspec when should be one of: on_success, on_failure, always, manual, delayed"
)]
#[case(
    "when: never",
    "jobs:rspec when should be one of: on_success, on_failure, always, manual, delayed"
)]
#[case("start_in: 1 hour", "jobs:rspec start in must be blank")]
#[case("when: manual\nstart_in: 1 hour", "jobs:rspec start in must be blank")]
#[case("when: delayed", "jobs:rspec start in should be a duration")]
#[case(
    "when: delayed\nstart_in: soon",
    "jobs:rspec start in should be a duration"
)]
#[case(
    "when: delayed\nstart_in: 10",
    "jobs:rspec start in should be a duration"
)]
#[case(
    "when: delayed\nstart_in: 0 seconds",
    "jobs:rspec start in should be a duration"
)]
#[case(
    "when: delayed\nstart_in: 1 week 1 second",
    "jobs:rspec start in should not exceed the limit"
)]
#[case(
    "when: delayed\nrules: [{if: $A}]",
    "jobs:rspec start in should be a duration"
)]
#[case(
    "allow_failure: string",
    "jobs:rspec allow failure should be a hash or a boolean value"
)]
#[case(
    "allow_failure: [1]",
    "jobs:rspec allow failure should be a hash or a boolean value"
)]
#[case(
    "allow_failure: {exit_codes: string}",
    "jobs:rspec:allow_failure exit codes should be an array of integers or an integer"
)]
#[case(
    "allow_failure: {exit_codes: [1, a]}",
    "jobs:rspec:allow_failure exit codes should be an array of integers or an integer"
)]
#[case(
    "allow_failure: {codes: 1}",
    "jobs:rspec:allow_failure config contains unknown keys: codes"
)]
#[case("retry: 3", "retry config must be less than or equal to 2")]
#[case("retry: -1", "retry config must be greater than or equal to 0")]
#[case("retry: x", "retry config has to be either an integer or a hash")]
#[case("retry: [1]", "retry config has to be either an integer or a hash")]
#[case("retry: {x: 1}", "retry config contains unknown keys: x")]
#[case("retry: {max: 3}", "retry max must be less than or equal to 2")]
#[case("retry: {max: -1}", "retry max must be greater than or equal to 0")]
#[case("retry: {max: 1.5}", "retry max must be an integer")]
#[case("retry: {max: x}", "retry max is not a number")]
#[case(
    "retry: {when: 1}",
    "retry when should be an array of strings or a string"
)]
#[case("retry: {when: nonsense}", "retry when is not included in the list")]
#[case(
    "retry: {when: [always, nonsense, rubbish]}",
    "retry when contains unknown values: nonsense, rubbish"
)]
#[case(
    "retry: {exit_codes: x}",
    "retry exit codes should be an array of integers or an integer"
)]
#[case("timeout: bad", "jobs:rspec:timeout config should be a duration")]
#[case("timeout: 10", "jobs:rspec:timeout config should be a duration")]
#[case(
    "timeout: 3 months",
    "jobs:rspec:timeout config should not exceed the limit"
)]
#[case("artifacts: x", "jobs:rspec:artifacts config should be a hash")]
#[case(
    "artifacts: {bad: 1}",
    "jobs:rspec:artifacts config contains unknown keys: bad"
)]
#[case(
    "artifacts: {reports: x}",
    "jobs:rspec:artifacts:reports config should be a hash"
)]
#[case(
    "artifacts: {reports: {junitt: a.xml}}",
    "jobs:rspec:artifacts:reports config contains unknown keys: junitt"
)]
#[case(
    "artifacts: {reports: {junit: 1}}",
    "jobs:rspec:artifacts:reports junit should be an array of strings or a string"
)]
#[case(
    "artifacts: {reports: {dotenv: [1]}}",
    "jobs:rspec:artifacts:reports dotenv should be an array of strings or a string"
)]
#[case("artifacts: {name: 1}", "jobs:rspec:artifacts name should be a string")]
#[case(
    "artifacts: {when: sometimes}",
    "jobs:rspec:artifacts when should be one of: on_success, on_failure, always"
)]
#[case(
    "artifacts: {expire_in: 7}",
    "jobs:rspec:artifacts expire in should be a duration"
)]
#[case(
    "artifacts: {expire_in: sometime}",
    "jobs:rspec:artifacts expire in should be a duration"
)]
#[case(
    "artifacts: {untracked: maybe}",
    "jobs:rspec:artifacts untracked should be a boolean value"
)]
#[case(
    "artifacts: {paths: x}",
    "jobs:rspec:artifacts paths should be an array of strings"
)]
#[case(
    "artifacts: {exclude: [1]}",
    "jobs:rspec:artifacts exclude should be an array of strings"
)]
#[case(
    "dependencies: string",
    "jobs:rspec dependencies should be an array of strings"
)]
#[case(
    "needs: string",
    "jobs:rspec:needs config can only be a hash or an array"
)]
#[case("needs: {}", "jobs:rspec:needs config can not be an empty hash")]
#[case("needs: ['']", "jobs:rspec:needs:need config can't be blank")]
#[case("needs: [1]", "jobs:rspec:needs:need has an unsupported type")]
#[case(
    "needs: [{artifacts: true}]",
    "jobs:rspec:needs:need has an unsupported type"
)]
#[case(
    "needs: [{job: ok, something: 1}]",
    "jobs:rspec:needs:need config contains unknown keys: something"
)]
#[case(
    "needs: [{job: ok, artifacts: string}]",
    "jobs:rspec:needs:need artifacts should be a boolean value"
)]
#[case(
    "needs: [{job: ok, optional: string}]",
    "jobs:rspec:needs:need optional should be a boolean value"
)]
#[case("needs: [{job: 1}]", "jobs:rspec:needs:need job should be a string")]
#[case("needs: [{job: ''}]", "jobs:rspec:needs:need job can't be blank")]
#[case(
    "rules: x",
    "jobs:rspec rules should be an array containing hashes and arrays of hashes"
)]
#[case(
    "rules: {if: $A}",
    "jobs:rspec rules should be an array containing hashes and arrays of hashes"
)]
#[case(
    "rules: [x]",
    "jobs:rspec rules should be an array containing hashes and arrays of hashes"
)]
#[case("rules: []", "jobs:rspec:rules config can't be blank")]
#[case("rules: [{}]", "jobs:rspec:rules:rule config can't be blank")]
#[case(
    "rules: [{if: $A, trash: 1}]",
    "jobs:rspec:rules:rule config contains unknown keys: trash"
)]
#[case(
    "rules: [{if: $A ==}]",
    "jobs:rspec:rules:rule if invalid expression syntax"
)]
#[case(
    "rules: [{if: 1}]",
    "jobs:rspec:rules:rule if invalid expression syntax"
)]
#[case(
    "rules: [{when: sometimes}]",
    "jobs:rspec:rules:rule when unknown value: sometimes"
)]
#[case(
    "rules: [{when: manual, start_in: 1 day}]",
    "jobs:rspec:rules:rule config contains disallowed keys: start_in"
)]
#[case(
    "rules: [{if: $A, start_in: 1 day}]",
    "jobs:rspec:rules:rule config contains disallowed keys: start_in"
)]
#[case(
    "rules: [{when: delayed}]",
    "jobs:rspec:rules:rule start in can't be blank"
)]
#[case(
    "rules: [{when: delayed, start_in: soon}]",
    "jobs:rspec:rules:rule start in should be a duration"
)]
#[case(
    "rules: [{when: delayed, start_in: 8 days}]",
    "jobs:rspec:rules:rule start in should not exceed the limit"
)]
#[case(
    "rules: [{allow_failure: x}]",
    "jobs:rspec:rules:rule allow failure should be a boolean value"
)]
#[case(
    "rules: [{allow_failure: {exit_codes: 1}}]",
    "jobs:rspec:rules:rule allow failure should be a boolean value"
)]
#[case(
    "rules: [{variables: x}]",
    "jobs:rspec:rules:rule:variables config should be a hash"
)]
#[case(
    "rules: [{variables: {A: {value: x}}}]",
    "jobs:rspec:rules:rule:variables:a config must be a string"
)]
#[case(
    "rules: [{needs: x}]",
    "jobs:rspec:rules:rule:needs config can only be a hash or an array"
)]
#[case(
    "rules: [{when: always}]\nonly: [main]",
    "jobs:rspec config key may not be used with `rules`: only"
)]
#[case(
    "rules: [{when: always}]\nexcept: [main]\nonly: [x]",
    "jobs:rspec config key may not be used with `rules`: only, except"
)]
#[case(
    "only: main",
    "jobs:rspec:only has to be either an array of conditions or a hash"
)]
#[case(
    "except: 1",
    "jobs:rspec:except has to be either an array of conditions or a hash"
)]
#[case(
    "only: [1]",
    "jobs:rspec:only config should be an array of strings or regular expressions using re2 syntax"
)]
#[case(
    "only: ['/a(/']",
    "jobs:rspec:only config should be an array of strings or regular expressions using re2 syntax"
)]
#[case(
    "only: ['/a(?=b)/']",
    "jobs:rspec:only config should be an array of strings or regular expressions using re2 syntax"
)]
#[case("only: {}", "jobs:rspec:only config can't be blank")]
#[case(
    "only: {refs: x}",
    "jobs:rspec:only refs should be an array of strings or regular expressions using re2 syntax"
)]
#[case("only: {bad: x}", "jobs:rspec:only config contains unknown keys: bad")]
#[case(
    "only: {variables: x}",
    "jobs:rspec:only variables should be an array of strings"
)]
#[case(
    "only: {variables: [$A ==]}",
    "jobs:rspec:only variables invalid expression syntax"
)]
#[case("extends: {a: b}", "rspec: unknown keys in `extends` (hash)")]
#[case("variables: test", "jobs:rspec:variables config should be a hash")]
#[case(
    "variables: {A: [1]}",
    "variable definition must be either a string or a hash"
)]
#[case(
    "variables: {VAR2: {value: x, description: y}}",
    "jobs:rspec:variables:var2 config uses invalid data keys: description"
)]
#[case(
    "variables: {A: {value: [1]}}",
    "jobs:rspec:variables:a config value must be a scalar"
)]
#[case(
    "variables: {A: {value: x, expand: y}}",
    "jobs:rspec:variables:a config expand should be a boolean value"
)]
#[case("inherit: x", "jobs:rspec:inherit config should be a hash")]
#[case(
    "inherit: {x: true}",
    "jobs:rspec:inherit config contains unknown keys: x"
)]
#[case(
    "inherit: {default: x}",
    "jobs:rspec:inherit:default should be a bool or array of strings"
)]
#[case(
    "inherit: {default: [1]}",
    "jobs:rspec:inherit:default config should be an array of strings"
)]
#[case(
    "inherit: {default: [tags, nope]}",
    "jobs:rspec:inherit:default config contains unknown values: nope"
)]
#[case(
    "inherit: {variables: 1}",
    "jobs:rspec:inherit:variables should be a bool or array of strings"
)]
fn jobs(#[case] body: &str, #[case] expected: &str) {
    let body = body.replace('\n', "\n  ");
    assert_eq!(
        message(&format!(
            "ok: {{script: x}}\nrspec:\n  script: x\n  {body}\n"
        )),
        expected
    );
}

#[rstest]
#[case("''")]
#[case("'  '")]
#[case("[]")]
#[case("")]
#[case("{}")]
#[case("false")]
fn a_blank_script(#[case] script: &str) {
    assert_eq!(
        error(&format!("rspec:\n  stage: test\n  script: {script}\n")),
        "jobs:rspec script can't be blank at line 3 column 3"
    );
}

#[rstest]
#[case("[1]")]
#[case("7")]
#[case("[echo: x]")]
#[case("[[a, [~]]]")]
fn a_script_of_something_else_than_text(#[case] script: &str) {
    assert_eq!(
        message(&format!("rspec: {{script: {script}}}")),
        "jobs:rspec:script config should be a string or a nested array of strings up to 10 levels deep"
    );
}

/// Each case stands at the root, beside a job.
#[rstest]
#[case(
    "before_script: 10",
    "before_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "after_script: [1]",
    "after_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "stages: test",
    "stages config should be an array of strings or a nested array of strings up to 10 levels deep"
)]
#[case(
    "stages: [test, 1]",
    "stages config should be an array of strings or a nested array of strings up to 10 levels deep"
)]
#[case(
    "stages: {a: b}",
    "stages config should be an array of strings or a nested array of strings up to 10 levels deep"
)]
#[case("variables: test", "variables config should be a hash")]
#[case(
    "variables: {A: [1]}",
    "variable definition must be either a string or a hash"
)]
#[case(
    "variables: {A: {value: x, bad: y}}",
    "variables:a config uses invalid data keys: bad"
)]
#[case(
    "variables: {A: {value: x, options: y}}",
    "variables:a config options should be an array of strings"
)]
#[case(
    "variables: {A: {value: x, options: [y]}}",
    "variables:a config value must be present in options"
)]
#[case(
    "variables: {A: {value: x, description: [y]}}",
    "variables:a config description must be a scalar"
)]
#[case("default: x", "default config should be a hash")]
#[case("default: {bad: x}", "default config contains unknown keys: bad")]
#[case("default: {stage: x}", "default config contains unknown keys: stage")]
#[case(
    "default: {tags: x}",
    "default:tags config should be an array of strings"
)]
#[case("default: {retry: 5}", "retry config must be less than or equal to 2")]
#[case("default: {timeout: x}", "default:timeout config should be a duration")]
#[case(
    "default: {before_script: 1}",
    "default:before_script config should be a string or a nested array of strings up to 10 levels deep"
)]
#[case(
    "default: {artifacts: {paths: x}}",
    "default:artifacts paths should be an array of strings"
)]
#[case("workflow: x", "workflow config should be a hash")]
#[case(
    "workflow: {variables: {}}",
    "workflow config contains unknown keys: variables"
)]
#[case("workflow: {name: 1}", "workflow name should be a string")]
#[case(
    "workflow: {rules: x}",
    "workflow:rules config should be an array containing hashes and arrays of hashes"
)]
#[case("workflow: {rules: []}", "workflow:rules config can't be blank")]
#[case(
    "workflow: {rules: [{when: manual}]}",
    "workflow:rules:rule when unknown value: manual"
)]
#[case(
    "workflow: {rules: [{if: $}]}",
    "workflow:rules:rule if invalid expression syntax"
)]
fn root_keywords(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(
        message(&format!("{text}\nrspec: {{script: x}}\n")),
        expected
    );
}

#[rstest]
#[case("before_script")]
#[case("after_script")]
fn a_script_at_the_root_and_in_default(#[case] name: &str) {
    assert_eq!(
        error(&format!(
            "{name}: a\ndefault:\n  {name}: b\nj: {{script: x}}\n"
        )),
        format!("{name} is defined in top-level and `default:` entry at line 1 column 1")
    );
}

#[test]
fn job_names_in_messages_are_lower_cased() {
    assert_eq!(
        message("MyJob: {script: x, Bad: 1}"),
        "jobs:myjob config contains unknown keys: bad"
    );
}

#[test]
fn all_errors_are_reported_in_file_order() {
    let text = "\
b:
  script: x
  tags: mysql
variables: 1
a:
  script: x
  retry: 7
  timeout: soon
";
    assert_eq!(
        errors(text),
        [
            "jobs:b:tags config should be an array of strings at line 3 column 3",
            "variables config should be a hash at line 4 column 1",
            "retry config must be less than or equal to 2 at line 7 column 3",
            "jobs:a:timeout config should be a duration at line 8 column 3",
        ]
    );
}

#[test]
fn an_invalid_job_is_not_looked_into() {
    let text = "j:\n  script: x\n  bad: 1\n  when: never\n  tags: mysql\n";
    assert_eq!(
        errors(text),
        [
            "jobs:j config contains unknown keys: bad at line 3 column 3",
            "jobs:j when should be one of: on_success, on_failure, always, manual, delayed at line 4 column 3",
        ]
    );
}

#[test]
fn a_delay_beside_rules_belongs_into_a_rule() {
    let text = "j:\n  script: x\n  when: delayed\n  start_in: 1 day\n  rules: [{if: $A}]\n";
    assert_eq!(
        errors(text),
        [
            "jobs:j start in must be blank at line 4 column 3",
            "jobs:j config key may not be used with `rules`: start_in at line 4 column 3",
        ]
    );
}

#[test]
fn errors_name_the_line_inside_an_extended_job() {
    let text = ".base:\n  retry: 9\nj:\n  extends: .base\n  script: x\n";
    assert_eq!(
        error(text),
        "retry config must be less than or equal to 2 at line 2 column 3"
    );
}

#[test]
fn script_and_trigger_exclude_each_other() {
    let errors = errors("j: {script: x, trigger: a/b}");
    assert!(
        errors.iter().any(|error| error
            .starts_with("jobs:j config these keys cannot be used together: script, trigger")),
        "{errors:?}"
    );
}

#[test]
fn needs_alone_make_no_job() {
    assert_eq!(
        message("a: {script: x}\nj: {needs: [a]}"),
        "jobs:j config should contain either a trigger or a needs:pipeline"
    );
}

#[test]
fn broken_yaml_names_its_place() {
    let error = error("a: b: c\n");
    assert!(error.contains("mapping values are not allowed"), "{error}");
    assert!(error.contains("line 1"), "{error}");
}
