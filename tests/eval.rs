//! `tappet eval`: answers, input that is not as described, exit codes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

fn eval(flags: &str, input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_tappet"))
        .arg("eval")
        .args(flags.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tappet can be started");
    let mut stdin = process.stdin.take().expect("it is piped");
    // Wrong flags end the program before it reads.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    process.wait_with_output().expect("tappet ends")
}

#[rstest]
#[case::every_kind(
    "--dialect actions --json",
    r#"[{"expr":"null"},{"expr":"!0"},{"expr":"0x10"},{"expr":"'a'"},{"expr":"a.*","contexts":{"a":{"b":1}}},{"expr":"a","contexts":{"a":{"b":1.5}}}]"#,
    r#"[{"kind":"Null","value":null},{"kind":"Boolean","value":true},{"kind":"Number","value":16},{"kind":"String","value":"a"},{"kind":"Array","value":[1]},{"kind":"Object","value":{"b":1.5}}]"#
)]
#[case::numbers_that_json_lacks(
    "--dialect actions --json",
    r#"[{"expr":"NaN"},{"expr":"Infinity"},{"expr":"a","contexts":{"a":[-1e999]}}]"#,
    r#"[{"kind":"Number","value":"NaN"},{"kind":"Number","value":"Infinity"},{"kind":"Array","value":["-Infinity"]}]"#
)]
#[case::errors_are_answers(
    "--dialect actions --json",
    r#"[{"expr":"github.ref"},{"expr":"success()"},{"expr":""},{"expr":"1"}]"#,
    r#"[{"error":"Unrecognized named-value: 'github'. Located at position 1 within expression: github.ref"},{"error":"Unrecognized function: 'success'. Located at position 1 within expression: success()"},{"error":"An expression was expected"},{"kind":"Number","value":1}]"#
)]
#[case::contexts_of_null(
    "--dialect actions --json",
    r#"[{"expr":"1","contexts":null}]"#,
    r#"[{"kind":"Number","value":1}]"#
)]
#[case::nothing_asked("--dialect actions --json", "[]", "[]")]
#[case::lines_for_people(
    "--dialect actions",
    r#"[{"expr":"'a'"},{"expr":"!"}]"#,
    "String: \"a\"\nerror: Unexpected end of expression: '!'. Located at position 1 within expression: !"
)]
#[case::conditions_of_gitlab(
    "--dialect gitlab --json",
    r#"[{"expr":"$A == \"x\"","contexts":{"A":"x"}},{"expr":"$B && $A","contexts":{"A":"x","B":1}},{"expr":"$a","contexts":{"A":"x"}},{"expr":"$A =~ /^X$/i","contexts":{"A":"x"}},{"expr":"$A ="}]"#,
    r#"[{"kind":"Boolean","value":true},{"kind":"String","value":"x"},{"kind":"Null","value":null},{"kind":"Boolean","value":true},{"error":"unknown lexeme found at character 4"}]"#
)]
fn answers(#[case] flags: &str, #[case] input: &str, #[case] wanted: &str) {
    let output = eval(flags, input);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), wanted);
    assert_eq!(output.status.code(), Some(0));
}

#[rstest]
#[case::no_json("--dialect actions --json", "1 +", "at line 1, column 3")]
#[case::empty("--dialect actions --json", "", "expected a value")]
#[case::no_array("--dialect actions --json", "{}", "it is no array")]
#[case::no_expression(
    "--dialect actions --json",
    r#"[{"contexts":{}}]"#,
    "element 0 has no text `expr`"
)]
#[case::no_text(
    "--dialect actions --json",
    r#"[{"expr":"1"},{"expr":1}]"#,
    "element 1 has no text `expr`"
)]
#[case::no_object(
    "--dialect actions --json",
    r#"[{"expr":"1","contexts":[]}]"#,
    "`contexts` of element 0 is no object"
)]
#[case::no_dialect("--json", "[]", "--dialect")]
#[case::unknown_dialect("--dialect jenkins", "[]", "jenkins")]
#[case::gitlab_no_array("--dialect gitlab --json", "{}", "invalid type: map")]
#[case::gitlab_no_text(
    "--dialect gitlab --json",
    r#"[{"expr":"$A","contexts":{"A":[]}}]"#,
    "variable `A` is no text"
)]
fn input_that_is_not_as_described(#[case] flags: &str, #[case] input: &str, #[case] why: &str) {
    let output = eval(flags, input);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains(why), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(output.status.code(), Some(64));
}
