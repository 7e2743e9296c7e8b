//! Webhooks of forges: who may send them, and the runs that pushes start.

use http::{HeaderName, HeaderValue};
use rstest::rstest;
use serde_json::json;
use tappet_fake_forge::Delivery;
use tappet_model::ForgeKind::{self, Bitbucket, Gitea, Github, Gitlab};
use tappet_server::testing::{commit, git};

use super::assert_reply;
use super::forge_scene::{Commits, ForgeScene, SECRET, send};

fn set(delivery: &mut Delivery, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).unwrap();
    delivery
        .headers
        .insert(HeaderName::from_static(name), value);
}

#[rstest]
#[case(Github)]
#[case(Gitlab)]
#[case(Gitea)]
#[case(Bitbucket)]
#[tokio::test]
async fn a_push_starts_a_run_of_what_was_pushed(#[case] kind: ForgeKind) {
    let scene = ForgeScene::new(kind).await;
    let old = scene.sha("main");
    let new = commit(&scene.repository, &[("a", "1")], "Change");
    let commits = Commits {
        new: new.clone(),
        old: old.clone(),
        base: old.clone(),
    };
    let reply = scene.send(&scene.delivery("push", "d1", &commits)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let told = reply.json();
    let run = &told["runs"][0];
    assert_eq!(
        told["message"],
        format!("refs/heads/main: run {}", run["id"])
    );
    assert_eq!((&run["ref"], &run["sha"]), (&json!("main"), &json!(new)));
    let shown = scene
        .scene
        .get(&format!("/pipelines/{}", run["id"]))
        .await
        .json();
    assert_eq!(shown["source"], "push");
    assert_eq!(shown["before_sha"], json!(old));
    assert_eq!(shown["web_url"], run["web_url"]);
    assert_eq!(shown["user"]["username"], "root");
    let deliveries = scene.scene.get("/forge/deliveries").await.json();
    assert_eq!(deliveries[0]["delivery"], "d1");
    assert_eq!(deliveries[0]["outcome"], told["message"]);
    assert_eq!(deliveries[0]["runs"], json!([run["id"]]));
}

#[rstest]
#[case::github(Github, "push_deleted_branch")]
#[case::gitlab(Gitlab, "push_deleted_branch")]
#[tokio::test]
async fn a_deleted_branch_starts_nothing(#[case] kind: ForgeKind, #[case] name: &str) {
    let scene = ForgeScene::new(kind).await;
    let reply = scene
        .send(&scene.delivery(name, "d1", &scene.pushed()))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("it was deleted"), "{}", reply.text());
    assert_eq!(scene.scene.runs().await, 0);
}

#[tokio::test]
async fn a_message_may_ask_for_no_run() {
    let scene = ForgeScene::new(Github).await;
    commit(&scene.repository, &[("a", "1")], "Change [skip ci]");
    let reply = scene.push("d1").await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("asks to skip CI"), "{}", reply.text());
}

#[tokio::test]
async fn a_push_that_comes_late_starts_nothing() {
    let scene = ForgeScene::new(Github).await;
    let lost = commit(&scene.repository, &[("a", "1")], "Change");
    git(&scene.repository, &["reset", "--quiet", "--hard", "HEAD^"]);
    commit(&scene.repository, &[("a", "2")], "Another change");
    let commits = Commits {
        new: lost,
        ..scene.pushed()
    };
    let reply = scene.send(&scene.delivery("push", "d1", &commits)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("later push"), "{}", reply.text());
}

#[rstest]
#[case(Github)]
#[case(Gitea)]
#[tokio::test]
async fn a_form_is_as_good_as_json(#[case] kind: ForgeKind) {
    let scene = ForgeScene::new(kind).await;
    let json = scene.delivery("push", "d1", &scene.pushed()).body;
    let json = String::from_utf8(json).unwrap();
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &json)
        .finish();
    let mut delivery = Delivery::signed(kind, "push", "d1", SECRET, body.into_bytes());
    set(
        &mut delivery,
        "content-type",
        "application/x-www-form-urlencoded",
    );
    let reply = scene.send(&delivery).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[rstest]
#[case(Github)]
#[case(Gitlab)]
#[case(Gitea)]
#[case(Bitbucket)]
#[tokio::test]
async fn who_does_not_sign_gets_one_and_the_same_answer(#[case] kind: ForgeKind) {
    let scene = ForgeScene::new(kind).await;
    let server = &scene.scene.server;
    let project = scene.scene.project;
    let unbound = server.project("acme/other", &[]).await;
    let good = scene.delivery("push", "d1", &scene.pushed());
    let other = Delivery::recorded(kind, "push", "d1", "another secret", |_| {});
    let mut unsigned = good.clone();
    for name in [
        "x-hub-signature-256",
        "x-hub-signature",
        "x-gitea-signature",
        "x-gitlab-token",
    ] {
        unsigned.headers.remove(name);
    }
    let mut changed = other.clone();
    changed.body = b"{".to_vec();
    let answers = [
        send(server, project, &other).await,
        send(server, project, &unsigned).await,
        send(server, project, &changed).await,
        send(server, unbound, &good).await,
        send(server, 4711, &good).await,
    ];
    for answer in &answers {
        assert_reply(answer, 401, &json!({ "message": "401 Unauthorized" }));
    }
    assert_eq!(scene.scene.runs().await, 0);
}

