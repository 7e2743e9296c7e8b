//! The log of a job: whole, in parts, followed.

use rstest::rstest;
use serde_json::json;

use super::{Scene, runner};

#[tokio::test]
async fn a_log_is_plain_text_and_never_anything_else() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let empty = scene.get(&format!("/jobs/{}/trace", job.id)).await;
    assert_eq!((empty.status, empty.text().as_str()), (200, ""));

    job.log(0, b"<script>\xff\x00\n").await;
    job.end("success").await;
    let reply = scene.get(&format!("/jobs/{}/trace", job.id)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(&reply.body[..], b"<script>\xff\x00\n");
    assert_eq!(reply.header("content-type"), "text/plain");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let disposition = format!("infile; filename=\"{}.log\"", job.id);
    assert_eq!(reply.header("content-disposition"), disposition);
}

#[rstest]
#[case("bytes=0-3", 206, "0123", "bytes 0-3/10")]
#[case("bytes=6-", 206, "6789", "bytes 6-9/10")]
#[case("bytes=-2", 206, "89", "bytes 8-9/10")]
#[case("bytes=10-", 416, "", "bytes */10")]
#[case("bytes=0-1,4-5", 200, "0123456789", "")]
#[tokio::test]
async fn a_part_of_a_log_can_be_had(
    #[case] range: &str,
    #[case] status: u16,
    #[case] text: &str,
    #[case] content_range: &str,
) {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"0123456789").await;
    job.end("success").await;
    let path = scene.path(&format!("/jobs/{}/trace", job.id));
    let reply = scene
        .server
        .get(&path)
        .root()
        .header("range", range)
        .send()
        .await;
    assert_eq!((reply.status, reply.text().as_str()), (status, text));
    assert_eq!(reply.header("content-range"), content_range);
}

#[tokio::test]
async fn a_follower_sees_the_log_grow_and_end() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = scene.path(&format!("/jobs/{}/trace/events", job.id));
    let (reply, ()) = tokio::join!(scene.server.get(&path).root().send(), async {
        job.log(0, "one\ntw\u{20ac}".as_bytes()).await;
        job.log(9, b"o\n").await;
        job.end("success").await;
    });
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "text/event-stream");
    let events = parse(&reply.text());
    let text: String = events
        .iter()
        .filter_map(|event| event.data["text"].as_str())
        .collect();
    assert_eq!(text, "one\ntw\u{20ac}o\n");
    let end = events.last().unwrap();
    assert_eq!(
        (end.name.as_str(), &end.data),
        ("end", &json!({ "status": "success" }))
    );

    let resumed = scene
        .server
        .get(&path)
        .root()
        .header("last-event-id", "4")
        .send()
        .await;
    let first = &parse(&resumed.text())[0];
    assert_eq!(first.data, json!({ "offset": 11, "text": "tw\u{20ac}o\n" }));
    assert_eq!(first.id, "11");
    let by_parameter = scene
        .server
        .get(&format!("{path}?offset=4"))
        .root()
        .send()
        .await;
    assert_eq!(by_parameter.text(), resumed.text());
}

#[tokio::test]
async fn a_follower_of_a_job_that_never_runs_sees_its_end() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "test").await;
    let path = scene.path(&format!("/jobs/{id}/trace/events"));
    let (reply, _) = tokio::join!(scene.server.get(&path).root().send(), async {
        scene.post(&format!("/pipelines/{run}/cancel")).await
    });
    let events = parse(&reply.text());
    assert_eq!(events.len(), 1, "{}", reply.text());
    assert_eq!(events[0].name, "end");
    assert!(["canceled", "skipped"].contains(&events[0].data["status"].as_str().unwrap()));
}

#[rstest]
#[case("last-event-id", "x", "")]
#[case("x-none", "", "?offset=-1")]
#[tokio::test]
async fn a_place_that_is_none_is_refused(
    #[case] name: &str,
    #[case] value: &str,
    #[case] query: &str,
) {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    let path = scene.path(&format!("/jobs/{id}/trace/events{query}"));
    let reply = scene
        .server
        .get(&path)
        .root()
        .header(name, value)
        .send()
        .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
}

struct Event {
    name: String,
    id: String,
    data: serde_json::Value,
}

fn parse(text: &str) -> Vec<Event> {
    text.split("\n\n")
        .filter(|block| block.contains("event: "))
        .map(|block| {
            let field = |name: &str| {
                let mut lines = block.lines();
                let found = lines.find_map(|line| line.strip_prefix(name));
                found.unwrap_or_default().to_owned()
            };
            Event {
                name: field("event: "),
                id: field("id: "),
                data: serde_json::from_str(&field("data: ")).unwrap(),
            }
        })
        .collect()
}
