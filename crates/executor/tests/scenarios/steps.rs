//! Jobs with steps: what one step leaves for the next, and how they end.

use rstest::rstest;
use serde_json::json;
use tappet_model::FailureReason;
use tappet_model::steps_payload::StepOutcome::{Cancelled, Failure, Skipped, Success};

use super::workflow::{run, workflow};

#[tokio::test]
async fn steps_run_in_order_and_their_lines_have_times_and_sections() {
    let ran = workflow(vec![
        run("echo one\necho two >&2").name("First ${{ github.event.number }}"),
        run("printf 'no end'"),
    ])
    .run()
    .await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    for (line, stream) in [
        ("one", " 00O one"),
        ("two", " 00E two"),
        ("no end", " 00O no end"),
    ] {
        assert!(ran.says(line), "{}", ran.log);
        assert!(ran.log.contains(stream));
    }
    let sections: Vec<_> = ran
        .log
        .lines()
        .filter(|line| line.contains("section_start:") && line.contains(":step_"))
        .map(|line| line.split_once(":step_").unwrap().1)
        .collect();
    assert_eq!(
        sections,
        [
            "__step_1[collapsed=false]\r\u{1b}[0KFirst 7",
            "__step_2[collapsed=false]\r\u{1b}[0KRun printf 'no end'"
        ]
    );
    assert_eq!(ran.report.steps[0].name, "First 7");
    assert_eq!(ran.report.error_message, None);
}

