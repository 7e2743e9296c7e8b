//! Artifacts over the socket.

use super::fake_server::{FakeServer, content};
use serde_json::json;

#[tokio::test]
async fn an_archive_goes_up_in_one_part_and_comes_down_in_the_next_job() {
    let server = FakeServer::with_runner();
    server.offer(7, |job| {
        job["steps"] = json!([{"name": "script", "script": ["echo built > out.txt"]}]);
        job["artifacts"] = json!([{
            "name": "web \"1\"", "paths": ["out.txt"], "expire_in": "1 week",
            "artifact_type": "archive", "artifact_format": "zip",
        }]);
    });
    assert_eq!(server.end(7).await["state"], "success");
    let (query, body) = server.state.uploads.lock().unwrap().remove(0);
    assert_eq!(
        query,
        "artifact_format=zip&artifact_type=archive&expire_in=1%20week"
    );
    let archive = content(&body);
    let head = String::from_utf8_lossy(&body);
    assert!(
        head.contains("name=\"file\"; filename=\"web 1.zip\""),
        "{head}"
    );

    server
        .state
        .archives
        .lock()
        .unwrap()
        .insert(7, archive.to_vec());
    server.offer(8, |job| {
        job["steps"] = json!([{"name": "script", "script": ["cat out.txt"]}]);
        job["dependencies"] = json!([
            {"id": 7, "token": "token-8", "name": "build", "artifacts_file": {"filename": "a.zip", "size": 1}},
        ]);
    });
    assert_eq!(server.end(8).await["state"], "success");
    assert!(
        String::from_utf8(server.log(8))
            .unwrap()
            .contains("\nbuilt\n")
    );
}

#[tokio::test]
async fn an_archive_that_is_gone_fails_the_job() {
    let server = FakeServer::with_runner();
    server.offer(8, |job| {
        job["steps"] = json!([{"name": "script", "script": ["true"]}]);
        job["dependencies"] = json!([
            {"id": 7, "token": "token-8", "name": "build", "artifacts_file": {"filename": "a.zip", "size": 1}},
        ]);
    });
    assert_eq!(
        server.end(8).await["failure_reason"],
        "runner_system_failure"
    );
}
