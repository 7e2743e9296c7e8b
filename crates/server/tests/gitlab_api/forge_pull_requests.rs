//! Pull requests of forges: which events start runs, and what is said of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::{Value, json};
use tappet_fake_forge::{Comment, FakeForge, Trouble};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_server::testing::{TestReply, commit, git};
use tappet_store::CiConfigSettings;

use super::forge_scene::{Commits, ForgeScene};
use super::runner::take;

/// The number in all recorded payloads.
const NUMBER: &str = "12";
const STATUS: &str = "tappet/pr";

fn opened(kind: ForgeKind) -> &'static str {
    match kind {
        Github | Gitea => "pull_request_opened",
        Gitlab => "merge_request_open",
        Bitbucket => "pullrequest_created",
    }
}

fn opened_by_a_fork(kind: ForgeKind) -> &'static str {
    match kind {
        Github | Gitea => "pull_request_opened_fork",
        Gitlab => "merge_request_open_fork",
        Bitbucket => "pullrequest_created_fork",
    }
}

fn closed(kind: ForgeKind) -> &'static str {
    match kind {
        Github | Gitea => "pull_request_closed_merged",
        Gitlab => "merge_request_merge",
        Bitbucket => "pullrequest_fulfilled",
    }
}

/// A forge with a pull request of one commit.
struct Proposal {
    scene: ForgeScene,
    commits: Commits,
}

impl Proposal {
    async fn new(kind: ForgeKind) -> Self {
        Self::of(ForgeScene::new(kind).await).await
    }

    async fn of(scene: ForgeScene) -> Self {
        let base = scene.sha("main");
        git(
            &scene.repository,
            &["switch", "--quiet", "-c", "feature/prices"],
        );
        let new = commit(&scene.repository, &[("prices.txt", "1")], "Tell prices");
        Self {
            scene,
            commits: Commits {
                old: base.clone(),
                new,
                base,
            },
        }
    }

    async fn tell(&self, name: &str, id: &str) -> TestReply {
        let delivery = self.scene.delivery(name, id, &self.commits);
        self.scene.send(&delivery).await
    }

    async fn open(&self) -> TestReply {
        self.tell(opened(self.scene.forge.kind()), "opened").await
    }

    /// Changes the settings of the only CI config.
    async fn settings(&self, change: impl FnOnce(&mut CiConfigSettings)) {
        let store = &self.scene.scene.server.app().store;
        let project = tappet_model::ProjectId(self.scene.scene.project);
        let config = store.ci_configs(project).await.unwrap().remove(0);
        let mut settings = config.settings;
        change(&mut settings);
        let now = config.updated_at;
        store
            .update_ci_config(config.id, settings, now)
            .await
            .unwrap();
    }

    async fn until_told(&self, state: &str) {
        let sha = self.commits.new.clone();
        let says = |forge: &FakeForge| {
            let statuses = forge.statuses(&sha);
            statuses
                .iter()
                .any(|one| one.name == STATUS && one.state == state)
        };
        self.scene
            .forge
            .until(&format!("the status {state}"), says)
            .await;
    }

    async fn until_commented(&self, text: &str) -> Comment {
        let says = |forge: &FakeForge| {
            let comments = forge.comments(NUMBER);
            comments.iter().any(|comment| comment.text.contains(text))
        };
        self.scene
            .forge
            .until(&format!("a comment with {text}"), says)
            .await;
        let comments = self.scene.forge.comments(NUMBER);
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments.into_iter().next().unwrap()
    }

    /// Runs the only job to its end.
    async fn run_job(&self, log: &str, state: &str) {
        let job = take(&self.scene.scene.server).await;
        job.log(0, log.as_bytes()).await;
        job.end(state).await;
    }
}

fn run_of(reply: &TestReply) -> Value {
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["runs"][0]["id"].clone()
}

#[rstest]
#[case(Github, "pending", "success")]
#[case(Gitlab, "running", "success")]
#[case(Gitea, "pending", "success")]
#[case(Bitbucket, "INPROGRESS", "SUCCESSFUL")]
#[tokio::test]
async fn a_pull_request_gets_a_run_a_status_and_a_comment(
    #[case] kind: ForgeKind,
    #[case] running: &str,
    #[case] success: &str,
) {
    let proposal = Proposal::new(kind).await;
    let run = run_of(&proposal.open().await);
    let shown = proposal
        .scene
        .scene
        .get(&format!("/pipelines/{run}"))
        .await
        .json();
    assert_eq!(shown["source"], "merge_request_event");
    assert_eq!(shown["sha"], json!(proposal.commits.new));
    let job = take(&proposal.scene.scene.server).await;
    proposal.until_told(running).await;
    assert!(proposal.scene.forge.comments(NUMBER).is_empty());
    job.end("success").await;
    proposal.until_told(success).await;
    let comment = proposal.until_commented("`default` passed").await;
    assert!(
        comment.text.contains(&format!("[Run {run}]")),
        "{}",
        comment.text
    );
    assert!(comment.text.contains("`unit`"), "{}", comment.text);
}

