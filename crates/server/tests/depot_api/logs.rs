//! Logs: page by page, as streams and as files.

use rstest::rstest;
use serde_json::{Value, json};

use super::envelopes::{end, envelope, messages};
use super::{Scene, code, request, runner, text};

/// As our own runner writes the log of a workflow's job.
const STAMPED: &str = "\
2026-11-21T20:00:00.000000Z 00O section_start:1795291200:step_build\r\u{1b}[0KBuild it\n\
2026-11-21T20:00:01.500000Z 00O making\n\
2026-11-21T20:00:01.600000Z 00E oh dear\n\
2026-11-21T20:00:02.000000Z 00O section_end:1795291202:step_build\r\u{1b}[0K\n";

async fn stream(scene: &Scene, method: &str, body: &Value) -> Vec<u8> {
    let body = envelope(0, body.to_string().as_bytes());
    let call = request(&scene.server, method).body("application/connect+json", body);
    let reply = call.send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "application/connect+json");
    reply.body.to_vec()
}

async fn stream_error(scene: &Scene, method: &str, body: Value) -> String {
    let body = stream(scene, method, &body).await;
    text(&end(&body)["error"]["code"])
}

#[tokio::test]
async fn lines_know_step_time_and_stream() {
    let scene = Scene::new().await;
    scene.start().await;
    let attempt = scene.work(STAMPED, "success").await;
    let page = scene
        .ask("GetJobAttemptLogs", json!({ "attemptId": attempt }))
        .await;
    assert_eq!(
        page["lines"],
        json!([
            { "stepKey": "build", "timestampMs": "1795291200000", "lineNumber": 1,
              "body": "Build it", "stepId": "build", "stepName": "Build it" },
            { "stepKey": "build", "timestampMs": "1795291201500", "lineNumber": 2,
              "body": "making", "stepId": "build", "stepName": "Build it" },
            { "stepKey": "build", "timestampMs": "1795291201600", "lineNumber": 1, "stream": 1,
              "body": "oh dear", "stepId": "build", "stepName": "Build it" },
        ])
    );
    assert_eq!(page.get("nextPageToken"), None);
}

#[tokio::test]
async fn an_attempt_without_a_log_has_an_empty_page() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.job(run, 0).await.replace('j', "a");
    let page = scene
        .ask("GetJobAttemptLogs", json!({ "attemptId": attempt }))
        .await;
    assert_eq!(page, json!({}));
}

#[tokio::test]
async fn a_long_log_comes_in_pages_without_a_gap() {
    let scene = Scene::new().await;
    scene.start().await;
    let log: String = (0..100_000).map(|n| format!("line {n:06}\n")).collect();
    let attempt = scene.work(&log, "success").await;
    let mut found = Vec::new();
    let mut pages = 0;
    let mut token = String::new();
    loop {
        let body = json!({ "attemptId": attempt, "pageToken": token });
        let page = scene.ask("GetJobAttemptLogs", body).await;
        let lines = page["lines"].as_array().cloned().unwrap_or_default();
        found.extend(lines.iter().map(|line| text(&line["body"])));
        pages += 1;
        token = text(&page["nextPageToken"]);
        if token.is_empty() {
            break;
        }
    }
    assert!(pages > 1);
    assert_eq!(found.join("\n") + "\n", log);
}

#[tokio::test]
async fn a_token_of_another_log_is_refused() {
    let scene = Scene::new().await;
    scene.start().await;
    let log: String = (0..100_000).map(|n| format!("line {n:06}\n")).collect();
    let attempt = scene.work(&log, "success").await;
    let page = scene
        .ask("GetJobAttemptLogs", json!({ "attemptId": attempt }))
        .await;
    scene.start().await;
    let other = scene.work("x\n", "success").await;
    for token in [text(&page["nextPageToken"]), "nonsense".to_owned()] {
        let body = json!({ "attemptId": other, "pageToken": token });
        let refused = scene.refused("GetJobAttemptLogs", body).await;
        assert_eq!(refused, code(400, "invalid_argument"), "{token}");
        let body = json!({ "attemptId": other, "cursor": token });
        let refused = stream_error(&scene, "StreamJobAttemptLogs", body).await;
        assert_eq!(refused, "invalid_argument");
    }
}

#[rstest]
#[case::neither(json!({}), "invalid_argument")]
#[case::both(json!({ "attemptId": "a1", "jobId": "j1" }), "invalid_argument")]
#[case::unknown_attempt(json!({ "attemptId": "a999" }), "not_found")]
#[case::unknown_job(json!({ "jobId": "j999" }), "not_found")]
#[case::a_run(json!({ "jobId": "r1" }), "not_found")]
#[tokio::test]
async fn one_attempt_is_named(#[case] body: Value, #[case] word: &str) {
    let scene = Scene::new().await;
    scene.start().await;
    for method in ["StreamJobAttemptLogs", "ExportJobAttemptLogs"] {
        let refused = stream_error(&scene, method, body.clone()).await;
        assert_eq!(refused, word, "{method}");
    }
}

