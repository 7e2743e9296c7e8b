//! Job tokens across projects: who lets whom in, and where circles end.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestReply;

use super::{Scene, assert_reply, runner};

async fn other_project(scene: &Scene) -> i64 {
    scene.server.project("acme/other", &[super::PIPELINE]).await
}

async fn fire(scene: &Scene, project: i64, token: &str) -> TestReply {
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let form = format!("token={token}&ref=main");
    scene.server.post(&path).form(&form).send().await
}

async fn let_in(scene: &Scene, project: i64, source: i64) -> TestReply {
    let path = format!("/api/v4/projects/{project}/job_token_scope/allowlist");
    let body = json!({ "target_project_id": source });
    scene.server.post(&path).root().json(&body).send().await
}

#[tokio::test]
async fn a_job_starts_runs_of_the_projects_that_let_it_in() {
    let scene = Scene::new().await;
    let other = other_project(&scene).await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = fire(&scene, other, &job.token).await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));

    let link = let_in(&scene, other, scene.project).await;
    let body = json!({ "source_project_id": other, "target_project_id": scene.project });
    assert_reply(&link, 201, &body);
    let reply = fire(&scene, other, &job.token).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["source"], "pipeline");
    assert_eq!(reply.json()["project_id"], other);
    assert_eq!(reply.json()["user"]["username"], "root");

    job.end("success").await;
    let reply = fire(&scene, other, &job.token).await;
    assert_reply(&reply, 401, &json!({ "message": "Job is not running" }));
}

#[tokio::test]
async fn a_job_of_a_run_without_user_starts_nothing() {
    let scene = Scene::new().await;
    let token = "0123456789abcdef0123456789abcd";
    let path = scene.path("/triggers/import");
    let body = json!({ "token": token });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(fire(&scene, scene.project, token).await.status, 201);
    let job = runner::take(&scene.server).await;
    let reply = fire(&scene, scene.project, &job.token).await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
}

#[rstest]
#[case("/pipelines")]
#[case("/pipelines/RUN")]
#[case("/pipelines/RUN/jobs")]
#[tokio::test]
async fn a_foreign_job_reads_only_where_it_is_let_in(#[case] rest: &str) {
    let scene = Scene::new().await;
    let other = other_project(&scene).await;
    let token = scene.server.trigger(other).await;
    let run = fire(&scene, other, &token).await.json()["id"].to_string();
    let foreign = runner::take(&scene.server).await;
    foreign.end("success").await;
    scene.run().await;
    let job = loop {
        let job = runner::take(&scene.server).await;
        let attempt = tappet_model::AttemptId(job.id);
        let attempt = scene.server.app().store.attempt(attempt).await.unwrap();
        if attempt.unwrap().project_id.0 == scene.project {
            break job;
        }
    };
    let path = format!("/api/v4/projects/{other}{}", rest.replace("RUN", &run));
    let read = || scene.server.get(&path).header("job-token", &job.token);
    let text = format!(
        "403 Forbidden - Authentication by CI/CD job token not allowed from acme/web to project \
         #{other}."
    );
    assert_reply(&read().send().await, 403, &json!({ "message": text }));
    let_in(&scene, other, scene.project).await;
    let reply = read().send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn the_list_can_be_read_extended_and_shortened() {
    let scene = Scene::new().await;
    let other = other_project(&scene).await;
    let ids = async || {
        let list = scene.get("/job_token_scope/allowlist").await;
        assert_eq!(list.status, 200, "{}", list.text());
        let ids: Vec<Value> = list
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|project| project["id"].clone())
            .collect();
        ids
    };
    assert_eq!(ids().await, [scene.project]);
    assert_eq!(let_in(&scene, scene.project, other).await.status, 201);
    assert_eq!(ids().await, [scene.project, other]);
    let again = let_in(&scene, scene.project, other).await;
    let text = "400 Bad request - This project is already in the job token allowlist.";
    assert_reply(&again, 400, &json!({ "message": text }));
    let itself = let_in(&scene, scene.project, scene.project).await;
    assert_eq!(itself.status, 400, "{}", itself.text());
    let unknown = let_in(&scene, scene.project, 999).await;
    assert_reply(
        &unknown,
        404,
        &json!({ "message": "404 Project Not Found" }),
    );

    let path = scene.path(&format!("/job_token_scope/allowlist/{other}"));
    let remove = || scene.server.request("DELETE", &path).root();
    assert_eq!(remove().send().await.status, 204);
    let text = "400 Bad request - Target project is not in the job token scope";
    assert_reply(&remove().send().await, 400, &json!({ "message": text }));
    assert_eq!(ids().await, [scene.project]);
}

#[tokio::test]
async fn a_project_may_let_every_job_in() {
    let scene = Scene::new().await;
    let other = other_project(&scene).await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = format!("/api/v4/projects/{other}/job_token_scope");
    let patch = |body: Value| scene.server.request("PATCH", &path).root().json(&body);
    let reply = patch(json!({})).send().await;
    assert_reply(&reply, 400, &json!({ "error": "enabled is missing" }));
    assert_eq!(patch(json!({ "enabled": false })).send().await.status, 204);
    let shown = scene.server.get(&path).root().send().await;
    let body = json!({ "inbound_enabled": false, "outbound_enabled": false });
    assert_reply(&shown, 200, &body);
    assert_eq!(fire(&scene, other, &job.token).await.status, 201);
    assert_eq!(patch(json!({ "enabled": true })).send().await.status, 204);
    assert_eq!(fire(&scene, other, &job.token).await.status, 404);
}

const ONE_JOB: (&str, &str) = (".gitlab-ci.yml", "again:\n  script: curl\n");

#[tokio::test]
async fn a_job_that_starts_its_own_project_again_and_again_is_stopped() {
    let scene = Scene::with_file(ONE_JOB).await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = fire(&scene, scene.project, &job.token).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    job.end("success").await;
    let job = runner::take(&scene.server).await;
    let reply = fire(&scene, scene.project, &job.token).await;
    let text = "Pipeline loop detected: jobs of 'acme/web' on 'main' led to this pipeline 2 times \
                already. Please break the circle of jobs that trigger each other.";
    assert_reply(&reply, 400, &json!({ "message": { "base": [text] } }));
}
