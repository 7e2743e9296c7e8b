//! Style sheets and modules.

use rstest::rstest;
use tappet_server::testing::TestServer;

async fn folder(server: &TestServer) -> String {
    let page = server.get("/-/sign_in").send().await.text();
    let at = page
        .find("/-/assets/")
        .expect("the page links its style sheet");
    page[at..].split('/').take(4).collect::<Vec<_>>().join("/")
}

#[rstest]
#[case("tappet.css", "text/css; charset=utf-8")]
#[case("palette.css", "text/css; charset=utf-8")]
#[case("tappet.js", "text/javascript; charset=utf-8")]
#[case("icon.svg", "image/svg+xml")]
#[tokio::test]
async fn an_asset_is_kept_for_ever(#[case] name: &str, #[case] content_type: &str) {
    let server = TestServer::start().await;
    let reply = server
        .get(&format!("{}/{name}", folder(&server).await))
        .send()
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), content_type);
    assert_eq!(
        reply.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert!(!reply.header("etag").is_empty());
}

#[tokio::test]
async fn a_known_asset_is_not_sent_again() {
    let server = TestServer::start().await;
    let path = format!("{}/tappet.css", folder(&server).await);
    let etag = server.get(&path).send().await.header("etag").to_owned();
    let again = server
        .get(&path)
        .header("if-none-match", &etag)
        .send()
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn a_page_of_another_version_gets_the_file_but_may_not_keep_it() {
    let server = TestServer::start().await;
    let reply = server
        .get("/-/assets/0000000000000000/tappet.css")
        .send()
        .await;
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, "no-cache")
    );
    let missing = server
        .get("/-/assets/0000000000000000/..%2fsecret.key")
        .send()
        .await;
    assert_eq!(missing.status, 404);
}
