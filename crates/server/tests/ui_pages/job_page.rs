//! The page of a job with its log.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::{runner, visitor};

async fn run(server: &TestServer) {
    let project = visitor::project(server).await;
    visitor::trigger_run(server, project, json!({})).await;
}

#[tokio::test]
async fn a_waiting_job_says_what_it_waits_for() {
    let server = TestServer::start().await;
    run(&server).await;
    let page = visitor::root(&server)
        .await
        .look("/acme/web/-/jobs/1")
        .await;
    assert!(page.contains("It waits for a runner."), "{page}");
    assert!(page.contains("triggered</span>"), "{page}");
}

#[tokio::test]
async fn a_growing_log_is_shown_up_to_its_last_line_end_and_followed_from_there() {
    let server = TestServer::start().await;
    run(&server).await;
    let job = runner::take(&server).await;
    job.log(0, b"\x1b[32;1m$ make\x1b[0;m\n<script>\nunfinished")
        .await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/jobs/{}", job.id))
        .await;
    assert!(
        page.contains("<div id=\"L1\" data-n=\"1\"><span class=\"f2 sb\">$ make</span></div>"),
        "{page}"
    );
    assert!(
        page.contains("<div id=\"L2\" data-n=\"2\">&lt;script&gt;</div></div>"),
        "{page}"
    );
    assert!(page.contains("/trace/events?offset=28\""), "{page}");
    assert!(page.contains("data-next=\"3\""), "{page}");
}

#[tokio::test]
async fn a_job_shows_its_environment_and_what_it_covers() {
    let server = TestServer::start().await;
    let file = "j: { script: x, environment: $CI_COMMIT_REF_NAME/eu, coverage: '/\\d+%/' }\n";
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", file)])
        .await;
    visitor::trigger_run(&server, project, json!({})).await;
    let job = runner::take(&server).await;
    job.log(0, b"93%\n").await;
    job.end("success").await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/jobs/{}", job.id))
        .await;
    assert!(
        page.contains("<dt>Environment</dt><dd><bdi>main/eu</bdi></dd>"),
        "{page}"
    );
    assert!(page.contains("<dt>Coverage</dt><dd>93 %</dd>"), "{page}");
}

#[tokio::test]
async fn an_ended_job_shows_all_of_its_log_and_why_it_failed() {
    let server = TestServer::start().await;
    run(&server).await;
    let job = runner::take(&server).await;
    job.log(0, b"one\nlast line without an end").await;
    job.end("failed").await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/jobs/{}", job.id))
        .await;
    assert!(page.contains("last line without an end"), "{page}");
    assert!(page.contains("Failed"), "{page}");
    assert!(!page.contains("data-events"), "{page}");
    assert!(page.contains("/retry\""), "{page}");
    assert!(!page.contains("/cancel\""), "{page}");
}

#[tokio::test]
async fn only_the_end_of_a_long_log_is_on_the_page() {
    let server = TestServer::start().await;
    run(&server).await;
    let job = runner::take(&server).await;
    let lines: String = (0..60_000).map(|at| format!("line {at:05}\n")).collect();
    job.log(0, lines.as_bytes()).await;
    job.end("success").await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/jobs/{}", job.id))
        .await;
    assert!(
        page.contains("are only in the raw log"),
        "{}",
        &page[..4000]
    );
    assert!(page.contains("<div>line 59999</div>"));
    assert!(!page.contains("line 00000"));
    assert!(page.len() < 1_200_000, "{}", page.len());
}

#[tokio::test]
async fn an_archive_can_be_downloaded_from_the_page() {
    let server = TestServer::start().await;
    run(&server).await;
    let job = runner::take(&server).await;
    let uploaded = job
        .upload(
            "artifacts.zip",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        )
        .await;
    assert_eq!(uploaded.status, 201, "{}", uploaded.text());
    job.end("success").await;
    let root = visitor::root(&server).await;
    let page = root.look(&format!("/acme/web/-/jobs/{}", job.id)).await;
    let at = page
        .find("Download <bdi>artifacts.zip</bdi>")
        .expect("there is a link");
    let link = page[..at]
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(root.get(link).send().await.status, 200);
}
