//! Pushes to plain git repositories: the hook, its secret, and the documented script.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;
use tappet_server::testing::{TestReply, TestServer, commit, git};

use super::{PIPELINE, Scene, assert_reply};

/// The script that people are told to copy.
const SCRIPT: &str = include_str!("../../../../docs/post-receive");

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A scene with a push hook and the repository that is pushed to.
struct Pushes {
    scene: Scene,
    repository: PathBuf,
    secret: String,
}

impl Pushes {
    async fn new() -> Self {
        Self::with_file(PIPELINE).await
    }

    async fn with_file(file: (&str, &str)) -> Self {
        let scene = Scene::with_file(file).await;
        let reply = scene.post("/push_hook").await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        Self {
            repository: scene.server.scratch().join("repositories/acme-web"),
            secret: reply.json()["secret"].as_str().unwrap().to_owned(),
            scene,
        }
    }

    fn head(&self) -> String {
        git(&self.repository, &["rev-parse", "HEAD"])
    }

    /// A push of what `main` holds, with some fields changed.
    fn body(&self, change: &Value) -> Value {
        let mut body = json!({
            "project": "acme/web", "ref": "refs/heads/main",
            "before": ZERO, "after": self.head(),
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    async fn push(&self, change: Value) -> TestReply {
        self.send(&self.body(&change).to_string()).await
    }

    async fn send(&self, body: &str) -> TestReply {
        let signature = format!("sha256={}", sign(&self.secret, body));
        hook(&self.scene.server, body, ("x-tappet-signature", &signature)).await
    }
}

fn sign(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let code = mac.chain_update(body).finalize().into_bytes();
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn hook(server: &TestServer, body: &str, header: (&str, &str)) -> TestReply {
    server
        .post("/-/hooks/push")
        .header(header.0, header.1)
        .body("application/json", body.to_owned())
        .send()
        .await
}

#[tokio::test]
async fn a_signed_push_starts_a_run_of_what_was_pushed() {
    let pushes = Pushes::new().await;
    let before = pushes.head();
    let after = commit(&pushes.repository, &[("a", "1")], "Change");
    let reply = pushes.push(json!({ "before": before })).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = reply.json();
    assert_eq!(
        [&run["source"], &run["ref"], &run["sha"], &run["before_sha"]],
        [
            &json!("push"),
            &json!("main"),
            &json!(after),
            &json!(before)
        ]
    );
    assert_eq!(run["user"]["username"], "root");
}

#[tokio::test]
async fn githubs_signature_header_works_too() {
    let pushes = Pushes::new().await;
    let body = pushes.body(&json!({})).to_string();
    let signature = format!("sha256={}", sign(&pushes.secret, &body));
    let header = ("X-Hub-Signature-256", signature.as_str());
    assert_eq!(hook(&pushes.scene.server, &body, header).await.status, 201);
}

#[tokio::test]
async fn a_new_tag_starts_a_run_of_the_tag() {
    let file = (
        ".gitlab-ci.yml",
        "branches: {only: [branches], script: x}\ntags: {only: [tags], script: x}\n",
    );
    let pushes = Pushes::with_file(file).await;
    git(&pushes.repository, &["tag", "-a", "-m", "m", "v1"]);
    let object = git(&pushes.repository, &["rev-parse", "v1"]);
    let reply = pushes
        .push(json!({ "ref": "refs/tags/v1", "after": object }))
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = reply.json();
    assert_eq!(
        [&run["tag"], &run["sha"]],
        [&json!(true), &json!(pushes.head())]
    );
    let jobs = pushes
        .scene
        .get(&format!("/pipelines/{}/jobs", run["id"]))
        .await;
    assert_eq!(jobs.json()[0]["name"], "tags");
    assert_eq!(jobs.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_push_that_was_followed_by_another_runs_what_it_brought() {
    let pushes = Pushes::new().await;
    let first = commit(&pushes.repository, &[], "First push");
    let second = commit(&pushes.repository, &[], "Second push");
    for after in [first, second] {
        let reply = pushes.push(json!({ "after": after })).await;
        assert_eq!(reply.json()["sha"], *after, "{}", reply.text());
    }
}

#[tokio::test]
async fn a_push_that_was_rewritten_since_starts_nothing() {
    let pushes = Pushes::new().await;
    let gone = commit(&pushes.repository, &[], "Rewritten");
    git(
        &pushes.repository,
        &["reset", "--quiet", "--hard", "HEAD~1"],
    );
    let reply = pushes.push(json!({ "after": gone })).await;
    let text = "the ref was rewritten after this push; the later push starts its own pipeline";
    assert_reply(&reply, 200, &json!({ "message": text }));
    assert_eq!(pushes.scene.runs().await, 0);
}

#[rstest]
#[case::a_deletion(json!({ "after": ZERO }), "the ref was deleted")]
#[case::a_note(json!({ "ref": "refs/notes/commits" }), "only branches and tags start pipelines")]
#[tokio::test]
async fn a_push_with_nothing_to_run_is_fine(#[case] change: Value, #[case] message: &str) {
    let pushes = Pushes::new().await;
    let reply = pushes.push(change).await;
    assert_reply(&reply, 200, &json!({ "message": message }));
    assert_eq!(pushes.scene.runs().await, 0);
}

#[rstest]
#[case("Do this [ci skip]")]
#[case("[Skip CI] do that")]
#[case("Title\n\n[skip ci]")]
#[tokio::test]
async fn a_commit_can_ask_for_no_run(#[case] message: &str) {
    let pushes = Pushes::new().await;
    commit(&pushes.repository, &[], message);
    let reply = pushes.push(json!({})).await;
    let text = "the commit message asks to skip CI";
    assert_reply(&reply, 200, &json!({ "message": text }));
}

#[tokio::test]
async fn a_push_without_a_pipeline_file_is_fine() {
    let pushes = Pushes::with_file(("README", "hello")).await;
    let reply = pushes.push(json!({})).await;
    let text = "Missing CI config file";
    assert_reply(&reply, 200, &json!({ "message": text }));
}

#[tokio::test]
async fn a_delivery_sent_again_gets_the_same_run() {
    let pushes = Pushes::new().await;
    let first = pushes.push(json!({ "delivery": "d-1" })).await;
    let again = pushes.push(json!({ "delivery": "d-1" })).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.json()["id"], first.json()["id"]);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let same_body = [
        pushes.push(json!({})).await.json(),
        pushes.push(json!({})).await.json(),
    ];
    assert_eq!(same_body[0]["id"], same_body[1]["id"]);
    assert_eq!(pushes.scene.runs().await, 2);
}

#[tokio::test]
async fn a_delivery_name_belongs_to_one_body() {
    let pushes = Pushes::new().await;
    pushes.push(json!({ "delivery": "d-1" })).await;
    git(&pushes.repository, &["branch", "other"]);
    let reply = pushes
        .push(json!({ "delivery": "d-1", "ref": "refs/heads/other" }))
        .await;
    let text = "409 Conflict - this delivery was sent before with another body";
    assert_reply(&reply, 409, &json!({ "message": text }));
}

#[rstest]
#[case::wrong("x-tappet-signature", &format!("sha256={}", "0".repeat(64)))]
#[case::other_algorithm("x-hub-signature", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709")]
#[case::none("x-nothing", "")]
#[tokio::test]
async fn an_unsigned_push_is_like_one_to_an_unknown_project(
    #[case] header: &str,
    #[case] value: &str,
) {
    let pushes = Pushes::new().await;
    let server = &pushes.scene.server;
    let other = server.project("acme/other", &[PIPELINE]).await;
    for project in [
        json!("acme/web"),
        json!("no/such"),
        json!(999),
        json!(other),
    ] {
        let body = pushes.body(&json!({ "project": project })).to_string();
        let reply = hook(server, &body, (header, value)).await;
        assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
    }
    // The right secret of another project is a wrong one.
    let foreign = pushes.push(json!({ "project": other })).await;
    assert_reply(&foreign, 401, &json!({ "message": "401 Unauthorized" }));
    assert_eq!(pushes.scene.runs().await, 0);
}

#[rstest]
#[case(json!({ "ref": "main" }), "ref is invalid: write refs/heads/… or refs/tags/… in full")]
#[case(json!({ "ref": "refs/heads/a..b" }), "ref is invalid")]
#[case(json!({ "after": "123" }), "after is invalid")]
#[case(json!({ "before": "main" }), "before is invalid")]
#[case(json!({ "delivery": "" }), "delivery is invalid")]
#[case(json!({ "sent_at": 1 }), "sent_at is more than an hour away: set the sender's clock, or send it again")]
#[tokio::test]
async fn a_wrong_field_is_named(#[case] change: Value, #[case] error: &str) {
    let pushes = Pushes::new().await;
    let reply = pushes.push(change).await;
    assert_reply(&reply, 400, &json!({ "error": error }));
}

#[tokio::test]
async fn other_bodies_are_refused() {
    let pushes = Pushes::new().await;
    let reply = pushes.send("[]").await;
    let error = "the body must be JSON with project, ref, before and after";
    assert_reply(&reply, 400, &json!({ "error": error }));
    let form = pushes.scene.server.post("/-/hooks/push").form("project=1");
    let error = "a push hook takes Content-Type: application/json";
    assert_reply(&form.send().await, 415, &json!({ "error": error }));
    let large = pushes.push(json!({ "more": "x".repeat(100_000) })).await;
    let text = "413 Request Entity Too Large";
    assert_reply(&large, 413, &json!({ "message": text }));
}

#[tokio::test]
async fn a_rotated_or_removed_secret_is_worth_nothing() {
    let pushes = Pushes::new().await;
    let shown = pushes.scene.get("/push_hook").await;
    assert_eq!(shown.json()["secret"], *pushes.secret);
    assert_eq!(
        shown.json()["url"],
        format!("{}/-/hooks/push", pushes.scene.server.url())
    );
    let rotated = pushes.scene.post("/push_hook").await.json();
    assert_eq!(pushes.push(json!({})).await.status, 401);
    let pushes = Pushes {
        secret: rotated["secret"].as_str().unwrap().to_owned(),
        ..pushes
    };
    assert_eq!(pushes.push(json!({})).await.status, 201);
    let path = pushes.scene.path("/push_hook");
    let delete = async || {
        let request = pushes.scene.server.request("DELETE", &path);
        request.root().send().await
    };
    assert_eq!(delete().await.status, 204);
    assert_eq!(pushes.push(json!({})).await.status, 401);
    let missing = json!({ "message": "404 Push Hook Not Found" });
    assert_reply(&delete().await, 404, &missing);
    assert_reply(&pushes.scene.get("/push_hook").await, 404, &missing);
}

#[tokio::test]
async fn the_documented_script_reports_every_pushed_ref() {
    let pushes = Pushes::new().await;
    let scratch = pushes.scene.server.scratch().to_owned();
    let bare = scratch.join("team.git");
    let work = pushes.repository.clone();
    let location = bare.to_str().unwrap().to_owned();
    git(&work, &["clone", "--quiet", "--bare", ".", &location]);
    let server = &pushes.scene.server;
    let body = json!({ "path": "acme/team", "import_url": bare });
    let project = server.post("/api/v4/projects").root().json(&body).send();
    let id = project.await.json()["id"].as_i64().unwrap();
    let path = format!("/api/v4/projects/{id}");
    let secret = server.post(&format!("{path}/push_hook")).root().send();
    let secret = secret.await.json()["secret"].as_str().unwrap().to_owned();
    install(&bare, &server.url(), &secret);

    commit(&work, &[("a", "1")], "Pushed");
    git(&work, &["tag", "v1"]);
    git(&work, &["branch", "odd\"name"]);
    let refs = ["main", "v1", "odd\"name"];
    let said = push(&work, &bare, &refs).await;
    let listed = server.get(&format!("{path}/pipelines")).root().send().await;
    let runs = listed.json();
    let mut started: Vec<&str> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["ref"].as_str().unwrap())
        .collect();
    started.sort_unstable();
    assert_eq!(started, ["main", "odd\"name", "v1"], "{said}");
    for run in runs.as_array().unwrap() {
        assert_eq!(run["source"], "push");
        assert!(said.contains(run["web_url"].as_str().unwrap()), "{said}");
    }

    let said = push(&work, &bare, &[":v1"]).await;
    assert!(said.contains("the ref was deleted"), "{said}");
}

fn install(bare: &Path, url: &str, secret: &str) {
    let script = bare.join("hooks/post-receive");
    std::fs::create_dir_all(bare.join("hooks")).unwrap();
    std::fs::write(&script, SCRIPT).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (key, value) in [
        ("tappet.url", format!("{url}/-/hooks/push").as_str()),
        ("tappet.project", "acme/team"),
        ("tappet.secret", secret),
    ] {
        git(bare, &["config", key, value]);
    }
}

/// Pushes and gives what git and the hook said.
async fn push(work: &Path, bare: &Path, refs: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    command.current_dir(work).arg("push").arg(bare).args(refs);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

const WORKFLOW: &str = ".github/workflows/ci.yml";

fn workflow(on: &str) -> String {
    format!("on: {on}\njobs: {{a: {{runs-on: x, steps: [{{run: make}}]}}}}\n")
}

/// `on` of a workflow, the message of the pushed commit, and whether a run starts.
#[rstest]
#[case("push", "x", true)]
#[case("{push: {branches: [main]}}", "x", true)]
#[case("{push: {branches: [dev]}}", "x", false)]
#[case("{push: {tags: ['*']}}", "x", false)]
#[case("{push: {paths: ['src/**']}}", "x", true)]
#[case("{push: {paths: ['docs/**']}}", "x", false)]
#[case("pull_request", "x", false)]
#[case("push", "x [no ci]", false)]
#[case("push", "x\n\nskip-checks: true", false)]
#[tokio::test]
async fn a_push_of_a_commit_without_pipeline_file_starts_its_workflows(
    #[case] on: &str,
    #[case] message: &str,
    #[case] expected: bool,
) {
    let pushes = Pushes::with_file((WORKFLOW, &workflow(on))).await;
    let before = pushes.head();
    commit(&pushes.repository, &[("src/lib.rs", "x")], message);
    let reply = pushes.push(json!({ "before": before })).await;
    assert_eq!(
        reply.status,
        if expected { 201 } else { 200 },
        "{}",
        reply.text()
    );
    if expected {
        let run = &reply.json()["id"];
        let jobs = pushes.scene.get(&format!("/pipelines/{run}/jobs")).await;
        assert_eq!(jobs.json()[0]["stage"], "ci.yml", "{}", jobs.text());
    }
}

#[tokio::test]
async fn a_pipeline_file_goes_before_workflows() {
    let pushes = Pushes::new().await;
    commit(&pushes.repository, &[(WORKFLOW, &workflow("push"))], "x");
    let reply = pushes.push(json!({})).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = &reply.json()["id"];
    let jobs = pushes.scene.get(&format!("/pipelines/{run}/jobs")).await;
    assert_ne!(jobs.json()[0]["stage"], "ci.yml", "{}", jobs.text());
}

#[tokio::test]
async fn rules_of_a_push_compare_with_what_was_there_before() {
    let file = "\
docs: {script: x, rules: [{changes: ['docs/*']}]}
code: {script: x, rules: [{changes: ['src/*']}]}
";
    let pushes = Pushes::with_file((".gitlab-ci.yml", file)).await;
    let names = async |change: Value| {
        let reply = pushes.push(change).await;
        let run = &reply.json()["id"];
        let jobs = pushes.scene.get(&format!("/pipelines/{run}/jobs")).await;
        let jobs = jobs.json();
        let names = jobs.as_array().unwrap().iter();
        let mut names: Vec<String> = names
            .map(|job| job["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let before = pushes.head();
    commit(&pushes.repository, &[("docs/a", "x")], "x");
    assert_eq!(names(json!({ "before": before })).await, ["docs"]);
    // A new branch has nothing to compare with.
    assert_eq!(names(json!({ "before": ZERO })).await, ["code", "docs"]);
}
