//! Cancel, retry and play.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestServer;

use super::{runner, visitor};

async fn run(server: &TestServer) -> i64 {
    let project = visitor::project(server).await;
    visitor::trigger_run(server, project, json!({})).await
}

#[tokio::test]
async fn cancel_stops_a_pipeline_and_leads_back_to_it() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let root = visitor::root(&server).await;
    let path = format!("/acme/web/-/pipelines/{run}");
    let reply = root.press(&format!("{path}/cancel")).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, path.as_str())
    );
    let page = root.look(&path).await;
    assert!(page.contains("Canceled"), "{page}");
    assert!(!page.contains("/cancel\""), "{page}");
    assert!(page.contains("/retry\""), "{page}");
}

#[tokio::test]
async fn retrying_a_job_leads_to_its_new_attempt() {
    let server = TestServer::start().await;
    run(&server).await;
    let job = runner::take(&server).await;
    job.end("failed").await;
    let root = visitor::root(&server).await;
    let old = format!("/acme/web/-/jobs/{}", job.id);
    let reply = root.press(&format!("{old}/retry")).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let new = reply.header("location").to_owned();
    assert_ne!(new, old);
    assert!(
        root.look(&new)
            .await
            .contains(&format!("href=\"{old}\" title=\"Failed\">1</a>"))
    );
    let page = root.look(&old).await;
    assert!(
        page.contains(&format!("href=\"{new}\" title=\"Pending\">2</a>")),
        "{page}"
    );
    assert!(!page.contains("/retry\""), "{page}");
}

#[tokio::test]
async fn a_button_of_another_site_does_nothing() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let root = visitor::root(&server).await;
    let path = format!("/acme/web/-/pipelines/{run}");
    let forged = server
        .post(&format!("{path}/cancel"))
        .header("cookie", &root.cookie)
        .header("sec-fetch-site", "cross-site")
        .send()
        .await;
    assert_eq!(forged.status, 403);
    assert!(root.look(&path).await.contains("Pending"));
}

#[tokio::test]
async fn looking_at_a_buttons_address_does_nothing() {
    let server = TestServer::start().await;
    let run = run(&server).await;
    let root = visitor::root(&server).await;
    let path = format!("/acme/web/-/pipelines/{run}");
    assert_eq!(root.get(&format!("{path}/cancel")).send().await.status, 405);
    assert!(root.look(&path).await.contains("Pending"));
}

#[tokio::test]
async fn what_is_not_possible_is_refused_with_a_reason() {
    let server = TestServer::start().await;
    run(&server).await;
    let root = visitor::root(&server).await;
    let reply = root.press("/acme/web/-/jobs/1/retry").await;
    assert_eq!(reply.status, 409);
    assert!(
        reply.text().contains("the job is not retryable"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_manual_job_starts_when_somebody_says_so() {
    let server = TestServer::start().await;
    let file = "deploy:\n  script: [make]\n  when: manual\n";
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", file)])
        .await;
    visitor::trigger_run(&server, project, json!({})).await;
    let root = visitor::root(&server).await;
    assert!(
        root.look("/acme/web/-/jobs/1")
            .await
            .contains("somebody presses Run")
    );
    let reply = root.press("/acme/web/-/jobs/1/play").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, "/acme/web/-/jobs/1")
    );
    assert!(root.look("/acme/web/-/jobs/1").await.contains("Pending"));
}

#[tokio::test]
async fn a_delayed_job_says_when_it_starts_and_can_start_now() {
    let server = TestServer::start().await;
    let file = "deploy:\n  script: [make]\n  when: delayed\n  start_in: 3 hours 5 minutes\n";
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", file)])
        .await;
    visitor::trigger_run(&server, project, json!({})).await;
    let root = visitor::root(&server).await;
    let page = root.look("/acme/web/-/jobs/1").await;
    let (_, start) = page.split_once("<p class=\"waits\">").unwrap();
    let (start, _) = start.split_once("</p>").unwrap();
    assert!(start.starts_with("It starts <time "), "{start}");
    assert!(start.ends_with("in 3 hours</time>."), "{start}");
    assert!(page.contains("Delayed"), "{page}");
    let reply = root.press("/acme/web/-/jobs/1/play").await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert!(root.look("/acme/web/-/jobs/1").await.contains("Pending"));
}

#[rstest]
#[case("/acme/web/-/pipelines/1/cancel")]
#[case("/acme/web/-/pipelines/1/retry")]
#[case("/acme/web/-/jobs/1/cancel")]
#[case("/acme/web/-/jobs/1/retry")]
#[case("/acme/web/-/jobs/1/play")]
#[case("/acme/web/-/pipelines/1/approve")]
#[case("/acme/web/-/settings/ci_configs")]
#[case("/acme/web/-/settings/ci_configs/1")]
#[case("/acme/web/-/settings/ci_configs/1/remove")]
#[case("/-/sign_out")]
#[tokio::test]
async fn only_our_own_pages_press_buttons(#[case] path: &str) {
    let server = TestServer::start().await;
    run(&server).await;
    let root = visitor::root(&server).await;
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "http://evil.example")],
        vec![("origin", "null")],
        vec![("referer", "http://evil.example/")],
        vec![
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://127.0.0.1"),
        ],
    ] {
        let mut request = server.post(path).header("cookie", &root.cookie);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.status, 403, "{headers:?}");
        let request = root.get(path);
        assert_eq!(request.send().await.status, 405, "{headers:?}");
    }
    assert!(
        root.look("/acme/web/-/pipelines/1")
            .await
            .contains("Pending")
    );
}
