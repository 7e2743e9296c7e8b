//! The checkout, and repositories that want more than that.

use super::attempt::{job, run_git, source};
use rstest::rstest;
use tappet_executor::Outcome;
use tappet_model::FailureReason;

const SHOW: &[&str] = &[
    "cat hello.txt",
    "git -c safe.directory='*' log --format=%H%d",
    "git -c safe.directory='*' status --porcelain",
];

#[rstest]
#[case::borrowed(0)]
#[case::fetched(1)]
#[tokio::test]
async fn the_commit_is_checked_out_detached_and_clean(#[case] depth: u32) {
    let source = source(&[("hello.txt", "hello\n"), ("sub/run.sh", "x")]);
    let mut job = job(SHOW).checkout(source.url.clone(), &source.sha, "main");
    job.payload.git_info.depth = depth;
    let done = job.run().await;
    assert_eq!(done.outcome, Outcome::SUCCESS, "{}", done.log);
    assert!(done.log.contains(&format!(
        "Checking out {} as detached HEAD (ref is main)...",
        &source.sha[..8]
    )));
    assert!(done.log.contains("HEAD, origin/main)"), "{}", done.log);
    assert!(
        !done.log.contains("??") && !done.log.contains(" D "),
        "{}",
        done.log
    );
}

#[rstest]
#[case::borrowed(0)]
#[case::fetched(1)]
#[tokio::test]
async fn nothing_in_the_source_repository_is_executed(#[case] depth: u32) {
    let source = source(&[("hello.txt", "hello\n")]);
    let flag = source.dir.path().join("pwned");
    let hook = source.dir.path().join(".git/hooks/post-checkout");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", flag.display())).unwrap();
    std::os::unix::fs::PermissionsExt::set_mode(
        &mut std::fs::metadata(&hook).unwrap().permissions(),
        0o755,
    );
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(&hook)
        .status()
        .unwrap();
    let command = format!("touch {}", flag.display());
    run_git(source.dir.path(), &["config", "core.fsmonitor", &command]);
    run_git(
        source.dir.path(),
        &["config", "uploadpack.packObjectsHook", &command],
    );
    run_git(source.dir.path(), &["config", "core.sshCommand", &command]);
    let included = source.dir.path().join("evil.config");
    std::fs::write(&included, format!("[core]\n\tfsmonitor = {command}\n")).unwrap();
    run_git(
        source.dir.path(),
        &["config", "include.path", included.to_str().unwrap()],
    );
    let _ = std::fs::remove_file(&flag);
    let mut job = job(&["cat hello.txt"]).checkout(source.url.clone(), &source.sha, "main");
    job.payload.git_info.depth = depth;
    let done = job.run().await;
    assert_eq!(done.outcome, Outcome::SUCCESS, "{}", done.log);
    assert!(!flag.exists());
}

#[tokio::test]
async fn a_branch_with_shell_characters_is_only_a_name() {
    let source = source(&[("hello.txt", "hello\n")]);
    let branch = "it's-$(touch${IFS}/tmp/tappet-pwned)";
    run_git(source.dir.path(), &["branch", branch]);
    let done = job(SHOW)
        .checkout(source.url.clone(), &source.sha, branch)
        .run()
        .await;
    assert_eq!(done.outcome, Outcome::SUCCESS, "{}", done.log);
    assert!(
        done.log.contains(&format!("origin/{branch})")),
        "{}",
        done.log
    );
    assert!(!std::path::Path::new("/tmp/tappet-pwned").exists());
}

