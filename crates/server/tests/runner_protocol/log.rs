//! `PATCH /jobs/:id/trace`.

use rstest::rstest;
use tappet_server::testing::TestReply;

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene, assert_over};

async fn running_job() -> (Scene, Taken) {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    (scene, job)
}

#[track_caller]
fn assert_range(reply: &TestReply, status: u16, range: &str) {
    let answer = (reply.status, reply.header("range"));
    assert_eq!(answer, (status, range), "{}", reply.text());
}

#[tokio::test]
async fn bytes_are_taken_and_the_answer_says_where_to_go_on() {
    let (scene, job) = running_job().await;
    let reply = job.log(&scene.server, 0, "hello\n").await;
    assert_range(&reply, 202, "0-6");
    assert_eq!(reply.header("job-status"), "running");
    assert_eq!(reply.header("x-gitlab-trace-update-interval"), "3");
    let reply = job.log(&scene.server, 6, "world\n").await;
    assert_range(&reply, 202, "0-12");
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "hello\nworld\n");
}

/// gitlab-runner counts the last byte in, gitlab-python-runner does not.
#[rstest]
#[case::inclusive("0-4")]
#[case::exclusive("0-5")]
#[case::with_total("0-4/5")]
#[case::with_unit("bytes 0-4")]
#[tokio::test]
async fn only_the_start_of_the_range_counts(#[case] range: &str) {
    let (scene, job) = running_job().await;
    let reply = job.patch(&scene.server, range, "hello").await;
    assert_range(&reply, 202, "0-5");
}

#[tokio::test]
async fn an_empty_patch_changes_nothing() {
    let (scene, job) = running_job().await;
    assert_range(&job.patch(&scene.server, "0-0", "").await, 202, "0-0");
    job.log(&scene.server, 0, "abc").await;
    assert_range(&job.patch(&scene.server, "3-3", "").await, 202, "0-3");
}

#[tokio::test]
async fn a_gap_is_answered_with_the_true_range_and_nothing_is_stored() {
    let (scene, job) = running_job().await;
    job.log(&scene.server, 0, "abc").await;
    let reply = job.log(&scene.server, 5, "fgh").await;
    assert_range(&reply, 416, "0-3");
    assert_eq!(reply.header("job-status"), "running");
    assert_range(&job.log(&scene.server, 3, "defgh\n").await, 202, "0-9");
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "abcdefgh\n");
}

#[tokio::test]
async fn bytes_that_are_known_already_are_stored_once() {
    let (scene, job) = running_job().await;
    for (start, bytes, range) in [
        (0, "abc", "0-3"),
        (0, "abc", "0-3"),
        (1, "bcd", "0-4"),
        (0, "ab", "0-4"),
    ] {
        assert_range(&job.log(&scene.server, start, bytes).await, 202, range);
    }
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "abcd");
}

#[rstest]
#[case::missing(None)]
#[case::no_number(Some("x-3"))]
#[case::negative(Some("-1"))]
#[tokio::test]
async fn a_patch_without_a_start_is_refused(#[case] range: Option<&str>) {
    let (scene, job) = running_job().await;
    let mut request = job
        .bare_patch(&scene.server)
        .header("job-token", &job.token)
        .body("text/plain", "abc");
    if let Some(range) = range {
        request = request.header("content-range", range);
    }
    assert_eq!(request.send().await.status, 400);
    assert_range(&job.log(&scene.server, 0, "x").await, 202, "0-1");
}

#[tokio::test]
async fn nobody_else_writes() {
    let (scene, job) = running_job().await;
    scene.run().await;
    let other = Runner::default().take(&scene.server).await;
    let patch = |token: Option<&str>| {
        let request = job.bare_patch(&scene.server).header("content-range", "0-2");
        let request = request.body("text/plain", "abc");
        match token {
            Some(token) => request.header("job-token", token),
            None => request,
        }
    };
    for token in [
        None,
        Some(""),
        Some("glcbt-1_x"),
        Some(other.token.as_str()),
    ] {
        let reply = patch(token).send().await;
        assert_eq!(reply.status, 403, "{token:?}");
        assert_eq!(reply.header("job-status"), "", "not their job");
    }
    assert_range(&job.patch(&scene.server, "0-0", "").await, 202, "0-0");
}

#[tokio::test]
async fn after_the_end_nothing_is_added() {
    let (scene, job) = running_job().await;
    job.log(&scene.server, 0, "abc").await;
    job.report(&scene.server, "success").await;
    assert_over(&job.log(&scene.server, 3, "def").await, "success");
    assert_over(&job.patch(&scene.server, "3-3", "").await, "success");
    assert_eq!(scene.log(job.id).await, "abc");
}

#[tokio::test]
async fn the_job_token_does_not_reach_the_log() {
    let (scene, job) = running_job().await;
    job.log(&scene.server, 0, &format!("<{}>", job.token)).await;
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "<[MASKED]>");
}
