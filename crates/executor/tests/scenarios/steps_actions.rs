//! The actions that the runner does itself.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;
use tappet_model::steps_payload::StepOutcome::{Failure, Success};
use tappet_model::workflow_job::{StepAction, UsedAction};

use super::attempt::{Source, run_git, source};
use super::named_artifacts::NamedArtifacts;
use super::workflow::{Ran, Step, Workflow, action, run, settings, workflow};

fn uses(used: UsedAction, with: &[(&str, &str)]) -> Step {
    action(StepAction::Uses {
        action: used,
        with: settings(with),
    })
}

fn checkout(with: &[(&str, &str)]) -> Step {
    uses(UsedAction::Checkout, with).id("checkout")
}

fn upload(with: &[(&str, &str)]) -> Step {
    uses(UsedAction::UploadArtifact, with).id("upload")
}

fn download(with: &[(&str, &str)]) -> Step {
    uses(UsedAction::DownloadArtifact, with).id("download")
}

fn on(source: &Source, steps: Vec<Step>) -> Workflow {
    let github = json!({
        "repository": "acme/web", "ref": "refs/heads/main", "sha": source.sha,
        "server_url": "http://ci.example", "run_id": "12",
    });
    workflow(steps)
        .context("github", github)
        .job(|job| job.checkout(source.url.clone(), &source.sha, "main"))
}

async fn with_artifacts(named: &Arc<NamedArtifacts>, steps: Vec<Step>) -> Ran {
    let github =
        json!({"repository": "acme/web", "server_url": "http://ci.example", "run_id": "12"});
    workflow(steps)
        .context("github", github)
        .job(|mut job| {
            job.named = named.clone();
            job
        })
        .run()
        .await
}

/// A repository with a second commit, a branch and a tag.
fn repository() -> Source {
    let mut source = source(&[("a.txt", "one"), ("sub/b.txt", "two")]);
    let dir = source.dir.path();
    run_git(dir, &["branch", "old"]);
    run_git(dir, &["tag", "-a", "-m", "v1", "v1"]);
    std::fs::write(dir.join("a.txt"), "changed").unwrap();
    run_git(dir, &["commit", "-q", "-am", "two"]);
    source.sha = run_git(dir, &["rev-parse", "HEAD"]);
    source
}