#[tokio::test]
async fn files_of_a_step_reach_the_next_one() {
    let ran =
        workflow(vec![
        run("echo A=1 >> $GITHUB_ENV
             printf 'B<<X\\none\\ntwo\\nX\\n' >> $GITHUB_ENV
             echo answer=42 >> $GITHUB_OUTPUT
             mkdir tools; printf '#!/bin/sh\\necho from-tool' > tools/tool; chmod +x tools/tool
             echo $PWD/tools >> $GITHUB_PATH
             echo \"now:$A:\"")
        .id("first"),
        run("echo \"env:$A:$B:${{ env.A }}\"; echo \"out:${{ steps.first.outputs.answer }}\"; tool
             cat $GITHUB_OUTPUT | wc -c"),
    ])
        .run()
        .await;
    for line in ["now::", "env:1:one", "two:1", "out:42", "from-tool", "0"] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

#[tokio::test]
async fn outputs_of_the_job_are_evaluated_at_its_end_and_secrets_stay_out() {
    let ran = workflow(vec![
        run("echo v=1.2 >> $GITHUB_OUTPUT; echo s=my-secret-value >> $GITHUB_OUTPUT").id("first"),
    ])
    .context("secrets", json!({"KEY": "my-secret-value"}))
    .outputs(&[
        ("version", "v${{ steps.first.outputs.v }}"),
        ("none", "${{ steps.first.outputs.missing }}"),
        ("leak", "x-${{ steps.first.outputs.s }}"),
    ])
    .run()
    .await;
    assert_eq!(
        ran.report.outputs,
        [("version".to_owned(), "v1.2".to_owned())]
    );
    assert!(ran.says("##[warning]Skip output 'leak' since it may contain secret."));
    assert!(!ran.log.contains("my-secret-value"));
}

#[tokio::test]
async fn a_failure_skips_what_follows_unless_it_asks_otherwise() {
    let ran = workflow(vec![
        run("true").id("good"),
        run("exit 3").id("bad").name("Run the test suite"),
        run("echo never").id("next"),
        run("echo cleaning").id("failure").when("failure()"),
        run("echo always").id("always").when("${{ always() }}"),
        run("echo never").id("plain").when("true"),
        run("echo never").id("not").when("cancelled()"),
    ])
    .run()
    .await;
    assert_eq!(ran.outcome.failure, Some(FailureReason::ScriptFailure));
    assert_eq!(ran.outcome.exit_code, Some(3));
    let outcomes: Vec<_> = ran.report.steps.iter().map(|step| step.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Success, Failure, Skipped, Success, Success, Skipped, Skipped
        ]
    );
    assert!(ran.says("##[error]Process completed with exit code 3."));
    assert!(ran.says("cleaning") && ran.says("always") && !ran.says("never"));
    assert_eq!(
        ran.report.error_message.as_deref(),
        Some("Step 2 (Run the test suite): script exited with code 3")
    );
}

#[tokio::test]
async fn continue_on_error_changes_the_conclusion_only() {
    let ran = workflow(vec![
        run("exit 1").id("bad").continue_on_error("${{ true }}"),
        run("echo ${{ steps.bad.outcome }}-${{ steps.bad.conclusion }}-${{ job.status }}"),
    ])
    .run()
    .await;
    assert_eq!(ran.step("bad"), (Failure, Success));
    assert!(ran.says("failure-success-success"));
    assert_eq!(ran.outcome.failure, None);
    assert_eq!(ran.report.error_message, None);
}

#[rstest]
#[case::unknown_function("${{ nothing() }}", "Unrecognized function: 'nothing'")]
#[case::not_json("fromJSON('{')", "")]
#[tokio::test]
async fn a_condition_that_cannot_be_judged_fails_the_step(
    #[case] condition: &str,
    #[case] reason: &str,
) {
    let ran = workflow(vec![run("echo never").id("one").when(condition)])
        .run()
        .await;
    assert_eq!(ran.step("one"), (Failure, Failure));
    assert_eq!(ran.outcome.failure, Some(FailureReason::ScriptFailure));
    assert!(!ran.says("never"));
    let message = ran.report.error_message.unwrap();
    assert!(
        message.contains("(Line: 7)") && message.contains(reason),
        "{message}"
    );
}

#[tokio::test]
async fn env_comes_from_job_step_and_files_in_rising_precedence() {
    let ran = workflow(vec![
        run("echo \"$A $B ${{ env.B }}\"").env(&[("B", "step-${{ env.A }}")]),
        run("echo B=file >> $GITHUB_ENV"),
        run("echo \"$B\""),
        run("echo \"$B\"").env(&[("B", "own")]),
        run("echo \"$GITHUB_SHA\"").env(&[("GITHUB_SHA", "forged")]),
    ])
    .env(&[("A", "job"), ("B", "job-b"), ("A", "later")])
    .run()
    .await;
    for line in ["later step-later step-later", "file", "own", "0123"] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

#[tokio::test]
async fn steps_find_the_pairs_of_tables_of_their_run_in_a_file() {
    let show = run("cat \"$DATAFOLD_DIFFS\"; echo; echo \"secret=$OTHER\"");
    let ran = workflow(vec![show])
        .job(|job| {
            job.file_variable("DATAFOLD_DIFFS", r#"[{"prod":"A.B"}]"#)
                .variable("OTHER", "of the settings")
        })
        .run()
        .await;
    assert!(ran.says(r#"[{"prod":"A.B"}]"#), "{}", ran.log);
    assert!(ran.says("secret="), "{}", ran.log);
}

#[tokio::test]
async fn a_step_finds_githubs_environment() {
    let ran = workflow(vec![
        run(
            "echo \"ci=$CI actions=$GITHUB_ACTIONS action=$GITHUB_ACTION os=$RUNNER_OS\"
             echo \"event=$GITHUB_EVENT_NAME $(cat $GITHUB_EVENT_PATH)\"
             echo \"token=$GITHUB_TOKEN depot=$DEPOT_ORG_ID\"
             test \"$PWD\" = \"$GITHUB_WORKSPACE\" && echo empty=$(ls -A | wc -l)
             test -w $RUNNER_TEMP && test -d $RUNNER_TOOL_CACHE && echo folders
             test \"$PWD\" = '${{ github.workspace }}' && echo same",
        )
        .id("env"),
    ])
    .context("depot", json!({"org_id": "org_1"}))
    .run()
    .await;
    for line in [
        "ci=true actions=true action=env os=Linux",
        "event=push {\"number\":7}",
        "token= depot=org_1",
        "empty=0",
        "folders",
        "same",
    ] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

#[rstest]
#[case::default("false | true; echo went-on", None, "went-on")]
#[case::bash(
    "false | true; echo went-on",
    Some("bash"),
    "##[error]Process completed with exit code 1."
)]
#[case::sh("echo ${BASH_VERSION:-no}-bash", Some("sh"), "")]
#[case::python("print('py' + 'thon')", Some("python"), "python")]
#[case::own("echo $0 $1", Some("bash -c 'echo own' {0}"), "")]
#[case::own_words("one two", Some("cat {0}"), "one two")]
#[tokio::test]
async fn a_script_is_read_by_its_shell(
    #[case] script: &str,
    #[case] shell: Option<&str>,
    #[case] line: &str,
) {
    let step = run(script);
    let step = match shell {
        Some(shell) => step.shell(shell),
        None => step,
    };
    let ran = workflow(vec![step]).run().await;
    let has_python = !ran.log.contains("python: command not found");
    assert!(
        line.is_empty() || !has_python || ran.says(line),
        "{}",
        ran.log
    );
}

#[rstest]
#[case::unknown("fish", "Invalid shell option.")]
#[case::missing("no-such-shell {0}", "no-such-shell: command not found.")]
#[tokio::test]
async fn a_shell_that_cannot_be_used_is_an_error(#[case] shell: &str, #[case] text: &str) {
    let ran = workflow(vec![run("echo never").shell(shell)]).run().await;
    let message = ran.report.error_message.unwrap();
    assert!(message.contains(text), "{message}");
    assert_eq!(ran.outcome.failure, Some(FailureReason::ScriptFailure));
}

#[tokio::test]
async fn a_working_directory_is_found_below_the_workspace_or_is_an_error() {
    let ran = workflow(vec![
        run("mkdir -p a/b"),
        run("echo ${PWD#$GITHUB_WORKSPACE}").working_directory("${{ 'a' }}/b"),
        run("echo never").working_directory("missing"),
    ])
    .run()
    .await;
    assert!(ran.says("/a/b"), "{}", ran.log);
    assert!(
        ran.report
            .error_message
            .unwrap()
            .contains("with working directory")
    );
}

#[tokio::test]
async fn commands_are_obeyed_on_both_streams() {
    let ran = workflow(vec![
        run(
            "echo '::set-output name=a::1'; echo '::set-output name=b::2%0A3' >&2
             echo '::group::Title'; echo inside; echo '::endgroup::'
             echo '::error file=a.js,line=1::broken%2C really'
             echo '::debug::hidden'; echo '::notice::seen'
             echo '::unknown::text'",
        )
        .id("one"),
        run("echo '${{ steps.one.outputs.a }}'; echo '${{ toJSON(steps.one.outputs.b) }}'"),
    ])
    .run()
    .await;
    for line in [
        "##[group]Title",
        "inside",
        "##[endgroup]",
        "##[error]broken%2C really",
        "##[notice]seen",
        "::unknown::text",
        "1",
        "\"2\\n3\"",
    ] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
    assert!(!ran.lines().contains(&"##[debug]hidden".to_owned()));
    assert_eq!(ran.outcome.failure, None);
}

#[tokio::test]
async fn debug_lines_are_shown_when_the_variable_says_so() {
    let ran = workflow(vec![run("echo '::debug::seen'; echo \"d=$RUNNER_DEBUG\"")])
        .context("vars", json!({"ACTIONS_STEP_DEBUG": "true"}))
        .run()
        .await;
    assert!(ran.says("##[debug]seen") && ran.says("d=1"), "{}", ran.log);
}

#[tokio::test]
async fn a_mask_holds_from_its_line_on_and_in_later_steps() {
    let ran = workflow(vec![
        run(
            "V=hid; V=${V}den-thing; echo before $V; echo \"::add-mask::$V\"; echo after $V
             echo \"- $V\" >> $GITHUB_STEP_SUMMARY",
        ),
        run("V=hid; V=${V}den-thing; echo later $V; echo base $(printf $V | base64)"),
    ])
    .run()
    .await;
    assert!(ran.says("before hidden-thing"));
    assert!(
        ran.says("after ***") && ran.says("later ***"),
        "{}",
        ran.log
    );
    assert!(ran.lines().iter().any(|line| line.starts_with("base ***")));
    assert_eq!(ran.report.summary.trim(), "- ***");
    assert_eq!(ran.report.summary_steps, 1);
}

#[tokio::test]
async fn stopped_commands_are_text_until_the_token() {
    let ran = workflow(vec![
        run(
            "echo '::stop-commands::tok'; echo '::set-output name=a::1'; echo '::tok::'
         echo '::set-output name=b::2'",
        )
        .id("one"),
        run("echo \"a=${{ steps.one.outputs.a }} b=${{ steps.one.outputs.b }}\""),
    ])
    .run()
    .await;
    assert!(ran.says("::set-output name=a::1"));
    assert!(ran.says("a= b=2"), "{}", ran.log);
}

#[rstest]
#[case::set_env("echo '::set-env name=A::1'", "The `set-env` command is disabled.")]
#[case::add_path("echo '::add-path::/x'", "The `add-path` command is disabled.")]
#[case::set_output(
    "echo '::set-output::1'",
    "Required field 'name' is missing in ##[set-output] command."
)]
#[case::echo("echo '::echo::maybe'", "Invalid echo command value.")]
#[case::stop("echo '::stop-commands::debug'", "You cannot use a endToken")]
#[case::matcher("echo '::add-matcher::missing.json'", "Could not read file")]
#[case::file("echo oops >> $GITHUB_ENV", "Invalid format 'oops'")]
#[tokio::test]
async fn a_command_that_cannot_be_processed_fails_the_step(
    #[case] script: &str,
    #[case] text: &str,
) {
    let ran = workflow(vec![run(script).id("one")]).run().await;
    assert_eq!(ran.step("one"), (Failure, Failure));
    let error = format!("##[error]{text}");
    assert!(
        ran.lines().iter().any(|line| line.starts_with(&error)),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn unsecure_commands_work_when_they_are_allowed() {
    let ran = workflow(vec![
        run("echo '::set-env name=A::1'"),
        run("echo \"a=$A\""),
    ])
    .env(&[("ACTIONS_ALLOW_UNSECURE_COMMANDS", "true")])
    .run()
    .await;
    assert!(ran.says("a=1"), "{}", ran.log);
}

#[tokio::test]
async fn a_step_past_its_time_fails_in_githubs_words_and_the_job_goes_on() {
    let ran = workflow(vec![
        run("sleep 4101")
            .id("slow")
            .name("Slow")
            .timeout_minutes("${{ 0.005 }}"),
        run("echo cleaning").when("failure()"),
    ])
    .run()
    .await;
    assert_eq!(ran.step("slow"), (Failure, Failure));
    assert!(
        ran.says("##[error]The action 'Slow' has timed out after 0.005 minutes."),
        "{}",
        ran.log
    );
    assert!(ran.says("cleaning"));
}

#[tokio::test]
async fn a_cancelled_job_interrupts_its_step_and_runs_what_asks_for_it() {
    let ran = workflow(vec![
        run("trap 'echo interrupted; exit 1' INT; echo start-$((1+1)); while :; do sleep 0.02; done")
            .id("one"),
        run("echo never").id("two"),
        run("echo cleaning ${{ job.status }}").id("three").when("cancelled()"),
        run("echo always").id("four").when("always()"),
        run("echo never").id("five").when("failure()"),
    ])
    .cancel_at("start-2")
    .run()
    .await;
    assert_eq!(ran.outcome.failure, Some(FailureReason::JobCanceled));
    let outcomes: Vec<_> = ran.report.steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [Cancelled, Skipped, Success, Success, Skipped]);
    assert!(
        ran.says("interrupted") && ran.says("always") && !ran.says("never"),
        "{}",
        ran.log
    );
    assert!(ran.says("##[error]The operation was canceled."));
}

#[tokio::test]
async fn a_job_past_its_time_still_cleans_up() {
    let ran = workflow(vec![
        run("sleep 4102").id("slow"),
        run("echo never"),
        run("echo cleaning").when("always()"),
    ])
    .job(|job| job.timeout(1))
    .run()
    .await;
    assert_eq!(
        ran.outcome.failure,
        Some(FailureReason::JobExecutionTimeout)
    );
    assert!(ran.says("cleaning") && !ran.says("never"), "{}", ran.log);
}

#[tokio::test]
async fn files_are_hashed_in_conditions_too() {
    let ran = workflow(vec![
        run("printf one > a.lock"),
        run("echo hash=${{ hashFiles('*.lock') }}").when("hashFiles('*.lock') != ''"),
        run("echo never").when("hashFiles('missing') != ''"),
    ])
    .run()
    .await;
    // SHA-256 of SHA-256 of "one".
    let line = ran
        .lines()
        .into_iter()
        .find(|line| line.starts_with("hash="));
    assert_eq!(line.unwrap().len(), "hash=".len() + 64);
    assert!(!ran.says("never"));
}

#[rstest]
#[tokio::test]
async fn what_a_step_starts_in_the_background_is_there_for_the_next(
    #[values(false, true)] mark: bool,
) {
    let needle = format!("42{}{}", std::process::id(), u8::from(mark));
    let ran = workflow(vec![
        run(&format!(
            "(trap '' PIPE; while sleep 0.02; do echo noise; echo tick > tick; done) & setsid -f sleep {needle}; echo started"
        )),
        run("rm -f tick; until [ -e tick ]; do sleep 0.02; done; echo still-there"),
    ])
    .job(|job| job.without_namespaces(mark))
    .run()
    .await;
    assert!(
        ran.says("started") && ran.says("still-there"),
        "{}",
        ran.log
    );
    let alive = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&needle))
    });
    assert!(!alive, "nothing outlives the job");
}
