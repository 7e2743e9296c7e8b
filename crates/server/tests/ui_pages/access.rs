//! Who sees what, and what every page says to browsers.

use rstest::rstest;
use tappet_server::testing::TestServer;

use super::visitor;

#[rstest]
#[case("/acme/web")]
#[case("/acme/web/-/pipelines")]
#[case("/acme/nothing/-/pipelines")]
#[tokio::test]
async fn a_private_project_looks_like_a_missing_one_to_strangers(#[case] path: &str) {
    let server = TestServer::start().await;
    visitor::project(&server).await;
    let reply = server.get(path).send().await;
    assert_eq!(reply.status, 303);
    assert!(reply.header("location").starts_with("/-/sign_in?to="));
}

#[rstest]
#[case("/acme/nothing/-/pipelines")]
#[case("/acme/web/-/pipelines/99")]
#[case("/acme/web/-/jobs/99")]
#[case("/acme/web/-/wiki")]
#[case("/nothing")]
#[case("/-/nothing")]
#[tokio::test]
async fn what_does_not_exist_is_a_page_that_says_so(#[case] path: &str) {
    let server = TestServer::start().await;
    visitor::project(&server).await;
    let reply = visitor::root(&server).await.get(path).send().await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("There is no such page"));
}

#[tokio::test]
async fn a_run_of_another_project_is_not_shown_under_this_one() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    server
        .project("acme/other", &[(".gitlab-ci.yml", visitor::PIPELINE)])
        .await;
    let run = visitor::trigger_run(&server, project, serde_json::json!({})).await;
    let root = visitor::root(&server).await;
    let reply = root
        .get(&format!("/acme/other/-/pipelines/{run}"))
        .send()
        .await;
    assert_eq!(reply.status, 404);
}

#[rstest]
#[case("/-/sign_in")]
#[case("/projects")]
#[case("/nothing/at/all")]
#[tokio::test]
async fn every_answer_is_closed_to_frames_scripts_and_caches(#[case] path: &str) {
    let server = TestServer::start().await;
    let reply = visitor::root(&server).await.get(path).send().await;
    let policy = reply.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_forged_host_reaches_no_link() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let root = visitor::root(&server).await;
    let page = root
        .get("/acme/web/-/pipelines")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .text();
    assert!(!page.contains("evil.example"));
    let example = format!(
        "{}/api/v4/projects/{project}/trigger/pipeline",
        server.url()
    );
    assert!(page.contains(&example), "{page}");
}

#[tokio::test]
async fn pages_hold_no_inline_script_or_style() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let run = visitor::trigger_run(&server, project, serde_json::json!({})).await;
    let root = visitor::root(&server).await;
    for path in [
        "/projects".to_owned(),
        format!("/acme/web/-/pipelines/{run}"),
    ] {
        let page = root.look(&path).await;
        assert!(!page.contains("style="), "{path}");
        assert!(!page.contains("onclick"), "{path}");
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        assert!(
            page.contains("<script type=\"module\" src=\"/-/assets/"),
            "{path}"
        );
    }
}

/// Somebody with an account who belongs to no project.
#[rstest]
#[case("")]
#[case("/-/pipelines")]
#[case("/-/pipelines/1")]
#[case("/-/jobs/1")]
#[tokio::test]
async fn a_private_project_has_the_page_of_a_missing_one(#[case] rest: &str) {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    visitor::trigger_run(&server, project, serde_json::json!({})).await;
    let stranger = server.user("stranger").await;
    let signed_in = visitor::sign_in(&server, &stranger.token, "").await;
    let cookie = visitor::cookie_of(&signed_in);
    let look = async |path: &str| {
        let reply = server
            .get(&format!("{path}{rest}"))
            .header("cookie", &cookie);
        let reply = reply.send().await;
        (reply.status, reply.text())
    };
    let hidden = look("/acme/web").await;
    assert_eq!(hidden.0, 404);
    assert_eq!(hidden, look("/acme/nothing").await);
}
