//! What a forge is told of runs, whatever goes wrong on the way.

use rstest::rstest;
use serde_json::Value;
use tappet_fake_forge::{FakeForge, Trouble};
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};

use super::forge_scene::ForgeScene;
use super::runner::take;

const NAME: &str = "tappet/push";

/// Waits until the status of a push says this.
async fn until_told(forge: &FakeForge, sha: &str, state: &str) {
    let says = |forge: &FakeForge| {
        let statuses = forge.statuses(sha);
        statuses.iter().any(|status| status.state == state)
    };
    forge.until(&format!("the status {state}"), says).await;
}

#[rstest]
#[case(Github, "pending", "success")]
#[case(Gitlab, "running", "success")]
#[case(Gitea, "pending", "success")]
#[case(Bitbucket, "INPROGRESS", "SUCCESSFUL")]
#[tokio::test]
async fn a_push_has_a_status_from_its_start_to_its_end(
    #[case] kind: ForgeKind,
    #[case] running: &str,
    #[case] success: &str,
) {
    let scene = ForgeScene::new(kind).await;
    let sha = scene.sha("main");
    let run = scene.push("d1").await.json()["runs"][0].clone();
    let job = take(&scene.scene.server).await;
    until_told(&scene.forge, &sha, running).await;
    job.end("success").await;
    until_told(&scene.forge, &sha, success).await;
    let told = scene.forge.statuses(&sha).remove(0);
    assert_eq!(told.name, NAME);
    assert_eq!(told.url, run["web_url"].as_str().unwrap());
    assert!(told.description.starts_with("1 job passed"), "{told:?}");
    assert!(scene.forge.comments("12").is_empty());
}

#[tokio::test]
async fn a_failed_run_says_which_job_failed() {
    let scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.push("d1").await;
    take(&scene.scene.server).await.end("failed").await;
    until_told(&scene.forge, &sha, "failure").await;
    let told = scene.forge.statuses(&sha).remove(0);
    assert!(
        told.description
            .starts_with("unit failed, 0 of 1 job passed"),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_until_it_is_told() {
    let scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.forge.trouble([
        Trouble::Status(500),
        Trouble::Status(503),
        Trouble::LostReply,
        Trouble::Status(502),
    ]);
    scene.push("d1").await;
    take(&scene.scene.server).await.end("success").await;
    until_told(&scene.forge, &sha, "success").await;
}

#[rstest]
#[case(Trouble::TooOften(1))]
#[case(Trouble::UsedUp(1))]
#[tokio::test]
async fn a_forge_that_wants_quiet_gets_it(#[case] trouble: Trouble) {
    let scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.forge.trouble([trouble]);
    scene.push("d1").await;
    let job = take(&scene.scene.server).await;
    scene
        .forge
        .until("the first call", |forge| !forge.calls().is_empty())
        .await;
    job.end("success").await;
    until_told(&scene.forge, &sha, "success").await;
    // What happened in the meantime is told at once, so two calls are enough.
    let calls = scene.forge.calls();
    assert!(calls[1..].iter().all(|call| call.status < 300), "{calls:?}");
}

#[rstest]
#[case(Trouble::Status(401))]
#[case(Trouble::Status(403))]
#[case(Trouble::Status(404))]
#[case(Trouble::Status(422))]
#[tokio::test]
async fn what_the_forge_refuses_is_shown_and_not_tried_again(#[case] trouble: Trouble) {
    let scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.forge.trouble([trouble]);
    let run = scene.push("d1").await.json()["runs"][0]["id"].clone();
    let mut shown = Value::Null;
    while shown.is_null() {
        shown = scene.shown().await["last_error"].clone();
        tokio::task::yield_now().await;
    }
    let text = shown.as_str().unwrap();
    assert!(text.starts_with(&format!("run {run}: ")), "{text}");
    // The next change is told all the same, and the error is gone.
    take(&scene.scene.server).await.end("success").await;
    until_told(&scene.forge, &sha, "success").await;
    while !scene.shown().await["last_error"].is_null() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_was_killed_goes_on_telling() {
    let mut scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.push("d1").await;
    until_told(&scene.forge, &sha, "pending").await;
    let job = take(&scene.scene.server).await;
    let (id, token) = (job.id, job.token.clone());
    scene.scene.server.crash().await;
    let server = &scene.scene.server;
    let end = serde_json::json!({ "token": token, "state": "success" });
    let reply = server
        .request("PUT", &format!("/api/v4/jobs/{id}"))
        .header("job-token", &token)
        .json(&end)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    until_told(&scene.forge, &sha, "success").await;
}

#[tokio::test]
async fn an_unbound_forge_hears_nothing_more() {
    let scene = ForgeScene::new(Github).await;
    let sha = scene.sha("main");
    scene.push("d1").await;
    until_told(&scene.forge, &sha, "pending").await;
    let path = scene.scene.path("/forge");
    let server = &scene.scene.server;
    let reply = server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 204);
    take(server).await.end("success").await;
    let due = server.app().store.due_forge_reports().await.unwrap();
    assert_eq!(due, []);
    let told = scene.forge.statuses(&sha);
    assert!(
        told.iter().all(|status| status.state == "pending"),
        "{told:?}"
    );
}