#[tokio::test]
async fn checkout_leaves_one_commit_on_its_branch() {
    let source = repository();
    let ran = on(
        &source,
        vec![
            run("echo before=$(ls -A | wc -l)"),
            checkout(&[]),
            run(
                "cat a.txt; echo; git status --porcelain -b; git rev-list --count HEAD
                 git rev-parse --is-shallow-repository; git config remote.origin.url
                 echo '${{ steps.checkout.outputs.ref }} ${{ steps.checkout.outputs.commit }}'",
            ),
        ],
    )
    .run()
    .await;
    let outputs = format!("refs/heads/main {}", source.sha);
    for line in [
        "before=0",
        "changed",
        "## main...origin/main",
        "1",
        "true",
        &source.url,
        &outputs,
    ] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

#[rstest]
#[case::whole_history(&[("fetch-depth", "0")], &["2", "false", "origin/old", "v1"])]
#[case::two_commits(&[("fetch-depth", "2")], &["2", "changed"])]
#[case::a_branch(&[("ref", "old")], &["one", "## old...origin/old"])]
#[case::a_tag(&[("ref", "v1")], &["one", "## HEAD (no branch)"])]
#[case::below(&[("path", "x/y")], &["changed in x/y"])]
#[case::unknown_input(&[("wrong", "1")], &["changed"])]
#[tokio::test]
async fn checkout_brings_what_its_inputs_say(
    #[case] with: &[(&str, &str)],
    #[case] lines: &[&str],
) {
    let source = repository();
    let ran = on(
        &source,
        vec![
            checkout(with),
            run(
                "if [ -d x/y ]; then cd x/y; echo \"$(cat a.txt) in x/y\"; fi
                 cat a.txt; echo; git status --porcelain -b; git rev-list --count HEAD
                 git rev-parse --is-shallow-repository
                 git for-each-ref --format='%(refname:short)' refs/tags refs/remotes",
            ),
        ],
    )
    .run()
    .await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    for line in lines {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
    let warned = ran
        .log
        .contains("##[warning]Unexpected input(s) 'wrong', valid inputs are ['repository', 'ref',");
    assert_eq!(warned, with[0].0 == "wrong");
}

#[tokio::test]
async fn a_commit_is_checked_out_detached() {
    let source = repository();
    let first = run_git(source.dir.path(), &["rev-parse", "old"]);
    let ran = on(
        &source,
        vec![
            checkout(&[("ref", &first)]),
            run("cat a.txt; echo; git status --porcelain -b; git rev-parse HEAD"),
        ],
    )
    .run()
    .await;
    for line in ["one", "## HEAD (no branch)", &first] {
        assert!(ran.says(line), "{line}: {}", ran.log);
    }
}

#[tokio::test]
async fn a_second_checkout_clears_the_folder_unless_told_not_to() {
    let source = repository();
    let ran = on(
        &source,
        vec![
            checkout(&[]),
            run("touch kept"),
            checkout(&[("clean", "false")]),
            run("ls kept && echo still-there"),
            checkout(&[]),
            run("test -e kept || echo gone"),
        ],
    )
    .run()
    .await;
    assert!(ran.says("still-there") && ran.says("gone"), "{}", ran.log);
}

#[rstest]
#[case(&[("ref", "nowhere")], "A branch or tag with the name 'nowhere' could not be found")]
#[case(&[("repository", "acme/other")], "only the run's own repository 'acme/web'")]
#[case(&[("ref", "3333333333333333333333333333333333333333")], "git checkout failed")]
#[tokio::test]
async fn a_checkout_that_cannot_be_made_says_why(
    #[case] with: &[(&str, &str)],
    #[case] text: &str,
) {
    let ran = on(&repository(), vec![checkout(with)]).run().await;
    assert_eq!(ran.step("checkout"), (Failure, Failure));
    let message = ran.report.error_message.unwrap();
    assert!(message.contains(text), "{message}");
}

#[tokio::test]
async fn an_artifact_goes_from_one_job_to_another() {
    let named = Arc::new(NamedArtifacts::default());
    let first = with_artifacts(
        &named,
        vec![
            run("mkdir -p dist/js .cache; echo js > dist/js/a.js; echo map > dist/js/a.map; echo h > dist/.hidden"),
            upload(&[("name", "build"), ("path", "dist\n!**/*.map")]),
            run("echo id=${{ steps.upload.outputs.artifact-id }} ${{ steps.upload.outputs.artifact-url }}
                 echo digest=${{ steps.upload.outputs.artifact-digest }}"),
        ],
    )
    .await;
    assert_eq!(first.outcome.failure, None, "{}", first.log);
    assert_eq!(named.files("build"), ["js/a.js"]);
    assert!(first.says("id=40 http://ci.example/acme/web/-/pipelines/12#artifact-40"));
    let digest = format!("digest={}", named.list()[0].digest);
    assert!(first.says(&digest), "{}", first.log);
    let second = with_artifacts(
        &named,
        vec![
            download(&[("name", "build"), ("path", "in")]),
            run("cat in/js/a.js; echo ${{ steps.download.outputs.download-path }} | sed s,$PWD/,,"),
        ],
    )
    .await;
    assert!(second.says("js") && second.says("in"), "{}", second.log);
}

#[rstest]
#[case::one_file("a/b.txt", &["b.txt"])]
#[case::a_folder("a", &["b.txt", "c/d.txt"])]
#[case::a_glob("a/**/*.txt", &["b.txt", "c/d.txt"])]
#[case::several("a/b.txt\nother", &["a/b.txt", "other/e.txt"])]
#[case::several_below_one("a/b.txt\na/c", &["b.txt", "c/d.txt"])]
#[tokio::test]
async fn names_in_an_artifact_begin_below_what_its_paths_share(
    #[case] path: &str,
    #[case] files: &[&str],
) {
    let named = Arc::new(NamedArtifacts::default());
    let ran = with_artifacts(
        &named,
        vec![
            run("mkdir -p a/c other; touch a/b.txt a/c/d.txt other/e.txt"),
            upload(&[("path", path)]),
        ],
    )
    .await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    assert_eq!(named.files("artifact"), files);
}

#[rstest]
#[case::warn(&[], Success, "##[warning]No files were found with the provided path: none. No artifacts will be uploaded.")]
#[case::ignore(&[("if-no-files-found", "ignore")], Success, "No files were found with the provided path: none. No artifacts will be uploaded.")]
#[case::error(&[("if-no-files-found", "error")], Failure, "##[error]No files were found with the provided path: none. No artifacts will be uploaded.")]
#[case::other(&[("if-no-files-found", "x")], Failure, "##[error]Unrecognized if-no-files-found input. Provided: x. Available options: warn,error,ignore")]
#[tokio::test]
async fn an_upload_of_nothing_is_what_its_input_says(
    #[case] with: &[(&str, &str)],
    #[case] outcome: tappet_model::steps_payload::StepOutcome,
    #[case] line: &str,
) {
    let named = Arc::new(NamedArtifacts::default());
    let with = [&[("path", "none")], with].concat();
    let ran = with_artifacts(&named, vec![upload(&with)]).await;
    assert_eq!(ran.step("upload").0, outcome);
    assert!(ran.says(line), "{}", ran.log);
    assert!(named.list().is_empty());
}

#[tokio::test]
async fn a_name_is_taken_once_unless_it_is_overwritten() {
    let named = Arc::new(NamedArtifacts::default());
    let steps = |overwrite| {
        vec![
            run("echo $RANDOM > f"),
            upload(&[("path", "f"), ("overwrite", overwrite)]),
        ]
    };
    let first = with_artifacts(&named, steps("false")).await;
    assert_eq!(first.step("upload").0, Success);
    let second = with_artifacts(&named, steps("false")).await;
    assert_eq!(second.step("upload").0, Failure);
    let third = with_artifacts(&named, steps("true")).await;
    assert_eq!(third.step("upload").0, Success, "{}", third.log);
}

#[tokio::test]
async fn several_artifacts_lie_in_folders_or_together() {
    let named = Arc::new(NamedArtifacts::default());
    with_artifacts(
        &named,
        vec![
            run("echo a > a; echo b > b; echo c > c"),
            upload(&[("name", "logs-a"), ("path", "a")]).id("u1"),
            upload(&[("name", "logs-b"), ("path", "b")]).id("u2"),
            upload(&[("name", "dist"), ("path", "c")]).id("u3"),
        ],
    )
    .await;
    let ran = with_artifacts(
        &named,
        vec![
            download(&[("path", "all")]).id("d1"),
            download(&[("path", "some"), ("pattern", "logs-*")]).id("d2"),
            download(&[
                ("path", "flat"),
                ("pattern", "logs-*"),
                ("merge-multiple", "true"),
            ])
            .id("d3"),
            run("find all some flat -type f | sort"),
            download(&[("name", "dist")]).id("d4"),
            run("test '${{ steps.d3.outputs.download-path }}' = \"$PWD/flat\"
                 test '${{ steps.d4.outputs.download-path }}' = \"$PWD\" && echo no slash at the end"),
        ],
    )
    .await;
    assert!(ran.says("no slash at the end"), "{}", ran.log);
    let files: Vec<_> = ran
        .lines()
        .into_iter()
        .filter(|line| {
            ["all/", "some/", "flat/"]
                .iter()
                .any(|it| line.starts_with(it))
        })
        .collect();
    assert_eq!(
        files,
        [
            "all/dist/c",
            "all/logs-a/a",
            "all/logs-b/b",
            "flat/a",
            "flat/b",
            "some/logs-a/a",
            "some/logs-b/b"
        ]
    );
}

#[tokio::test]
async fn a_missing_artifact_is_named() {
    let named = Arc::new(NamedArtifacts::default());
    let ran = with_artifacts(&named, vec![download(&[("name", "gone")])]).await;
    assert_eq!(ran.step("download").0, Failure);
    let message = ran.report.error_message.unwrap();
    assert!(
        message.contains("Artifact not found for name: gone"),
        "{message}"
    );
}

const PATCH: &str = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-changed\n\\ No newline at end of file\n+patched\n\\ No newline at end of file\n";

fn patched(source: &Source, patch: &str) -> Workflow {
    let apply = action(StepAction::ApplyPatch {
        cache_key: "patch/abc/def".into(),
    });
    let patch = patch.to_owned();
    on(
        source,
        vec![checkout(&[]), apply.id("apply"), run("cat a.txt")],
    )
    .job(|mut job| {
        job.patches.insert("patch/abc/def".into(), patch);
        job
    })
}

#[rstest]
#[case(PATCH, "patched")]
#[case("", "changed")]
#[tokio::test]
async fn local_changes_are_applied(#[case] patch: &str, #[case] line: &str) {
    let ran = patched(&repository(), patch).run().await;
    assert_eq!(ran.outcome.failure, None, "{}", ran.log);
    assert!(ran.says(line), "{}", ran.log);
}

#[tokio::test]
async fn local_changes_that_do_not_apply_fail_their_step() {
    let ran = patched(&repository(), &PATCH.replace("-changed", "-other"))
        .run()
        .await;
    assert_eq!(ran.step("apply").0, Failure);
    let message = ran.report.error_message.unwrap();
    assert!(
        message.contains("The local changes do not apply") && message.contains("a.txt"),
        "{message}"
    );
}
