//! `GET /projects/:id/jobs`: the jobs of all pipelines.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, assert_reply, runner};

fn names(jobs: &Value) -> Vec<String> {
    let jobs = jobs.as_array().unwrap();
    let name = |job: &Value| {
        format!(
            "{} {}",
            job["pipeline"]["iid"],
            job["name"].as_str().unwrap()
        )
    };
    jobs.iter().map(name).collect()
}

/// Run 1: build failed, test skipped. Run 2: build pending, test created.
async fn two_runs() -> Scene {
    let scene = Scene::new().await;
    scene.run().await;
    runner::take(&scene.server).await.end("failed").await;
    scene.run().await;
    scene
}

#[rstest]
#[case("", &["2 test", "2 build", "1 test", "1 build"])]
#[case("?scope=failed", &["1 build"])]
#[case("?scope[]=failed&scope[]=pending", &["2 build", "1 build"])]
#[case("?scope[]=created&scope[]=skipped&scope[]=created", &["2 test", "1 test"])]
#[case("?scope=running", &[])]
#[case("?ref=main&scope=pending", &["2 build"])]
#[case("?ref=topic", &[])]
#[case("?per_page=1&page=2", &["2 build"])]
#[case("?order_by=name&sort=asc", &["2 test", "2 build", "1 test", "1 build"])]
#[tokio::test]
async fn jobs_of_all_pipelines_come_newest_first(#[case] query: &str, #[case] expected: &[&str]) {
    let scene = two_runs().await;
    let reply = scene.get(&format!("/jobs{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(names(&reply.json()), expected);
}

#[tokio::test]
async fn a_running_job_is_found_where_runners_hold_it() {
    let scene = two_runs().await;
    let job = runner::take(&scene.server).await;
    let running = scene.get("/jobs?scope=running").await.json();
    assert_eq!(running[0]["id"], job.id);
    scene.post(&format!("/jobs/{}/cancel", job.id)).await;
    let canceling = scene.get("/jobs?scope[]=canceling&scope[]=success").await;
    assert_eq!(canceling.json()[0]["id"], job.id);
    assert_eq!(scene.get("/jobs?scope=running").await.json(), json!([]));
}

#[tokio::test]
async fn a_retried_job_stays_in_the_list() {
    let scene = two_runs().await;
    let failed = scene.get("/jobs?scope=failed").await.json();
    scene
        .post(&format!("/jobs/{}/retry", failed[0]["id"]))
        .await;
    let again = scene.get("/jobs").await.json();
    assert_eq!(
        names(&again),
        ["1 build", "2 test", "2 build", "1 test", "1 build"]
    );
}

#[tokio::test]
async fn pages_have_no_totals() {
    let scene = two_runs().await;
    let reply = scene.get("/jobs?per_page=3").await;
    for name in ["x-total", "x-total-pages"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
    assert_eq!(reply.header("x-next-page"), "2");
    let link = reply.header("link");
    assert!(link.contains("rel=\"next\"") && link.contains("rel=\"first\""));
    assert!(!link.contains("rel=\"last\""), "{link}");
}

#[tokio::test]
async fn a_keyset_leads_through_the_list_until_no_link_is_left() {
    let scene = two_runs().await;
    let mut path = scene.path("/jobs?pagination=keyset&per_page=3&scope[]=skipped&scope[]=created&scope[]=failed&scope[]=pending");
    let mut seen = Vec::new();
    loop {
        let reply = scene.server.get(&path).root().send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(!reply.headers.contains_key("x-page"));
        seen.extend(names(&reply.json()));
        let link = reply.header("link").to_owned();
        let Some(next) = link.strip_prefix(&format!("<{}", scene.server.url())) else {
            assert!(link.is_empty(), "{link}");
            assert_eq!(reply.header("x-next-cursor"), "");
            break;
        };
        assert!(next.ends_with(">; rel=\"next\""), "{link}");
        assert!(next.contains(&format!("cursor={}", reply.header("x-next-cursor"))));
        path = next.split('>').next().unwrap().to_owned();
    }
    assert_eq!(seen, ["2 test", "2 build", "1 test", "1 build"]);
}

#[rstest]
#[case("?scope=done", 400, json!({ "error": "scope does not have a valid value" }))]
#[case("?scope=", 400, json!({ "error": "scope does not have a valid value" }))]
#[case("?scope[]=failed&scope[]=x", 400, json!({ "error": "scope does not have a valid value" }))]
#[case("?per_page=0", 400, json!({ "error": "per_page has a value not allowed" }))]
#[case("?pagination=keyset&cursor=x", 400, json!({ "error": "cursor is invalid" }))]
#[case(
    "?pagination=keyset&order_by=name",
    405,
    json!({ "error": "Keyset pagination is not yet available for this type of request" })
)]
#[case(
    "?pagination=keyset&sort=asc",
    405,
    json!({ "error": "Keyset pagination is not yet available for this type of request" })
)]
#[tokio::test]
async fn a_bad_question_is_refused(
    #[case] query: &str,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    let reply = scene.get(&format!("/jobs{query}")).await;
    assert_reply(&reply, status, &expected);
}