#[rstest]
#[case::unknown_commit("file", "0123456789012345678901234567890123456789")]
#[case::short_commit("file", "01234567")]
#[case::option_as_commit("file", "--upload-pack=touch /tmp/tappet-pwned")]
#[case::missing_repository("missing", "0123456789012345678901234567890123456789")]
#[case::command_as_address(
    "ext::sh -c 'touch /tmp/tappet-pwned'",
    "0123456789012345678901234567890123456789"
)]
#[case::option_as_address(
    "--upload-pack=touch /tmp/tappet-pwned",
    "0123456789012345678901234567890123456789"
)]
#[tokio::test]
async fn a_checkout_that_cannot_be_made_is_a_system_failure(#[case] url: &str, #[case] sha: &str) {
    let source = source(&[("hello.txt", "hello\n")]);
    let url = match url {
        "file" => source.url.clone(),
        "missing" => format!("{}/not-here", source.url),
        other => other.to_owned(),
    };
    let done = job(&["echo never"])
        .checkout(url, sha, "main")
        .after(&["echo never"])
        .run()
        .await;
    assert_eq!(
        done.outcome,
        Outcome::failed(FailureReason::RunnerSystemFailure)
    );
    assert!(!done.log.contains("\nnever"), "{}", done.log);
    assert!(!std::path::Path::new("/tmp/tappet-pwned").exists());
}

#[rstest]
#[case("GIT_STRATEGY", "pull")]
#[case("GIT_SUBMODULE_STRATEGY", "deep")]
#[tokio::test]
async fn an_unknown_strategy_is_named(#[case] key: &str, #[case] value: &str) {
    let source = source(&[("hello.txt", "hello\n")]);
    let done = job(&["true"])
        .checkout(source.url.clone(), &source.sha, "main")
        .variable(key, value)
        .run()
        .await;
    assert_eq!(
        done.outcome.failure,
        Some(FailureReason::RunnerSystemFailure)
    );
    assert!(
        done.log
            .contains(&format!("{key} is {value:?}; use one of")),
        "{}",
        done.log
    );
}

#[tokio::test]
async fn without_checkout_only_the_history_is_there() {
    let source = source(&[("hello.txt", "hello\n")]);
    let done = job(&["ls", "git cat-file -t HEAD"])
        .checkout(source.url.clone(), &source.sha, "main")
        .variable("GIT_CHECKOUT", "false")
        .run()
        .await;
    assert!(!done.log.contains("\nhello.txt"), "{}", done.log);
    assert!(done.log.contains("\ncommit\n"));
}

#[tokio::test]
async fn submodules_come_when_asked_for() {
    let library = source(&[("lib.txt", "library\n")]);
    let main = source(&[("hello.txt", "hello\n")]);
    run_git(
        main.dir.path(),
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            &library.url,
            "vendor/lib",
        ],
    );
    run_git(main.dir.path(), &["commit", "-q", "-m", "two"]);
    let sha = run_git(main.dir.path(), &["rev-parse", "HEAD"]);
    let job = |strategy: &str| {
        job(&["ls vendor/lib"])
            .checkout(main.url.clone(), &sha, "main")
            .variable("GIT_SUBMODULE_STRATEGY", strategy)
    };
    let done = job("recursive").run().await;
    assert!(done.log.contains("\nlib.txt\n"), "{}", done.log);
    assert!(!job("none").run().await.log.contains("\nlib.txt\n"));
}

#[rstest]
#[case::option("-u./payload", "lib")]
#[case::proxy("ssh://-oProxyCommand=touch${IFS}/tmp/tappet-pwned/x", "lib")]
#[case::outside("https://127.0.0.1:1/x", "../lib")]
#[tokio::test]
async fn a_hostile_submodule_fails_the_job_before_git_sees_it(
    #[case] url: &str,
    #[case] path: &str,
) {
    let modules = format!("[submodule \"lib\"]\n\tpath = {path}\n\turl = {url}\n");
    let source = source(&[
        (".gitmodules", &modules),
        ("payload", "#!/bin/sh\ntouch /tmp/tappet-pwned\n"),
    ]);
    let done = job(&["echo never"])
        .checkout(source.url.clone(), &source.sha, "main")
        .variable("GIT_SUBMODULE_STRATEGY", "normal")
        .run()
        .await;
    assert_eq!(
        done.outcome.failure,
        Some(FailureReason::RunnerSystemFailure)
    );
    assert!(done.log.contains("is refused: its"), "{}", done.log);
    assert!(!done.log.contains("\nnever"));
    assert!(!std::path::Path::new("/tmp/tappet-pwned").exists());
}
