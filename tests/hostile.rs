//! Repositories, refs and names that mean harm or are merely odd.

mod support;

use std::path::Path;

use rstest::rstest;
use serde_json::json;
use support::{Tappet, commit, git};

const OK: &str = "job: {script: ['echo fine']}";

#[tokio::test]
async fn a_missing_or_corrupt_repository_is_refused_at_creation() {
    let tappet = Tappet::start(0).await;
    let corrupt = tappet.repository("corrupt", &[(".gitlab-ci.yml", OK)]);
    let objects = corrupt.join(".git/objects");
    for entry in std::fs::read_dir(&objects).unwrap().flatten() {
        if entry.file_name().len() == 2 {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let file = tappet.scratch().join("file");
    std::fs::write(&file, "no repository").unwrap();
    for source in [tappet.scratch().join("missing"), corrupt, file] {
        let body = json!({ "path": "acme/x", "import_url": source });
        let reply = tappet
            .request("POST", "/api/v4/projects")
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(
            !reply.json()["message"]["import_url"].is_null(),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn an_empty_repository_is_a_project_without_refs() {
    let tappet = Tappet::start(0).await;
    let path = tappet.scratch().join("empty");
    std::fs::create_dir(&path).unwrap();
    git(&path, &["init", "--quiet", "--initial-branch=main"]);
    let project = tappet.project_over(&path).await;
    let body = json!({ "token": project.token, "ref": "main" });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json(),
        json!({ "message": { "base": ["Reference not found"] } })
    );
}

#[tokio::test]
async fn a_repository_that_vanishes_later_is_503_and_no_run() {
    let tappet = Tappet::start(0).await;
    let path = tappet.repository("vanishing", &[(".gitlab-ci.yml", OK)]);
    let project = tappet.project_over(&path).await;
    project.trigger().await;
    std::fs::rename(&path, tappet.scratch().join("elsewhere")).unwrap();
    let body = json!({ "token": project.token, "ref": "main" });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(!reply.header("retry-after").is_empty());
    std::fs::rename(tappet.scratch().join("elsewhere"), &path).unwrap();
    project.trigger().await;
    let list = tappet.get(&project.path("/pipelines")).await;
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_symbolic_link_is_no_pipeline_file() {
    let tappet = Tappet::start(0).await;
    let path = tappet.repository("link", &[("real.yml", OK)]);
    std::os::unix::fs::symlink("/etc/passwd", path.join(".gitlab-ci.yml")).unwrap();
    commit(&path, &[], "link");
    let project = tappet.project_over(&path).await;
    let body = json!({ "token": project.token, "ref": "main" });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("symbolic link"), "{}", reply.text());
    assert!(!reply.text().contains("root:"), "{}", reply.text());
}

#[rstest]
#[case::dash("-x")]
#[case::option("--upload-pack=touch /tmp/pwned")]
#[case::dots("a..b")]
#[case::up("../../x")]
#[case::newline("a\nb")]
#[case::reflog("@{-1}")]
#[case::head("HEAD")]
#[case::sha_like("0123456789abcdef0123456789abcdef01234567")]
#[tokio::test]
async fn a_bad_ref_is_not_found(#[case] name: &str) {
    let tappet = Tappet::start(0).await;
    let project = tappet.project("refs", OK).await;
    let body = json!({ "token": project.token, "ref": name });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(
        reply.json(),
        json!({ "message": { "base": ["Reference not found"] } })
    );
}

#[tokio::test]
async fn a_null_byte_is_refused_before_anything_is_looked_up() {
    let tappet = Tappet::start(0).await;
    let project = tappet.project("refs", OK).await;
    let body = json!({ "token": project.token, "ref": "a\0b" });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 400);
    assert!(
        reply.json()["error"]
            .as_str()
            .unwrap()
            .contains("null byte"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_ten_kilobyte_ref_and_the_sha_itself_are_not_found() {
    let tappet = Tappet::start(0).await;
    let path = tappet.repository("refs", &[(".gitlab-ci.yml", OK)]);
    let sha = git(&path, &["rev-parse", "HEAD"]);
    let project = tappet.project_over(&path).await;
    for name in [sha, "x".repeat(10 * 1024)] {
        let body = json!({ "token": project.token, "ref": name });
        let reply = project.trigger_call(&body).send().await;
        assert_eq!(reply.status, 400);
        assert_eq!(
            reply.json(),
            json!({ "message": { "base": ["Reference not found"] } })
        );
    }
}

/// Everything in a repository's own configuration that could start a program.
fn booby_trap(repository: &Path, marker: &Path) {
    let trap = repository.join("trap.sh");
    std::fs::write(
        &trap,
        format!("#!/bin/sh\ntouch {}\nexit 1\n", marker.display()),
    )
    .expect("the trap can be set");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&trap, mode).expect("the trap can be set");
    let trap = trap.to_string_lossy().into_owned();
    let hooks = repository.join(".git/hooks");
    std::fs::create_dir_all(&hooks).expect("the trap can be set");
    for hook in [
        "post-checkout",
        "reference-transaction",
        "pre-auto-gc",
        "post-index-change",
    ] {
        std::fs::copy(&trap, hooks.join(hook)).expect("the trap can be set");
    }
    let included = repository.join(".git/included");
    let config = format!(
        "[core]\n\tsshCommand = {trap}\n\tpager = {trap}\n[credential]\n\thelper = {trap}\n\
         [filter \"evil\"]\n\tsmudge = {trap}\n\tprocess = {trap}\n[uploadpack]\n\tpackObjectsHook = {trap}\n"
    );
    std::fs::write(&included, config).expect("the trap can be set");
    git(repository, &["config", "include.path", "included"]);
    git(repository, &["config", "core.fsmonitor", &trap]);
    git(
        repository,
        &["config", "core.hooksPath", &hooks.to_string_lossy()],
    );
}

#[tokio::test]
async fn hooks_and_configuration_of_a_repository_start_nothing() {
    let tappet = Tappet::start(1).await;
    let path = tappet.repository(
        "trapped",
        &[
            (".gitlab-ci.yml", OK),
            (".gitattributes", "* filter=evil\n"),
            ("file", "x\n"),
        ],
    );
    let marker = tappet.scratch().join("marker");
    booby_trap(&path, &marker);
    let project = tappet.project_over(&path).await;
    project.run_to("success").await;
    // A shallow fetch goes through git's transport instead of sharing objects.
    let run = project
        .trigger_with("main", json!({ "GIT_DEPTH": "1" }))
        .await;
    assert_eq!(project.ended(run).await, "success");
    assert!(!marker.exists());
}

#[rstest]
#[case::option("--upload-pack=touch MARKER;")]
#[case::ssh("ssh://-oProxyCommand=touch%20MARKER/x")]
#[case::ext("ext::sh -c touch%20MARKER")]
#[tokio::test]
async fn a_submodule_with_an_address_that_is_a_command_fails_the_job(#[case] url: &str) {
    let tappet = Tappet::start(1).await;
    let marker = tappet.scratch().join("marker");
    let url = url.replace("MARKER", &marker.to_string_lossy());
    let pipeline = "job: {variables: {GIT_SUBMODULE_STRATEGY: recursive}, script: [echo never]}";
    let modules = format!("[submodule \"x\"]\n\tpath = x\n\turl = \"{url}\"\n");
    let path = tappet.repository(
        "modules",
        &[
            (".gitlab-ci.yml", pipeline),
            (".gitmodules", modules.as_str()),
        ],
    );
    let sha = git(&path, &["rev-parse", "HEAD"]);
    git(
        &path,
        &[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{sha},x"),
        ],
    );
    git(&path, &["commit", "--quiet", "--message", "submodule"]);
    let project = tappet.project_over(&path).await;
    let run = project.run_to("failed").await;
    let job = project.job(run).await;
    assert_eq!(job["failure_reason"], "runner_system_failure");
    let log = project.log_of(&job).await;
    assert!(log.contains("ubmodule"), "{log}");
    assert!(!marker.exists());
}

#[rstest]
#[case::quotes("it's-\"quoted\"")]
#[case::command("a$(touch${IFS}pwned)")]
#[case::slash("feature/x;y&z")]
#[case::unicode("größe")]
#[tokio::test]
async fn odd_branch_names_are_only_names(#[case] name: &str) {
    let tappet = Tappet::start(1).await;
    let pipeline = "job: {script: ['printf \"<%s>\\n\" \"$CI_COMMIT_REF_NAME\"', 'test -z \"$(git status --porcelain)\"']}";
    let path = tappet.repository("branches", &[(".gitlab-ci.yml", pipeline)]);
    git(&path, &["branch", name]);
    let project = tappet.project_over(&path).await;
    let run = project.trigger_with(name, json!({})).await;
    let status = project.ended(run).await;
    let log = project.log_of(&project.job(run).await).await;
    assert_eq!(status, "success", "{log}");
    assert!(log.contains(&format!("<{name}>")), "{log}");
}

#[tokio::test]
async fn odd_job_names_are_only_names() {
    let tappet = Tappet::start(1).await;
    let name = "it's \"odd\" $(touch pwned) `x` ; ü";
    let pipeline = format!(
        "{}: {{script: ['printf \"<%s>\\n\" \"$CI_JOB_NAME\"', 'test ! -e pwned']}}",
        json!(name)
    );
    let project = tappet.project("names", &pipeline).await;
    let run = project.run_to("success").await;
    let job = project.job(run).await;
    assert_eq!(job["name"], name);
    assert!(project.log_of(&job).await.contains(&format!("<{name}>")));
}

#[rstest]
#[case::too_big(format!("{OK}\n# {}\n", "x".repeat(3 * 1024 * 1024)), "The parsed YAML is too big")]
#[case::laughs(laughs(), "The parsed YAML is too big")]
#[case::syntax("job: {script: [x]\nother: ]".to_owned(), "at line 2")]
#[case::tab("job:\n\tscript: x\n".to_owned(), "at line 2")]
#[case::unsupported("job:\n  script: [x]\n  cache: {paths: [x]}\n".to_owned(), "cache")]
#[case::no_job(".hidden: {script: [x]}".to_owned(), "jobs config should contain at least one visible job")]
#[tokio::test]
async fn a_wrong_file_is_422_and_its_failed_run_is_kept(
    #[case] pipeline: String,
    #[case] expected: &str,
) {
    let tappet = Tappet::start(0).await;
    let project = tappet.project("wrong", &pipeline).await;
    let body = json!({ "token": project.token, "ref": "main" });
    let reply = project.trigger_call(&body).send().await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let text = reply.json()["message"]["base"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains(expected), "{text}");
    let list = tappet.get(&project.path("/pipelines")).await;
    assert_eq!(list[0]["status"], "failed");
    let id = &list[0]["id"];
    let run = tappet.get(&project.path(&format!("/pipelines/{id}"))).await;
    assert!(run["yaml_errors"].as_str().unwrap().contains(expected));
}

/// Aliases of aliases: ten lines that would be a billion nodes.
fn laughs() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let earlier = format!("*a{}", level - 1);
        let ten = [earlier.as_str(); 10].join(", ");
        text += &format!("a{level}: &a{level} [{ten}]\n");
    }
    text + OK
}
