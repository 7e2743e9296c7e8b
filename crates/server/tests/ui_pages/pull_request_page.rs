//! The page of a run of a pull request: whose it is, and what it waits for.

use serde_json::json;
use tappet_server::testing::{TestServer, commit};

use super::visitor;

const FILE: &str = "test:\n  script: [make]\n  rules:\n    - if: $CI_MERGE_REQUEST_IID\n";

struct World {
    server: TestServer,
    config: i64,
    base: String,
    head: String,
}

/// A project with two commits, the second of which a pull request brings.
async fn world(settings: serde_json::Value) -> World {
    let server = TestServer::start().await;
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", FILE)])
        .await;
    let repository = server.scratch().join("repositories/acme-web");
    let base = commit(&repository, &[("a", "1")], "One");
    let head = commit(&repository, &[("a", "2")], "Two");
    let shown = server.get(&format!("/api/v4/projects/{project}")).root();
    let config = shown.send().await.json()["ci_configs"][0]["id"]
        .as_i64()
        .unwrap();
    let path = format!("/api/v1/ci/{config}");
    let changed = server.request("PATCH", &path).root().json(&settings);
    assert_eq!(changed.send().await.status, 200);
    World {
        server,
        config,
        base,
        head,
    }
}

impl World {
    /// Triggers pull request 6 at this head; gives its run.
    async fn trigger(&self, head: &str) -> i64 {
        let body = json!({
            "pr_number": 6, "pr_branch": "feature", "base_branch": "main",
            "pr_sha": head, "base_sha": self.base,
        });
        let path = format!("/api/v1/ci/{}/trigger", self.config);
        let reply = self.server.post(&path).root().json(&body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["ci_run_id"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn a_run_shows_its_pull_request_and_the_branches() {
    let world = world(json!({})).await;
    let run = world.trigger(&world.head).await;
    let root = visitor::root(&world.server).await;
    let page = root.look(&format!("/acme/web/-/pipelines/{run}")).await;
    assert!(
        page.contains("pull request <bdi class=\"ref\">6</bdi>"),
        "{page}"
    );
    let branches = "<bdi class=\"ref\">feature</bdi> into <bdi class=\"ref\">main</bdi>";
    assert!(page.contains(branches), "{page}");
    let list = root.look("/acme/web/-/pipelines").await;
    assert!(
        list.contains("<bdi class=\"ref\">pull request 6</bdi>"),
        "{list}"
    );
}

#[tokio::test]
async fn a_run_that_waits_for_tables_says_how_it_goes_on() {
    let world = world(json!({ "expects_diffs": true })).await;
    let run = world.trigger(&world.head).await;
    let root = visitor::root(&world.server).await;
    let page = root.look(&format!("/acme/web/-/pipelines/{run}")).await;
    assert!(page.contains("datafold ci submit --pr-num 6"), "{page}");
    let path = format!("/api/v1/ci/{}/6", world.config);
    let submitted = world.server.post(&path).root().json(&json!([]));
    assert_eq!(submitted.send().await.json()["run_id"], run);
    let page = root.look(&format!("/acme/web/-/pipelines/{run}")).await;
    assert!(!page.contains("datafold ci submit"), "{page}");
}

#[tokio::test]
async fn a_run_of_an_older_commit_leads_to_the_newer_one() {
    let world = world(json!({})).await;
    let older = world.trigger(&world.base).await;
    let newer = world.trigger(&world.head).await;
    let root = visitor::root(&world.server).await;
    let page = root.look(&format!("/acme/web/-/pipelines/{older}")).await;
    let link = format!("href=\"/acme/web/-/pipelines/{newer}\">pipeline #{newer}</a>");
    assert!(
        page.contains("Canceled, because") && page.contains(&link),
        "{page}"
    );
}

#[tokio::test]
async fn commits_that_are_not_there_make_a_run_that_says_so() {
    let world = world(json!({})).await;
    let run = world.trigger(&"e".repeat(40)).await;
    let root = visitor::root(&world.server).await;
    let page = root.look(&format!("/acme/web/-/pipelines/{run}")).await;
    assert!(page.contains("The pull request could not be run"), "{page}");
    assert!(page.contains(&"e".repeat(40)), "{page}");
}