#[tokio::test]
async fn a_failure_is_told_with_the_lines_that_matter() {
    let proposal = Proposal::new(Github).await;
    run_of(&proposal.open().await);
    let log = "compiling\n\u{1b}[31merror\u{1b}[0m: cannot find `x` @everybody\n```\n";
    proposal.run_job(log, "failed").await;
    proposal.until_told("failure").await;
    let comment = proposal.until_commented("`default` failed").await;
    let expected = "````text\ncompiling\nerror: cannot find `x` @everybody\n```\n````";
    assert!(comment.text.contains(expected), "{}", comment.text);
}

/// A report of two tests, packed as runners do.
fn report(one: &str, two: &str) -> Vec<u8> {
    let text = format!(
        "<testsuite><testcase classname='Sum' name='one'>{one}</testcase>\
         <testcase classname='Sum' name='two'>{two}</testcase></testsuite>"
    );
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn tests_that_newly_fail_are_named() {
    const FAILS: &str = "<failure>wrong</failure>";
    let proposal = Proposal::new(Github).await;
    let server = &proposal.scene.scene.server;
    // On the base branch the second test fails already.
    proposal.scene.push("pushed").await;
    let job = take(server).await;
    let base = job
        .upload_as("junit", "gzip", "a.gz", &report("", FAILS))
        .await;
    assert_eq!(base.status, 201, "{}", base.text());
    job.end("failed").await;
    run_of(&proposal.open().await);
    let job = take(server).await;
    job.upload_as("junit", "gzip", "a.gz", &report(FAILS, FAILS))
        .await;
    job.end("failed").await;
    let text = proposal.until_commented("**Tests:**").await.text;
    assert!(
        text.contains("0 passed, 2 failed. 1 of them did not fail on `main`"),
        "{text}"
    );
    assert!(text.contains("- `unit › Sum › one`"), "{text}");
    assert!(!text.contains("Sum › two"), "{text}");
}

#[tokio::test]
async fn the_next_push_edits_the_comment() {
    let mut proposal = Proposal::new(Github).await;
    run_of(&proposal.open().await);
    proposal.run_job("", "failed").await;
    let first = proposal.until_commented("`default` failed").await;
    let repository = proposal.scene.repository.clone();
    proposal.commits.new = commit(&repository, &[("prices.txt", "2")], "Tell better prices");
    let next = run_of(&proposal.tell("pull_request_synchronize", "pushed").await);
    let under_way = proposal.until_commented("is on its way").await;
    assert_eq!(under_way.id, first.id);
    proposal.run_job("", "success").await;
    let last = proposal.until_commented("`default` passed").await;
    assert_eq!(last.id, first.id);
    assert!(
        last.text.contains(&format!("[Run {next}]")),
        "{}",
        last.text
    );
    assert!(!last.text.contains("failed"), "{}", last.text);
}

#[tokio::test]
async fn a_newer_commit_ends_the_run_of_the_older() {
    let mut proposal = Proposal::new(Github).await;
    let first = run_of(&proposal.open().await);
    proposal.until_told("pending").await;
    let old = proposal.commits.new.clone();
    let repository = proposal.scene.repository.clone();
    proposal.commits.new = commit(&repository, &[("prices.txt", "2")], "Tell better prices");
    run_of(&proposal.tell("pull_request_synchronize", "pushed").await);
    let shown = proposal
        .scene
        .scene
        .get(&format!("/pipelines/{first}"))
        .await
        .json();
    assert_eq!(shown["status"], "canceled");
    let says = |forge: &FakeForge| {
        let statuses = forge.statuses(&old);
        statuses
            .iter()
            .any(|one| one.description.contains("newer commit"))
    };
    proposal
        .scene
        .forge
        .until("the end of the older", says)
        .await;
    proposal.until_told("pending").await;
}

#[tokio::test]
async fn a_comment_whose_creation_was_not_noted_is_found_again() {
    let proposal = Proposal::new(Github).await;
    run_of(&proposal.open().await);
    proposal.until_told("pending").await;
    let job = take(&proposal.scene.scene.server).await;
    // The end's status and the search go well; the comment is made, but nobody learns it.
    proposal
        .settings(|it| it.fails_check_on_errors = true)
        .await;
    proposal
        .scene
        .forge
        .trouble([Trouble::None, Trouble::None, Trouble::LostReply]);
    job.end("success").await;
    proposal.until_commented("`default` passed").await;
    let is_done = |forge: &FakeForge| {
        let calls = forge.calls();
        let lost = calls.iter().position(|call| call.status == 502);
        lost.is_some_and(|at| calls[at..].iter().any(|call| call.method == "PATCH"))
    };
    proposal
        .scene
        .forge
        .until("the edit of the comment", is_done)
        .await;
    assert_eq!(proposal.scene.forge.comments(NUMBER).len(), 1);
}

#[tokio::test]
async fn a_comment_that_somebody_deleted_is_made_anew() {
    let mut proposal = Proposal::new(Github).await;
    run_of(&proposal.open().await);
    proposal.run_job("", "failed").await;
    let first = proposal.until_commented("`default` failed").await;
    proposal.scene.forge.delete_comment(first.id);
    let repository = proposal.scene.repository.clone();
    proposal.commits.new = commit(&repository, &[("prices.txt", "2")], "Tell better prices");
    run_of(&proposal.tell("pull_request_synchronize", "pushed").await);
    proposal.run_job("", "success").await;
    let next = proposal.until_commented("`default` passed").await;
    assert_ne!(next.id, first.id);
}

#[rstest]
#[case(Github)]
#[case(Gitlab)]
#[case(Gitea)]
#[case(Bitbucket)]
#[tokio::test]
async fn a_fork_waits_for_approval_whoever_its_author_is(#[case] kind: ForgeKind) {
    let proposal = Proposal::new(kind).await;
    let name = opened_by_a_fork(kind);
    let delivery = proposal.scene.delivery(name, "opened", &proposal.commits);
    // The author calls himself like the administrator of this server.
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    // As recorded, it is a draft.
    let text = ["\"draft\":", "\"work_in_progress\":"]
        .iter()
        .fold(text, |text, key| {
            text.replace(&format!("{key}true"), &format!("{key}false"))
        });
    let text = text.replace("\"Draft: ", "\"").replace("\"WIP: ", "\"");
    let mut payload: Value = serde_json::from_str(&text).unwrap();
    if kind == Github {
        payload["pull_request"]["user"]["login"] = json!("root");
    }
    let event = delivery.headers[event_header(kind)].to_str().unwrap();
    let secret = super::forge_scene::SECRET;
    let delivery = tappet_fake_forge::Delivery::new(kind, event, "opened", secret, &payload);
    let reply = proposal.scene.send(&delivery).await;
    let run = run_of(&reply);
    assert!(
        reply.text().contains("waits for approval"),
        "{}",
        reply.text()
    );
    let jobs = proposal
        .scene
        .scene
        .get(&format!("/pipelines/{run}/jobs"))
        .await
        .json();
    assert_eq!(jobs[0]["status"], "created");
    let sha = proposal.commits.new.clone();
    let waits = |forge: &FakeForge| {
        let statuses = forge.statuses(&sha);
        statuses
            .iter()
            .any(|one| one.description.contains("approve"))
    };
    proposal
        .scene
        .forge
        .until("the status of a held run", waits)
        .await;
    let app = proposal.scene.scene.server.app();
    let id = tappet_model::RunId(run.as_i64().unwrap());
    let advance = app
        .store
        .approve_run(id, tappet_server::clock::now())
        .await
        .unwrap();
    app.announce(&advance).await;
    proposal.run_job("", "success").await;
    proposal.until_commented("`default` passed").await;
}

fn event_header(kind: ForgeKind) -> &'static str {
    match kind {
        Github => "x-github-event",
        Gitlab => "x-gitlab-event",
        Gitea => "x-gitea-event",
        Bitbucket => "x-event-key",
    }
}

