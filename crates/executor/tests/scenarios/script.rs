//! What the job's commands see and how their end counts.

use super::attempt::job;
use rstest::rstest;
use tappet_executor::Outcome;

#[rstest]
#[tokio::test]
async fn commands_share_a_shell_and_are_announced(#[values(false, true)] without_namespaces: bool) {
    let done = job(&["cd /", "x=1", "echo \"in $PWD with $x\""])
        .without_namespaces(without_namespaces)
        .run()
        .await;
    assert_eq!(done.outcome, Outcome::SUCCESS);
    assert!(
        done.log.contains("\u{1b}[32;1m$ cd /\u{1b}[0;m\n"),
        "{}",
        done.log
    );
    assert!(done.log.contains("\nin / with 1\n"));
    assert!(done.log.ends_with("\u{1b}[32;1mJob succeeded\u{1b}[0;m\n"));
}

#[rstest]
#[case::failing(&["sh -c 'exit 7'", "echo never"], 7)]
#[case::exit(&["exit 3", "echo never"], 3)]
#[case::pipe(&["false | true", "echo never"], 1)]
#[case::missing(&["no-such-command-here", "echo never"], 127)]
#[case::signal(&["kill -9 $$", "echo never"], 137)]
#[tokio::test]
async fn the_first_failing_command_decides(#[case] script: &[&str], #[case] code: i32) {
    let done = job(script).run().await;
    assert_eq!(done.outcome, Outcome::script(code));
    assert!(!done.log.contains("\nnever"));
}

#[rstest]
#[case::condition("if false; then :; fi")]
#[case::or("false || true")]
#[case::and("false && true; :")]
#[case::unset("echo \"$NO_SUCH_VARIABLE\"")]
#[tokio::test]
async fn what_bash_forgives_is_forgiven(#[case] line: &str) {
    assert_eq!(job(&[line]).run().await.outcome, Outcome::SUCCESS);
}

#[tokio::test]
async fn commands_read_nothing() {
    let done = job(&["cat", "read -r line || echo \"end of input\""])
        .run()
        .await;
    assert!(done.log.contains("\nend of input\n"));
}

#[tokio::test]
async fn hostile_values_are_only_values() {
    let hostile = "'; touch /tmp/tappet-pwned; \" $(touch /tmp/tappet-pwned) `id`\nsecond";
    let done = job(&["printf '<%s>' \"$EVIL\""])
        .variable("EVIL", hostile)
        .variable("CI_COMMIT_REF_NAME", "it's $(touch /tmp/tappet-pwned)")
        .run()
        .await;
    assert!(done.log.contains(&format!("<{hostile}>")), "{}", done.log);
    assert!(!std::path::Path::new("/tmp/tappet-pwned").exists());
}

#[tokio::test]
async fn the_environment_holds_only_what_was_declared() {
    let done = job(&["env | cut -d= -f1 | sort | tr '\\n' ' '; echo"])
        .variable("MINE", "1")
        .run()
        .await;
    let line = done
        .log
        .lines()
        .find(|line| line.contains("CI_BUILDS_DIR"))
        .unwrap();
    let names: Vec<&str> = line.split_whitespace().collect();
    let known = [
        "HOME",
        "LANG",
        "MINE",
        "PATH",
        "PWD",
        "SHELL",
        "SHLVL",
        "_",
        "GIT_STRATEGY",
    ];
    for name in names {
        assert!(
            known.contains(&name) || name.starts_with("CI_") || name == "RUNNER_TEMP_PROJECT_DIR",
            "{name} leaks into the job"
        );
    }
}

#[tokio::test]
async fn the_runner_keeps_its_own_names() {
    let done = job(&[
        "echo \"dir=$CI_PROJECT_DIR server=$CI_SERVER status=$CI_JOB_STATUS\"",
        "pwd",
    ])
    .variable("CI_PROJECT_DIR", "/bogus")
    .variable("CI_SERVER", "no")
    .run()
    .await;
    assert!(
        done.log
            .contains("/builds/15/web server=yes status=running\n"),
        "{}",
        done.log
    );
    assert!(done.log.contains("variable CI_PROJECT_DIR is ignored"));
}

#[tokio::test]
async fn a_file_variable_is_a_private_file() {
    let done = job(&["cat \"$KEY\"", "stat -c %a \"$KEY\""])
        .file_variable("KEY", "line 1\nline 2")
        .run()
        .await;
    assert!(done.log.contains("line 1\nline 2"));
    assert!(done.log.contains("600\n"));
}

#[tokio::test]
async fn dangerous_names_reach_the_script_but_not_the_runner() {
    let source = super::attempt::source(&[("f", "x")]);
    let done = job(&["echo \"<$GIT_SSH_COMMAND|$LD_PRELOAD|$PATH>\"; builtin test -f f"])
        .checkout(source.url.clone(), &source.sha, "main")
        .variable("PATH", "/nowhere")
        .variable("LD_PRELOAD", "")
        .variable("GIT_SSH_COMMAND", "touch /tmp/tappet-pwned")
        .variable("GIT_DIR", "/nowhere")
        .run()
        .await;
    assert_eq!(done.outcome, Outcome::SUCCESS, "{}", done.log);
    assert!(done.log.contains("<touch /tmp/tappet-pwned||/nowhere>"));
}

#[rstest]
#[case::success(&["true"], "success")]
#[case::failure(&["false"], "failed")]
#[tokio::test]
async fn after_script_runs_in_a_shell_of_its_own(#[case] script: &[&str], #[case] status: &str) {
    let mut lines = vec!["cd /; state=kept; touch \"$CI_PROJECT_DIR/file\""];
    lines.extend(script);
    let done = job(&lines)
        .after(&["echo \"<$CI_JOB_STATUS|$state>\"", "ls"])
        .run()
        .await;
    assert!(done.log.contains(&format!("<{status}|>")), "{}", done.log);
    assert!(done.log.contains("\nfile\n"));
    assert!(done.log.contains("Running after script..."));
}

#[tokio::test]
async fn a_failing_after_script_is_a_warning() {
    let done = job(&["true"]).after(&["exit 9"]).run().await;
    assert_eq!(done.outcome, Outcome::SUCCESS);
    assert!(done.log.contains("WARNING: after_script failed"));
}

#[tokio::test]
async fn a_syntax_error_names_the_stage() {
    let done = job(&["if then"]).run().await;
    assert_eq!(done.outcome.exit_code, Some(2));
    assert!(done.log.contains("script: line "), "{}", done.log);
}

#[tokio::test]
async fn sections_are_marked_when_the_server_wants_them() {
    let mut job = job(&["true"]);
    job.payload.features.trace_sections = true;
    let done = job.run().await;
    for name in ["prepare_executor", "get_sources", "step_script"] {
        assert_eq!(
            done.log.matches(&format!(":{name}\r")).count(),
            2,
            "{name}: {}",
            done.log
        );
    }
}
