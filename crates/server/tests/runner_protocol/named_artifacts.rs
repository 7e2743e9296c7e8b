//! Files with names, which the jobs of a run leave for each other.

use rstest::rstest;
use serde_json::{Value, json};

use crate::Scene;
use crate::runner::{Part, Runner, Taken};

const TWO_STAGES: &str = "stages: [one, two]\n\
     make: { stage: one, script: x }\n\
     use: { stage: two, script: x }\n";

async fn scene() -> (Scene, Taken) {
    let scene = Scene::new(TWO_STAGES).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    (scene, job)
}

/// Uploads under a name; gives status and body.
async fn upload(scene: &Scene, job: &Taken, query: &str, content: &str) -> (u16, Value) {
    let query = format!("?artifact_type=artifact&artifact_format=zip{query}");
    let file = [Part::File("artifact.zip", content)];
    let reply = job.upload(&scene.server, &query, &file).await;
    (reply.status, reply.json())
}

async fn list(scene: &Scene, job: &Taken) -> Value {
    let path = format!("/api/v4/jobs/{}/tappet/artifacts", job.id);
    let reply = scene.server.get(&path).header("job-token", &job.token);
    let reply = reply.send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn fetch(scene: &Scene, job: &Taken, artifact: &Value) -> (u16, String) {
    let path = format!("/api/v4/jobs/{}/tappet/artifacts/{artifact}", job.id);
    let reply = scene.server.get(&path).header("job-token", &job.token);
    let reply = reply.send().await;
    (reply.status, reply.text().to_owned())
}

#[tokio::test]
async fn a_later_job_finds_what_an_earlier_one_left() {
    let (scene, make) = scene().await;
    let (status, reply) = upload(&scene, &make, "&artifact_name=dist%20linux", "one").await;
    assert_eq!(status, 201, "{reply}");
    let stored = &reply["artifact"];
    assert_eq!(stored["name"], "dist linux");
    assert_eq!(stored["size"], 3);
    assert_eq!(
        stored["digest"],
        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    );
    upload(&scene, &make, "&artifact_name=a-log", "two").await;
    make.report(&scene.server, "success").await;
    let user = Runner::default().take(&scene.server).await;
    let listed = list(&scene, &user).await;
    assert_eq!(listed[0]["name"], "a-log");
    assert_eq!(&listed[1], stored);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(
        fetch(&scene, &user, &stored["id"]).await,
        (200, "one".into())
    );
    assert_eq!(fetch(&scene, &user, &json!(9999)).await.0, 404);
}

#[tokio::test]
async fn a_name_is_taken_once_in_a_run() {
    let (scene, make) = scene().await;
    let (_, first) = upload(&scene, &make, "&artifact_name=dist", "one").await;
    // The same again is what a runner does whose answer was lost.
    let (status, again) = upload(&scene, &make, "&artifact_name=dist", "one").await;
    assert_eq!((status, &again), (201, &first));
    let (status, refused) = upload(&scene, &make, "&artifact_name=dist", "two").await;
    assert_eq!(status, 409);
    let text = refused["message"].as_str().unwrap();
    assert!(
        text.contains("an artifact with the name dist already exists"),
        "{text}"
    );
    make.report(&scene.server, "success").await;
    let user = Runner::default().take(&scene.server).await;
    assert_eq!(
        upload(&scene, &user, "&artifact_name=dist", "two").await.0,
        409
    );
    let query = "&artifact_name=dist&overwrite=true";
    let (status, replaced) = upload(&scene, &user, query, "two").await;
    assert_eq!(status, 201, "{replaced}");
    assert_eq!(list(&scene, &user).await, json!([replaced["artifact"]]));
    assert_eq!(fetch(&scene, &user, &first["artifact"]["id"]).await.0, 404);
}

#[tokio::test]
async fn runs_do_not_see_each_others_files() {
    let (scene, make) = scene().await;
    let (_, stored) = upload(&scene, &make, "&artifact_name=dist", "one").await;
    scene.run().await;
    let other = Runner::default().take(&scene.server).await;
    assert_eq!(list(&scene, &other).await, json!([]));
    assert_eq!(
        fetch(&scene, &other, &stored["artifact"]["id"]).await.0,
        404
    );
    assert_eq!(
        upload(&scene, &other, "&artifact_name=dist", "x").await.0,
        201
    );
}

#[rstest]
#[case::no_name("", 400)]
#[case::bad_name("&artifact_name=a%2Fb", 400)]
#[case::not_a_switch("&artifact_name=a&overwrite=maybe", 400)]
#[tokio::test]
async fn a_wrong_upload_is_refused(#[case] query: &str, #[case] status: u16) {
    let (scene, make) = scene().await;
    let query = format!("?artifact_type=artifact&artifact_format=zip{query}");
    let file = [Part::File("artifact.zip", "PK")];
    let reply = make.upload(&scene.server, &query, &file).await;
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(list(&scene, &make).await, json!([]));
}

#[rstest]
#[case("?artifact_type=artifact&artifact_format=raw&artifact_name=a")]
#[case("?artifact_type=archive&artifact_format=zip&artifact_name=a")]
#[tokio::test]
async fn only_a_zip_of_its_kind_has_a_name(#[case] query: &str) {
    let (scene, make) = scene().await;
    let file = [Part::File("artifact.zip", "PK")];
    assert_eq!(make.upload(&scene.server, query, &file).await.status, 400);
}

#[rstest]
#[case("artifacts")]
#[case("artifacts/1")]
#[case("patch?key=patch/0123456789ab/0123456789abcdef")]
#[tokio::test]
async fn another_jobs_token_and_one_of_an_ended_job_are_refused(#[case] what: &str) {
    let (scene, make) = scene().await;
    scene.run().await;
    let other = Runner::default().take(&scene.server).await;
    let path = format!("/api/v4/jobs/{}/tappet/{what}", make.id);
    let status = async |token: &str| {
        let call = scene.server.get(&path).header("job-token", token);
        call.send().await.status
    };
    assert_eq!(status(&other.token).await, 403);
    make.report(&scene.server, "success").await;
    assert_eq!(status(&make.token).await, 403);
}

#[rstest]
#[case("patch/0123456789ab/0123456789abcdef", 404, "upload them again")]
#[case("generic/x", 400, "is no key of local changes")]
#[tokio::test]
async fn local_changes_that_cannot_be_had_are_told_with_their_key(
    #[case] key: &str,
    #[case] status: u16,
    #[case] text: &str,
) {
    let (scene, make) = scene().await;
    let path = format!("/api/v4/jobs/{}/tappet/patch?key={key}", make.id);
    let reply = scene.server.get(&path).header("job-token", &make.token);
    let reply = reply.send().await;
    assert_eq!(reply.status, status);
    assert!(reply.text().contains(text) && reply.text().contains(key));
}