#[rstest]
#[case(Github)]
#[case(Gitlab)]
#[case(Gitea)]
#[case(Bitbucket)]
#[tokio::test]
async fn the_end_of_a_pull_request_ends_its_runs(#[case] kind: ForgeKind) {
    let proposal = Proposal::new(kind).await;
    let run = run_of(&proposal.open().await);
    let reply = proposal.tell(closed(kind), "closed").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = format!("the pull request was merged: canceled {run}");
    assert_eq!(reply.json()["message"], text);
    let shown = proposal
        .scene
        .scene
        .get(&format!("/pipelines/{run}"))
        .await
        .json();
    assert_eq!(shown["status"], "canceled");
    let log = proposal.scene.scene.get("/audit_events").await.text();
    assert!(log.contains("pull_request_runs_canceled"), "{log}");
}

#[rstest]
#[case::draft("pull_request.draft", json!(true), "it is a draft")]
#[case::base("pull_request.base.ref", json!("release"), "only pull requests into `main` run")]
#[tokio::test]
async fn closed_gates_say_why(#[case] place: &str, #[case] value: Value, #[case] expected: &str) {
    let proposal = Proposal::new(Github).await;
    proposal
        .settings(|it| it.base_branch = Some("main".into()))
        .await;
    let delivery = proposal
        .scene
        .delivery("pull_request_opened", "d", &proposal.commits);
    let mut payload: Value = serde_json::from_slice(&delivery.body).unwrap();
    *payload
        .pointer_mut(&format!("/{}", place.replace('.', "/")))
        .unwrap() = value;
    let secret = super::forge_scene::SECRET;
    let delivery = tappet_fake_forge::Delivery::new(Github, "pull_request", "d", secret, &payload);
    let reply = proposal.scene.send(&delivery).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains(expected), "{}", reply.text());
    assert_eq!(proposal.scene.scene.runs().await, 0);
}