#[tokio::test]
async fn a_stream_lasts_to_the_end_of_the_attempt() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let body = json!({ "jobId": scene.job(run, 0).await });
    let work = async {
        let job = runner::take(&scene.server).await;
        job.log(0, b"one\ntwo").await;
        job.end("failed").await;
    };
    let (body, ()) = tokio::join!(stream(&scene, "StreamJobAttemptLogs", &body), work);
    let messages = messages(&body);
    let lines: Vec<&Value> = messages.iter().map(|one| &one["line"]["body"]).collect();
    assert_eq!(
        lines,
        [&Value::Null, &json!("one"), &json!("two"), &Value::Null]
    );
    assert_eq!(messages[0]["attemptStatus"], "queued");
    assert_eq!(messages[1]["attemptStatus"], "running");
    assert_eq!(messages[3]["attemptStatus"], "failed");
    assert_eq!(end(&body), json!({}));
}

#[tokio::test]
async fn a_reader_goes_on_behind_the_line_it_got_last() {
    let scene = Scene::new().await;
    scene.start().await;
    let attempt = scene.work("one\ntwo\nthree\n", "success").await;
    let body = stream(
        &scene,
        "StreamJobAttemptLogs",
        &json!({ "attemptId": attempt }),
    )
    .await;
    let cursor = messages(&body)
        .into_iter()
        .find(|one| one["line"]["body"] == "two")
        .map(|one| text(&one["nextCursor"]));
    let again = json!({ "attemptId": attempt, "cursor": cursor });
    let body = stream(&scene, "StreamJobAttemptLogs", &again).await;
    let lines: Vec<Value> = messages(&body)
        .into_iter()
        .filter(|one| one.get("line").is_some())
        .collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["line"]["body"], "three");
    assert_eq!(lines[0]["line"]["lineNumber"], 3);
}

#[tokio::test]
async fn the_stream_of_an_attempt_that_never_begins_ends_with_it() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.job(run, 1).await.replace('j', "a");
    let cancel = async {
        scene
            .ask("CancelRun", json!({ "runId": format!("r{run}") }))
            .await;
    };
    let body = json!({ "attemptId": attempt });
    let (body, ()) = tokio::join!(stream(&scene, "StreamJobAttemptLogs", &body), cancel);
    let last = messages(&body).pop().unwrap();
    assert_eq!(last["attemptStatus"], "cancelled");
}

#[rstest]
#[case::unspecified(json!(0), "build-attempt-1.txt", "text/plain; charset=utf-8")]
#[case::text(
    json!("JOB_ATTEMPT_LOG_EXPORT_FORMAT_TEXT"),
    "build-attempt-1.txt",
    "text/plain; charset=utf-8"
)]
#[case::lines(json!(2), "build-attempt-1.jsonl", "application/x-ndjson; charset=utf-8")]
#[tokio::test]
async fn a_file_is_named_before_its_bytes(
    #[case] format: Value,
    #[case] filename: &str,
    #[case] content_type: &str,
) {
    let scene = Scene::new().await;
    scene.start().await;
    let attempt = scene.work(STAMPED, "success").await;
    let body = json!({ "attemptId": attempt, "format": format });
    let body = stream(&scene, "ExportJobAttemptLogs", &body).await;
    let messages = messages(&body);
    assert_eq!(messages[0]["metadata"]["filename"], filename);
    assert_eq!(messages[0]["metadata"]["contentType"], content_type);
    assert!(messages[1].get("chunk").is_some());
    assert_eq!(end(&body), json!({}));
}

#[tokio::test]
async fn an_unknown_format_is_refused() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.job(run, 0).await.replace('j', "a");
    let body = json!({ "attemptId": attempt, "format": 9 });
    let refused = stream_error(&scene, "ExportJobAttemptLogs", body).await;
    assert_eq!(refused, "invalid_argument");
}

/// What is not a single whole frame is no request of a server stream.
#[rstest]
#[case::none(b"".to_vec(), "unimplemented")]
#[case::two([envelope(0, b"{}"), envelope(0, b"{}")].concat(), "unimplemented")]
#[case::cut(envelope(0, b"{\"jobId\":\"j1\"}")[..8].to_vec(), "invalid_argument")]
#[case::compressed_by_nothing(envelope(1, b"{}"), "internal")]
#[case::oversized([&[0], &5_000_000_u32.to_be_bytes()[..], b"{}"].concat(), "resource_exhausted")]
#[tokio::test]
async fn broken_frames_end_the_stream_with_a_code(#[case] body: Vec<u8>, #[case] word: &str) {
    let scene = Scene::new().await;
    let call = request(&scene.server, "StreamJobAttemptLogs");
    let reply = call.body("application/connect+json", body).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(end(&reply.body)["error"]["code"], word);
}
