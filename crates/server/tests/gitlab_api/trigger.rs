//! The main call, when it works.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{commit, git};

use super::{Scene, runner};

#[tokio::test]
async fn a_trigger_starts_a_pipeline_and_shows_it_as_created() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = reply.json();
    let url = scene.server.url();
    let id = &shown["id"];
    let head = shown["sha"].as_str().unwrap();
    assert_eq!(head.len(), 40);
    assert_eq!(
        shown,
        json!({
            "id": id, "iid": 1, "project_id": scene.project, "sha": head, "ref": "main",
            "status": "created", "source": "trigger",
            "created_at": shown["created_at"], "updated_at": shown["created_at"],
            "web_url": format!("{url}/acme/web/-/pipelines/{id}"),
            "before_sha": "0".repeat(40), "tag": false, "yaml_errors": null,
            "user": {
                "id": 1, "username": "root", "public_email": "", "name": shown["user"]["name"],
                "state": "active", "locked": false, "avatar_url": null,
                "web_url": format!("{url}/root"),
            },
            "started_at": null, "finished_at": null, "committed_at": null,
            "duration": null, "queued_duration": null, "coverage": null,
            "detailed_status": {
                "icon": "status_created", "text": "Created", "label": "created",
                "group": "created", "tooltip": "created", "has_details": true,
                "details_path": format!("/acme/web/-/pipelines/{id}"), "illustration": null,
                "favicon": "/assets/ci_favicons/favicon_status_created.png",
            },
            "archived": false,
        })
    );
    assert!(!reply.text().contains(&token));
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=X";

#[rstest]
#[case("", FORM, "token=TOKEN&ref=main&variables[A]=b%20c")]
#[case("", "", "token=TOKEN&ref=main&variables%5BA%5D=b+c")]
#[case("?token=TOKEN&ref=main&variables[A]=b%20c", "", "")]
#[case("?token=TOKEN", JSON, r#"{"ref":"main","variables":{"A":"b c"}}"#)]
#[case(
    "?token=wrong&ref=wrong",
    JSON,
    r#"{"token":"TOKEN","ref":"main","variables":{"A":"b c"},"inputs":{}}"#
)]
#[case(
    "?token=TOKEN&ref=main",
    MULTIPART,
    "--X\r\nContent-Disposition: form-data; name=\"variables[A]\"\r\n\r\nb c\r\n--X--\r\n"
)]
#[tokio::test]
async fn parameters_come_from_query_form_multipart_and_json(
    #[case] query: &str,
    #[case] content_type: &str,
    #[case] body: &str,
) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let path = scene
        .path(&format!("/trigger/pipeline{query}"))
        .replace("TOKEN", &token);
    let mut request = scene.server.post(&path);
    if !body.is_empty() {
        let body = body.replace("TOKEN", &token);
        request = match content_type {
            "" => request.form(&body),
            other => request.body(other, body),
        };
    }
    let reply = request.send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let variables = scene
        .get(&format!("/pipelines/{}/variables", reply.json()["id"]))
        .await
        .json();
    assert_eq!(
        variables[0],
        json!({ "variable_type": "env_var", "key": "A", "value": "b c", "raw": false })
    );
}

#[rstest]
#[case(r#"{"ref":"main","token":"TOKEN"}"#)]
#[case(r#"{"ref":"main","token":"TOKEN","variables":{},"inputs":{}}"#)]
#[case(r#"{"ref":"main","token":"TOKEN","variables":null}"#)]
#[case(r#"{"ref":"main","token":"TOKEN","variables[A]":"lost"}"#)]
#[tokio::test]
async fn without_variables_only_the_payload_is_one(#[case] body: &str) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let body: Value = serde_json::from_str(&body.replace("TOKEN", &token)).unwrap();
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = &reply.json()["id"];
    let variables = scene
        .get(&format!("/pipelines/{run}/variables"))
        .await
        .json();
    let names: Vec<&str> = variables
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["key"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["TRIGGER_PAYLOAD"]);
}

#[tokio::test]
async fn the_payload_of_a_webhook_reaches_the_job_without_credentials() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let path = scene.path(&format!(
        "/ref/main/trigger/pipeline?token={token}&private_token=p1"
    ));
    let hook = json!({ "ref": "refs/heads/other", "object_kind": "push", "access_token": "a1" });
    let reply = scene
        .server
        .post(&path)
        .header("x-gitlab-event", "Push Hook")
        .json(&hook)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["ref"], "main");
    let run = &reply.json()["id"];
    let variables = scene
        .get(&format!("/pipelines/{run}/variables"))
        .await
        .json();
    let payload = &variables[0];
    assert_eq!(payload["variable_type"], "file");
    assert_eq!(payload["raw"], true);
    let value: Value = serde_json::from_str(payload["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        value,
        json!({
            "ref": "main", "object_kind": "push",
            "id": scene.project.to_string(), "variables": {},
        })
    );
}

#[rstest]
#[case("feature%2Fx.1")]
#[case("feature/x.1")]
#[case("refs%2Fheads%2Ffeature%2Fx.1")]
#[tokio::test]
async fn a_ref_in_the_path_may_hold_slashes(#[case] written: &str) {
    let scene = Scene::new().await;
    let repository = scene.server.repository("more", &[super::PIPELINE]);
    git(&repository, &["branch", "feature/x.1"]);
    let body = json!({ "path": "acme/more", "import_url": repository });
    let project = scene
        .server
        .post("/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    let project = project.json()["id"].as_i64().unwrap();
    let token = scene.server.trigger(project).await;
    let path = format!("/api/v4/projects/acme%2Fmore/ref/{written}/trigger/pipeline?token={token}");
    let reply = scene.server.post(&path).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["ref"], "feature/x.1");
}

#[tokio::test]
async fn a_tag_is_marked_and_a_new_commit_is_seen_at_once() {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["tag", "v1"]);
    let token = scene.server.trigger(scene.project).await;
    let path = scene.path("/trigger/pipeline");
    let tagged = scene
        .server
        .post(&path)
        .form(&format!("token={token}&ref=v1"))
        .send()
        .await;
    assert_eq!(tagged.json()["tag"], true, "{}", tagged.text());

    let head = commit(&repository, &[("README", "new")], "Skipped? [ci skip]");
    let newer = scene
        .server
        .post(&path)
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(newer.status, 201, "{}", newer.text());
    assert_eq!(newer.json()["sha"], head);
    assert_eq!(newer.json()["tag"], false);
}

#[tokio::test]
async fn a_bad_access_token_beside_the_trigger_token_does_not_matter() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .header("private-token", "wrong")
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn a_running_jobs_token_starts_a_pipeline_of_its_project(#[case] in_header: bool) {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = scene.path("/trigger/pipeline");
    let trigger = || {
        let request = scene.server.post(&path);
        if in_header {
            request.header("job-token", &job.token).form("ref=main")
        } else {
            request.form(&format!("token={}&ref=main", job.token))
        }
    };
    let reply = trigger().send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["source"], "pipeline");

    job.end("success").await;
    let reply = trigger().send().await;
    super::assert_reply(&reply, 401, &json!({ "message": "Job is not running" }));
}