#[tokio::test]
async fn a_label_opens_the_gate() {
    let proposal = Proposal::new(Github).await;
    proposal
        .settings(|it| it.label = Some("run ci".into()))
        .await;
    let reply = proposal.open().await;
    assert!(reply.text().contains("lacks the label"), "{}", reply.text());
    let delivery = proposal
        .scene
        .delivery("pull_request_labeled", "d", &proposal.commits);
    let mut payload: Value = serde_json::from_slice(&delivery.body).unwrap();
    payload["label"]["name"] = json!("run ci");
    payload["pull_request"]["labels"] = json!([{ "name": "run ci" }]);
    let secret = super::forge_scene::SECRET;
    let delivery = tappet_fake_forge::Delivery::new(Github, "pull_request", "d", secret, &payload);
    run_of(&proposal.scene.send(&delivery).await);
}

#[tokio::test]
async fn files_that_do_not_count_start_nothing() {
    let mut proposal = Proposal::new(Github).await;
    proposal
        .settings(|it| it.ignored_files = vec!["*.txt".into()])
        .await;
    let reply = proposal.open().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply.text().contains("files that are ignored"),
        "{}",
        reply.text()
    );
    let repository = proposal.scene.repository.clone();
    proposal.commits.new = commit(&repository, &[("main.rs", "2")], "Count");
    run_of(&proposal.tell("pull_request_synchronize", "pushed").await);
}

#[tokio::test]
async fn the_same_commit_does_not_run_twice_at_once() {
    let proposal = Proposal::new(Github).await;
    let first = run_of(&proposal.open().await);
    let again = run_of(&proposal.tell("pull_request_opened", "sent again").await);
    assert_eq!(first, again);
    assert_eq!(proposal.scene.scene.runs().await, 1);
}

#[tokio::test]
async fn jobs_have_statuses_where_the_config_asks() {
    let proposal = Proposal::new(Github).await;
    proposal.settings(|it| it.reports_jobs = true).await;
    run_of(&proposal.open().await);
    proposal.run_job("", "success").await;
    proposal.until_commented("`default` passed").await;
    let statuses = proposal.scene.forge.statuses(&proposal.commits.new);
    let told: Vec<_> = statuses
        .iter()
        .map(|one| (one.name.as_str(), one.state.as_str()))
        .collect();
    assert_eq!(
        told,
        [("tappet/pr", "success"), ("tappet/pr/unit", "success")]
    );
}

#[tokio::test]
async fn a_config_may_keep_quiet_and_pass_errors() {
    let proposal = Proposal::new(Github).await;
    proposal
        .settings(|it| {
            it.comments = false;
            it.fails_check_on_errors = false;
        })
        .await;
    run_of(&proposal.open().await);
    proposal.run_job("", "failed").await;
    proposal.until_told("success").await;
    let told = proposal
        .scene
        .forge
        .statuses(&proposal.commits.new)
        .remove(0);
    assert!(told.description.starts_with("unit failed"), "{told:?}");
    assert!(proposal.scene.forge.comments(NUMBER).is_empty());
}
