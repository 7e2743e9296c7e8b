//! A server below a path, behind TLS.

use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::visitor::cookie_of;

#[tokio::test]
async fn everything_lives_below_the_prefix() {
    let server = TestServer::start_with(|config| {
        config.external_url = Some("https://ci.example.com/tools".parse().unwrap());
    })
    .await;
    let repository = server.repository("web", &[(".gitlab-ci.yml", "a: {script: [x]}\n")]);
    let body = json!({ "path": "acme/web", "import_url": repository });
    let created = server
        .post("/tools/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    assert_eq!(created.status, 201, "{}", created.text());

    let signed_in = server
        .post("/tools/-/sign_in")
        .header("origin", "https://ci.example.com")
        .form(&format!("token={ROOT_TOKEN}"))
        .send()
        .await;
    assert_eq!(
        (signed_in.status, signed_in.header("location")),
        (303, "/tools")
    );
    let set = signed_in.header("set-cookie");
    assert!(
        set.contains("; Path=/tools;") && set.ends_with("; Secure"),
        "{set}"
    );
    let cookie = cookie_of(&signed_in);

    for path in ["/tools", "/tools/projects"] {
        let page = server.get(path).header("cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let page = page.text();
        assert!(
            page.contains("href=\"/tools/acme/web/-/pipelines\""),
            "{path}: {page}"
        );
        assert!(page.contains("href=\"/tools/-/assets/"), "{path}: {page}");
        assert_eq!(
            page.matches("=\"/").count(),
            page.matches("=\"/tools").count(),
            "{page}"
        );
    }
    let page = server
        .get("/tools/acme/web")
        .header("cookie", &cookie)
        .send()
        .await;
    assert_eq!(page.header("location"), "/tools/acme/web/-/pipelines");
}
