//! What people and tokens do with single jobs: play with variables, erase, and
//! the job that a token belongs to.

use rstest::rstest;
use serde_json::{Value, json};

use super::{PIPELINE, Scene, assert_reply, runner};

const MANUAL: (&str, &str) = (
    PIPELINE.0,
    "build:\n  script: make\n  when: manual\n  variables: { WHO: file }\n",
);

async fn manual() -> (Scene, i64) {
    let scene = Scene::with_file(MANUAL).await;
    let run = scene
        .run_with("ref=main&variables[WHO]=run&variables[RUN]=1")
        .await;
    let id = scene.job_id(run, "build").await;
    (scene, id)
}

fn variable(payload: &Value, key: &str) -> Option<String> {
    let variables = payload["variables"].as_array().unwrap();
    let found = variables.iter().rev().find(|one| one["key"] == key)?;
    Some(found["value"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_job_is_played_with_variables_that_win() {
    let (scene, id) = manual().await;
    let body = json!({ "job_variables_attributes": [
        { "key": "WHO", "value": "player" }, { "key": "NEW", "value": "2" },
    ]});
    let path = scene.path(&format!("/jobs/{id}/play"));
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["status"], "pending");

    let (job, first) = runner::take_with_payload(&scene.server).await;
    let has = |payload: &Value| {
        ["WHO", "RUN", "NEW"].map(|key| variable(payload, key).unwrap_or_default())
    };
    assert_eq!(has(&first), ["player", "1", "2"]);
    job.end("failed").await;
    let again = scene.post(&format!("/jobs/{id}/retry")).await;
    assert_eq!(again.status, 201, "{}", again.text());
    let (_, second) = runner::take_with_payload(&scene.server).await;
    assert_eq!(has(&second), ["player", "1", "2"], "kept by a retry");
}

#[rstest]
#[case(json!([{ "value": "1" }]), json!({ "error": "job_variables_attributes[0][key] is missing" }))]
#[case(
    json!([{ "key": "A", "value": "1" }, { "key": "B" }]),
    json!({ "error": "job_variables_attributes[1][value] is missing" })
)]
#[case(
    json!([{}]),
    json!({ "error": "job_variables_attributes[0][key] is missing, job_variables_attributes[0][value] is missing" })
)]
#[case(json!({ "A": "1" }), json!({ "error": "job_variables_attributes is invalid" }))]
#[case(json!(["A"]), json!({ "error": "job_variables_attributes[0] is invalid" }))]
#[case(
    json!([{ "key": "A B", "value": "1" }]),
    json!({ "message": { "job_variables.key": ["can contain only letters, digits and '_'."] } })
)]
#[tokio::test]
async fn variables_without_key_and_value_leave_the_job_manual(
    #[case] variables: Value,
    #[case] expected: Value,
) {
    let (scene, id) = manual().await;
    let body = json!({ "job_variables_attributes": variables });
    let path = scene.path(&format!("/jobs/{id}/play"));
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_reply(&reply, 400, &expected);
    let job = scene.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(job["status"], "manual");
}

#[tokio::test]
async fn an_erased_job_has_neither_log_nor_artifacts_left_on_the_disk() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"secret words").await;
    job.upload("out.zip", b"PK").await;
    job.end("success").await;
    let data = scene.server.data_dir().to_owned();
    let files = || {
        ["logs", "artifacts"]
            .iter()
            .flat_map(|dir| walk(&data.join(dir)))
            .collect::<Vec<_>>()
    };
    assert!(!files().is_empty());

    let reply = scene.post(&format!("/jobs/{}/erase", job.id)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = reply.json();
    assert!(shown["erased_at"].is_string());
    assert_eq!(shown["artifacts"], json!([]));
    assert!(!shown.as_object().unwrap().contains_key("artifacts_file"));
    assert_eq!(files(), Vec::<std::path::PathBuf>::new());
    let trace = scene.get(&format!("/jobs/{}/trace", job.id)).await;
    assert_eq!((trace.status, trace.text().as_str()), (200, ""));
    let again = scene.post(&format!("/jobs/{}/erase", job.id)).await;
    let refused = json!({ "message": "403 Forbidden - Job is not erasable!" });
    assert_reply(&again, 403, &refused);
}

#[tokio::test]
async fn a_job_that_has_not_ended_is_not_erasable() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"words").await;
    let reply = scene.post(&format!("/jobs/{}/erase", job.id)).await;
    let refused = json!({ "message": "403 Forbidden - Job is not erasable!" });
    assert_reply(&reply, 403, &refused);
}

#[tokio::test]
async fn a_job_token_shows_its_own_job_while_it_runs() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let own = || {
        let request = scene.server.get("/api/v4/job");
        request.header("job-token", &job.token).send()
    };
    let reply = own().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["id"], job.id);
    assert_eq!(reply.json()["status"], "running");

    let person = scene.server.get("/api/v4/job").root().send().await;
    assert_reply(&person, 404, &json!({ "message": "404 Job Not Found" }));
    let nobody = scene.server.get("/api/v4/job").send().await;
    assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
    job.end("success").await;
    assert_eq!(own().await.status, 401);
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
