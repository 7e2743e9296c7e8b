//! Each forge, from its webhooks to what it is told: with the real binary, its embedded
//! runner, and a server that is killed on the way.

mod support;

use std::path::PathBuf;

use rstest::rstest;
use serde_json::{Value, json};
use support::{Gate, Tappet, commit, git};
use tappet_fake_forge::{Delivery, FakeForge, TOKEN};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_server::testing::TestReply;

const SECRET: &str = "s3cret-of-the-webhook";

/// The number in the recorded payloads, and what their commits are replaced by.
const NUMBER: &str = "12";
const NEW: &str = "c58e2b71f04d9a6381b5e7f2094cda36e81f70b5";
const OLD: &str = "3f1c0a9be7d2648510ffb2c7a6d98e4b015c3d72";
const BASE: &str = "60d7fb1a2c3948e5b7061d9f8a4ce2573b90e1c8";

/// What a forge says of a pull request when it is opened and when it gets a commit.
/// Bitbucket's recorded payload is the same for both.
fn events(kind: ForgeKind) -> [&'static str; 2] {
    match kind {
        Github => ["pull_request_opened", "pull_request_synchronize"],
        Gitea => ["pull_request_opened", "pull_request_synchronized"],
        Gitlab => ["merge_request_open", "merge_request_update_commits"],
        Bitbucket => ["pullrequest_created", "pullrequest_created"],
    }
}

/// The forge's words for a failure and a success.
fn words(kind: ForgeKind) -> [&'static str; 2] {
    match kind {
        Github | Gitea => ["failure", "success"],
        Gitlab => ["failed", "success"],
        Bitbucket => ["FAILED", "SUCCESSFUL"],
    }
}

/// A project whose job fails without a file `ok` and then waits for a gate.
struct World {
    tappet: Tappet,
    forge: FakeForge,
    repository: PathBuf,
    base: String,
    gate: Gate,
}

impl World {
    async fn new(kind: ForgeKind) -> Self {
        let tappet = Tappet::start(1).await;
        let gate = Gate::new(tappet.scratch().join("gate"));
        let pipeline = format!(
            "unit:\n  script:\n  - |\n    \
             test -f ok || {{ echo 'error: ok is not there'; exit 3; }}\n    \
             if test -f slow; then cat {}; fi\n",
            gate.0.display()
        );
        let files = [(".gitlab-ci.yml", pipeline.as_str()), ("ok", "")];
        let repository = tappet.repository("web", &files);
        let project = tappet.project_over(&repository).await;
        let forge = FakeForge::start(kind).await;
        let body = json!({
            "kind": kind, "api_url": forge.url(), "repository": forge.repository(),
            "token": TOKEN, "webhook_secret": SECRET,
        });
        let reply = tappet.request("PUT", &project.path("/forge")).json(&body);
        assert_eq!(reply.send().await.status, 200);
        Self {
            base: git(&repository, &["rev-parse", "main"]),
            tappet,
            forge,
            repository,
            gate,
        }
    }

    /// Sends a recorded webhook, told of this commit.
    async fn tell(&self, name: &str, id: &str, sha: &str) -> TestReply {
        let kind = self.forge.kind();
        // A push from a commit to itself is what forges send to try an address out.
        let old = if sha == self.base {
            "0".repeat(40)
        } else {
            self.base.clone()
        };
        let delivery = Delivery::recorded(kind, name, id, SECRET, |payload| {
            let text = payload.to_string().replace(NEW, sha).replace(OLD, &old);
            let text = text
                .replace(BASE, &self.base)
                .replace(&NEW[..12], &sha[..12]);
            let text = text.replace(&BASE[..12], &self.base[..12]);
            *payload = serde_json::from_str(&text).expect("it is JSON still");
        });
        let mut request = self.tappet.anonymous("POST", "/-/hooks/forge/1");
        for (name, value) in &delivery.headers {
            if name != "content-type" {
                let value = value.to_str().expect("headers are plain");
                request = request.header(name.as_str(), value);
            }
        }
        let request = request.body("application/json", delivery.body);
        let reply = request.send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply
    }

    async fn until_status(&self, sha: &str, name: &str, state: &str) {
        let says = |forge: &FakeForge| {
            let statuses = forge.statuses(sha);
            statuses
                .iter()
                .any(|one| one.name == name && one.state == state)
        };
        self.forge
            .until(&format!("{name} to be {state}"), says)
            .await;
    }

    /// The only comment, once it holds this.
    async fn until_comment(&self, text: &str) -> (u64, String) {
        let says = |forge: &FakeForge| {
            let comments = forge.comments(NUMBER);
            comments.iter().any(|comment| comment.text.contains(text))
        };
        self.forge
            .until(&format!("a comment with {text}"), says)
            .await;
        let comments = self.forge.comments(NUMBER);
        assert_eq!(comments.len(), 1, "{comments:#?}");
        (comments[0].id, comments[0].text.clone())
    }
}

fn run_of(reply: &TestReply) -> Value {
    reply.json()["runs"][0]["id"].clone()
}

#[rstest]
#[case(Github)]
#[case(Gitlab)]
#[case(Gitea)]
#[case(Bitbucket)]
#[tokio::test]
async fn pushes_and_pull_requests_are_run_and_answered(#[case] kind: ForgeKind) {
    let mut world = World::new(kind).await;
    let [failure, success] = words(kind);
    let [opened, updated] = events(kind);

    world.tell("push", "d1", &world.base).await;
    world
        .until_status(&world.base, "tappet/push", success)
        .await;

    let repository = world.repository.clone();
    git(&repository, &["switch", "--quiet", "-c", "feature/prices"]);
    git(&repository, &["rm", "--quiet", "ok"]);
    let broken = commit(&repository, &[], "Break it");
    world.tell(opened, "d2", &broken).await;
    world.until_status(&broken, "tappet/pr", failure).await;
    let (comment, text) = world.until_comment("`default` failed").await;
    assert!(text.contains("error: ok is not there"), "{text}");
    assert!(text.contains("exit code 3"), "{text}");

    let mended = commit(&repository, &[("ok", ""), ("slow", "")], "Mend it");
    let run = run_of(&world.tell(updated, "d3", &mended).await);
    world.tappet.kill().await;
    world.tappet.restart().await;
    world.gate.open().await;
    world.until_status(&mended, "tappet/pr", success).await;
    let (edited, text) = world.until_comment("`default` passed").await;
    assert_eq!(edited, comment);
    assert!(text.contains(&format!("[Run {run}]")), "{text}");
}