#[rstest]
#[case::sha1(
    Github,
    "x-hub-signature-256",
    "sha1=0000000000000000000000000000000000000000"
)]
#[case::no_name(
    Github,
    "x-hub-signature-256",
    "0000000000000000000000000000000000000000"
)]
#[case::sha512(Bitbucket, "x-hub-signature", "sha512=00")]
#[tokio::test]
async fn other_algorithms_are_refused(
    #[case] kind: ForgeKind,
    #[case] header: &'static str,
    #[case] value: &str,
) {
    let scene = ForgeScene::new(kind).await;
    let mut delivery = scene.delivery("push", "d1", &scene.pushed());
    set(&mut delivery, header, value);
    assert_eq!(scene.send(&delivery).await.status, 401);
}

#[tokio::test]
async fn a_delivery_is_taken_once() {
    let scene = ForgeScene::new(Github).await;
    assert_eq!(scene.push("d1").await.status, 201);
    let reply = scene.push("d1").await;
    assert_eq!(reply.status, 409, "{}", reply.text());
    assert!(reply.text().contains("taken before"), "{}", reply.text());
    assert_eq!(scene.scene.runs().await, 1);
    assert_eq!(scene.push("d2").await.status, 201);
}

#[tokio::test]
async fn a_delivery_without_a_name_is_known_by_its_body() {
    let scene = ForgeScene::new(Bitbucket).await;
    let mut delivery = scene.delivery("push", "d1", &scene.pushed());
    delivery.headers.remove("x-request-uuid");
    assert_eq!(scene.send(&delivery).await.status, 201);
    assert_eq!(scene.send(&delivery).await.status, 409);
}

#[tokio::test]
async fn the_same_delivery_many_times_at_once_starts_one_run() {
    let scene = ForgeScene::new(Github).await;
    let delivery = scene.delivery("push", "d1", &scene.pushed());
    let calls = (0..8).map(|_| scene.send(&delivery));
    let answers = futures_util::future::join_all(calls).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(scene.scene.runs().await, 1);
}

#[tokio::test]
async fn a_repository_that_is_away_lets_the_forge_send_again() {
    let scene = ForgeScene::new(Github).await;
    let commits = scene.pushed();
    let delivery = scene.delivery("push", "d1", &commits);
    let elsewhere = scene.repository.with_extension("away");
    std::fs::rename(&scene.repository, &elsewhere).unwrap();
    let reply = scene.send(&delivery).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    std::fs::rename(&elsewhere, &scene.repository).unwrap();
    assert_eq!(scene.send(&delivery).await.status, 201);
}

#[rstest]
#[case("text/plain")]
#[case("multipart/form-data")]
#[case("")]
#[tokio::test]
async fn other_content_types_are_refused(#[case] content_type: &str) {
    let scene = ForgeScene::new(Github).await;
    let mut delivery = scene.delivery("push", "d1", &scene.pushed());
    set(&mut delivery, "content-type", content_type);
    let reply = scene.send(&delivery).await;
    assert_eq!(reply.status, 415, "{}", reply.text());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_anything_else() {
    let scene = ForgeScene::new(Github).await;
    let mut delivery = scene.delivery("push", "d1", &scene.pushed());
    delivery.body = vec![b' '; 26_000_000];
    assert_eq!(scene.send(&delivery).await.status, 413);
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_told_by_its_field() {
    let scene = ForgeScene::new(Github).await;
    let delivery = Delivery::recorded(Github, "push", "d1", SECRET, |payload| {
        payload["after"] = json!(7);
    });
    let reply = scene.send(&delivery).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("`after`"), "{}", reply.text());
    let broken = Delivery::signed(Github, "push", "d2", SECRET, b"{".to_vec());
    let reply = scene.send(&broken).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    // Neither was taken, so both may come again.
    assert_eq!(scene.push("d1").await.status, 201);
}

#[tokio::test]
async fn another_repository_starts_nothing() {
    let scene = ForgeScene::new(Github).await;
    let commits = scene.pushed();
    scene.bind(&json!({ "repository": "acme/elsewhere" })).await;
    let reply = scene.send(&scene.delivery("push", "d1", &commits)).await;
    assert_eq!(reply.status, 422);
    let text = reply.text();
    assert!(
        text.contains("acme/web") && text.contains("acme/elsewhere"),
        "{text}"
    );
}

#[tokio::test]
async fn a_ping_says_that_all_is_well() {
    let scene = ForgeScene::new(Github).await;
    let reply = scene
        .send(&scene.delivery("ping", "d1", &scene.pushed()))
        .await;
    let expected = json!({ "message": "the webhook is set up", "runs": [], "canceled": [] });
    assert_reply(&reply, 200, &expected);
}
