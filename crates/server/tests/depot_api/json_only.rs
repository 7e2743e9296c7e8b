//! The two methods whose field numbers nobody knows.

use serde_json::json;

use super::{Scene, code, refusal, request};

#[tokio::test]
async fn a_job_is_told_with_all_its_surroundings() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.work("oh\n", "failed").await;
    let job = scene.job(run, 0).await;
    let reply = scene.ask("GetJob", json!({ "jobId": job })).await;
    assert_eq!(reply["orgId"], "org_1");
    assert_eq!(reply["repo"], "acme/web");
    assert_eq!(reply["jobId"], job);
    assert_eq!(reply["jobKey"], ".gitlab-ci.yml:build");
    assert_eq!(reply["jobStatus"], "failed");
    assert_eq!(reply["jobConclusion"], "failure");
    assert_eq!(reply["currentAttemptId"], attempt);
    assert_eq!(reply["strategy"], json!({ "jobTotal": 1 }));
    assert_eq!(reply["attempts"][0]["attemptId"], attempt);
    assert_eq!(reply["attempts"][0]["isCurrent"], true);
    let reply = scene
        .ask("GetAttempt", json!({ "attempt_id": attempt }))
        .await;
    assert_eq!(reply["jobId"], job);
    assert_eq!(reply["attempt"]["attempt"], 1);
    assert_eq!(reply["attempt"]["status"], "failed");
}

#[tokio::test]
async fn they_refuse_what_is_not_there_or_makes_no_sense() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    scene.work("oh\n", "failed").await;
    let skipped = scene.job(run, 1).await.replace('j', "a");
    for (method, body, expected) in [
        ("GetJob", json!({ "jobId": "j999" }), code(404, "not_found")),
        ("GetJob", json!({}), code(400, "invalid_argument")),
        (
            "GetJob",
            json!({ "jobId": 7 }),
            code(400, "invalid_argument"),
        ),
        ("GetJob", json!([]), code(400, "invalid_argument")),
        (
            "GetAttempt",
            json!({ "attemptId": "j1" }),
            code(404, "not_found"),
        ),
        (
            "GetAttempt",
            json!({ "attemptId": skipped }),
            code(404, "not_found"),
        ),
    ] {
        let refused = scene.refused(method, body.clone()).await;
        assert_eq!(refused, expected, "{method} {body}");
    }
}

#[tokio::test]
async fn they_speak_json_only() {
    let scene = Scene::new().await;
    let proto = request(&scene.server, "GetJob").body("application/proto", "\x0a\x02j1");
    let reply = proto.send().await;
    assert_eq!(refusal(&reply), code(501, "unimplemented"));
    assert!(reply.text().contains("JSON only"));
    let other = request(&scene.server, "GetJob").body("text/plain", "{}");
    assert_eq!(other.send().await.status, 415);
    let path = "/depot.ci.v1.CIService/GetAttempt";
    assert_eq!(scene.server.get(path).send().await.status, 405);
    let nobody = scene.server.post(path).json(&json!({ "attemptId": "a1" }));
    assert_eq!(refusal(&nobody.send().await), code(401, "unauthenticated"));
    let version = request(&scene.server, "GetJob").header("connect-protocol-version", "2");
    let reply = version.json(&json!({ "jobId": "j1" })).send().await;
    assert_eq!(refusal(&reply), code(400, "invalid_argument"));
}
