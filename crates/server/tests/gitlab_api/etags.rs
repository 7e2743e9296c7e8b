//! Answers that a client has already.

use rstest::rstest;

use super::Scene;

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = scene.path("/pipelines");
    let first = scene.server.get(&path).root().send().await;
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    assert_eq!(first.header("vary"), "Origin");
    assert_eq!(
        first.header("cache-control"),
        "max-age=0, private, must-revalidate"
    );
    let with = |etag: String| {
        let request = scene.server.get(&path).root();
        request.header("if-none-match", &etag).send()
    };
    let same = with(etag.clone()).await;
    assert_eq!((same.status, same.text().as_str()), (304, ""));
    assert_eq!(same.header("etag"), etag);
    scene.post(&format!("/pipelines/{run}/cancel")).await;
    let changed = with(etag.clone()).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn what_a_call_made_has_an_etag_that_is_never_matched() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .header("if-none-match", "*")
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(reply.header("etag").starts_with("W/\""));
}

#[rstest]
#[case("GET", "/pipelines/999")]
#[case("POST", "/pipelines/999/cancel")]
#[tokio::test]
async fn refusals_have_no_etag(#[case] method: &str, #[case] path: &str) {
    let scene = Scene::new().await;
    let reply = scene
        .server
        .request(method, &scene.path(path))
        .root()
        .header("if-none-match", "*")
        .send()
        .await;
    assert_eq!(reply.status, 404);
    assert!(!reply.headers.contains_key("etag"));
}
