//! Version 3 of the API, as scripts of GitLab 8 and 9 use it, and the trigger of
//! GitLab CI 7.14.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestReply;

use super::person::{DEVELOPER, MAINTAINER, Person};
use super::{Scene, assert_reply};

impl Scene {
    fn v3(&self, rest: &str) -> String {
        format!("/api/v3/projects/{}{rest}", self.project)
    }

    async fn get_v3(&self, rest: &str) -> TestReply {
        self.server.get(&self.v3(rest)).root().send().await
    }
}

async fn fire(scene: &Scene, form: &str) -> TestReply {
    let token = scene.server.trigger(scene.project).await;
    let form = form.replace("TOKEN", &token);
    let path = scene.v3("/trigger/builds");
    scene.server.post(&path).form(&form).send().await
}

#[tokio::test]
async fn a_trigger_answers_with_its_request_and_the_runs_id() {
    let scene = Scene::new().await;
    let reply = fire(&scene, "token=TOKEN&ref=main&variables[A]=b").await;
    let run = &scene.get("/pipelines").await.json()[0];
    let body = json!({ "id": run["id"], "variables": { "A": "b" } });
    assert_reply(&reply, 201, &body);
    assert_eq!(run["source"], "trigger");
    let reply = fire(&scene, "token=TOKEN&ref=main").await;
    assert_eq!(
        (reply.status, &reply.json()["variables"]),
        (201, &json!({}))
    );
}

#[rstest]
#[case(40)]
#[case(7)]
#[tokio::test]
async fn a_commit_is_built_by_its_id(#[case] digits: usize) {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let first = tappet_server::testing::git(&repository, &["rev-parse", "HEAD"]);
    tappet_server::testing::commit(&repository, &[("README", "new")], "Newer");
    let written = &first[..digits];
    let reply = fire(&scene, &format!("token=TOKEN&ref={written}")).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = scene
        .get(&format!("/pipelines/{}", reply.json()["id"]))
        .await
        .json();
    assert_eq!(shown["sha"], first);
    assert_eq!(shown["ref"], written);
    assert_eq!(shown["tag"], false);
}

#[rstest]
#[case("feature%2Fx")]
#[case("feature/x")]
#[tokio::test]
async fn the_ref_may_stand_in_the_address(#[case] written: &str) {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    tappet_server::testing::git(&repository, &["branch", "feature/x"]);
    let token = scene.server.trigger(scene.project).await;
    let path = scene.v3(&format!("/ref/{written}/trigger/builds?token={token}"));
    let hook = json!({ "ref": "refs/heads/main" });
    let reply = scene.server.post(&path).json(&hook).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = scene
        .get(&format!("/pipelines/{}", reply.json()["id"]))
        .await;
    assert_eq!(run.json()["ref"], "feature/x");
}

#[rstest]
#[case("", 400, json!({ "error": "ref is missing, token is missing" }))]
#[case("ref=main", 400, json!({ "error": "token is missing" }))]
#[case("token=TOKEN", 400, json!({ "error": "ref is missing" }))]
#[case("token=TOKEN&ref=main&variables=x", 400, json!({ "error": "variables is invalid" }))]
#[case("token=TOKEN&ref=main&variables=", 400, json!({ "error": "variables is invalid" }))]
#[case("token=TOKEN&ref=main&variables[A][]=x", 400, json!({ "message": "variables needs to be a map of key-valued strings" }))]
#[case("token=unknown&ref=main", 404, json!({ "message": "404 Not Found" }))]
#[case("token=TOKEN&ref=nowhere", 400, json!({ "message": { "base": ["Reference not found"] } }))]
#[case("token=TOKEN&ref=", 400, json!({ "message": { "base": ["Reference not found"] } }))]
#[case("token=TOKEN&ref=0123456789abcdef0123456789abcdef01234567", 400, json!({ "message": { "base": ["Reference not found"] } }))]
#[tokio::test]
async fn refusals_are_those_of_gitlab_9_5(
    #[case] form: &str,
    #[case] status: u16,
    #[case] body: Value,
) {
    let scene = Scene::new().await;
    assert_reply(&fire(&scene, form).await, status, &body);
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn unknown_projects_and_foreign_tokens_look_the_same() {
    let scene = Scene::new().await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let foreign = scene.server.trigger(other).await;
    let not_found = json!({ "message": "404 Not Found" });
    for project in ["999".to_owned(), scene.project.to_string()] {
        let path = format!("/api/v3/projects/{project}/trigger/builds");
        let form = format!("token={foreign}&ref=main");
        let reply = scene.server.post(&path).form(&form).send().await;
        assert_reply(&reply, 404, &not_found);
    }
}

#[tokio::test]
async fn a_missing_file_and_nothing_to_run_have_their_old_words() {
    let scene = Scene::with_file(("README", "no pipeline here")).await;
    let reply = fire(&scene, "token=TOKEN&ref=main").await;
    let body = json!({ "message": { "base": ["Missing .gitlab-ci.yml file"] } });
    assert_reply(&reply, 400, &body);
    let file = "job:\n  script: x\n  only: [web]\n";
    let scene = Scene::with_file((".gitlab-ci.yml", file)).await;
    let reply = fire(&scene, "token=TOKEN&ref=main").await;
    let body = json!({ "message": { "base": ["No stages / jobs for this pipeline."] } });
    assert_reply(&reply, 400, &body);
}

#[tokio::test]
async fn a_wrong_file_is_a_failed_run_not_a_failed_request() {
    let scene = Scene::with_file((".gitlab-ci.yml", "broken:\n  script: 1\n  x: 1\n")).await;
    let reply = fire(&scene, "token=TOKEN&ref=main").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let run = scene
        .get(&format!("/pipelines/{}", reply.json()["id"]))
        .await;
    assert_eq!(run.json()["status"], "failed");
}

#[tokio::test]
async fn jobs_get_the_old_names_of_variables_beside_todays() {
    let scene = Scene::new().await;
    let reply = fire(&scene, "token=TOKEN&ref=main").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let body = json!({ "token": scene.server.runner_token(), "system_id": "s_test" });
    let payload = scene
        .server
        .post("/api/v4/jobs/request")
        .json(&body)
        .send()
        .await
        .json();
    let value = |name: &str| {
        let variables = payload["variables"].as_array().unwrap();
        let found = variables.iter().find(|variable| variable["key"] == name);
        found.map(|variable| variable["value"].clone())
    };
    for (old, today) in [
        ("CI_BUILD_ID", "CI_JOB_ID"),
        ("CI_BUILD_REF", "CI_COMMIT_SHA"),
        ("CI_BUILD_REF_NAME", "CI_COMMIT_REF_NAME"),
        ("CI_BUILD_TRIGGERED", "CI_PIPELINE_TRIGGERED"),
        ("CI_BUILD_TOKEN", "CI_JOB_TOKEN"),
    ] {
        assert!(value(old).is_some(), "{old}");
        assert_eq!(value(old), value(today), "{old}");
    }
    assert_eq!(value("CI_BUILD_TAG"), None);
    assert_eq!(value("TRIGGER_PAYLOAD"), None);
}

#[tokio::test]
async fn triggers_are_known_by_their_tokens() {
    let scene = Scene::new().await;
    let path = scene.v3("/triggers");
    let created = scene.server.post(&path).root().send().await;
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    let token = created["token"].as_str().unwrap();
    let is_hex = token.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(token.len() == 30 && is_hex, "{token}");
    let keys: Vec<&String> = created.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "token",
            "created_at",
            "updated_at",
            "deleted_at",
            "last_used",
            "owner"
        ]
    );
    let one = format!("/triggers/{token}");
    assert_reply(&scene.get_v3(&one).await, 200, &created);
    assert_reply(&scene.get_v3("/triggers").await, 200, &json!([created]));

    let delete = || scene.server.request("DELETE", &scene.v3(&one)).root();
    let deleted = delete().send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert!(deleted.json()["deleted_at"].is_string());
    assert_eq!(deleted.json()["token"], token);
    let gone = json!({ "message": "404 Trigger Not Found" });
    assert_reply(&delete().send().await, 404, &gone);
    assert_reply(&scene.get_v3(&one).await, 404, &gone);
}

#[rstest]
#[case("GET", "/triggers")]
#[case("GET", "/triggers/abc")]
#[case("POST", "/triggers")]
#[case("DELETE", "/triggers/abc")]
#[tokio::test]
async fn triggers_are_for_masters(#[case] method: &str, #[case] rest: &str) {
    let scene = Scene::new().await;
    let developer = Person::member(&scene.server, "dev", scene.project, DEVELOPER).await;
    let path = scene.v3(rest);
    let request = || scene.server.request(method, &path);
    let reply = developer.with(request()).send().await;
    assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    let reply = request().send().await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
}

#[rstest]
#[case("/api/v3/nothing")]
#[case("/api/v3")]
#[case("/ci/api/v1/builds/register.json")]
#[tokio::test]
async fn unknown_addresses_answer_in_the_shape_of_the_api(#[case] path: &str) {
    let scene = Scene::new().await;
    for method in ["GET", "POST", "DELETE"] {
        let reply = scene.server.request(method, path).send().await;
        assert_reply(&reply, 404, &json!({ "error": "404 Not Found" }));
    }
}

#[tokio::test]
async fn projects_tell_their_ids_to_old_scripts() {
    let scene = Scene::new().await;
    let member = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    scene.server.project("acme/other", &[super::PIPELINE]).await;
    let list = member
        .with(scene.server.get("/api/v3/projects"))
        .send()
        .await;
    assert_eq!(list.status, 200, "{}", list.text());
    let list = list.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["id"], scene.project);
    assert_eq!(list[0]["path_with_namespace"], "acme/web");
    assert_eq!(list[0]["visibility_level"], 0);
    let one = scene
        .server
        .get("/api/v3/projects/acme%2Fweb")
        .root()
        .send()
        .await;
    assert_eq!(one.json()["id"], scene.project);
    assert_eq!(one.json()["default_branch"], "main");
    let version = scene.server.get("/api/v3/version").root().send().await;
    assert_eq!(version.status, 200);
    let nobody = scene.server.get("/api/v3/projects").send().await;
    assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
}

#[tokio::test]
async fn pipelines_have_three_scopes() {
    let scene = Scene::new().await;
    scene.run().await;
    let newest = scene.run().await;
    let branches = scene.get_v3("/pipelines?scope=branches").await.json();
    assert_eq!(branches.as_array().unwrap().len(), 1);
    assert_eq!(branches[0]["id"], newest);
    assert!(branches[0]["before_sha"].is_string());
    assert_reply(
        &scene.get_v3("/pipelines?scope=tags").await,
        200,
        &json!([]),
    );
    let reply = scene.get_v3("/pipelines?scope=finished").await;
    let error = json!({ "error": "scope does not have a valid value" });
    assert_reply(&reply, 400, &error);
}

#[rstest]
#[case("/api/v1")]
#[case("/ci/api/v1")]
#[tokio::test]
async fn the_trigger_of_gitlab_ci_7_14_works_at_both_addresses(#[case] base: &str) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let at = |ref_name: &str| format!("{base}/projects/{}/refs/{ref_name}/trigger", scene.project);
    let fire =
        async |ref_name: &str, form: &str| scene.server.post(&at(ref_name)).form(form).send().await;
    let good = format!("token={token}&variables[A]=b");
    let reply = fire("main", &good).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["variables"], json!({ "A": "b" }));

    let said = |text: &str| json!({ "message": text });
    let reply = fire("main", "").await;
    assert_reply(&reply, 400, &said("400 (Bad request) \"token\" not given"));
    let reply = fire("main", &format!("token={token}&variables=x")).await;
    assert_reply(&reply, 400, &said("variables needs to be a hash"));
    let reply = fire("nowhere", &good).await;
    assert_reply(&reply, 400, &said("No builds created"));
    let reply = fire("main", "token=unknown").await;
    assert_reply(&reply, 404, &said("404 Not Found"));
}

#[tokio::test]
async fn builds_are_listed_shown_and_steered() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = scene.job(run, "build").await;
    let build = scene.get_v3(&format!("/builds/{}", job["id"])).await;
    assert_eq!(build.status, 200, "{}", build.text());
    let build = build.json();
    let keys: Vec<&String> = build.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "status",
            "stage",
            "name",
            "ref",
            "tag",
            "coverage",
            "created_at",
            "started_at",
            "finished_at",
            "user",
            "commit",
            "runner",
            "pipeline"
        ]
    );
    let sha = build["commit"]["id"].as_str().unwrap();
    let pipeline = &build["pipeline"];
    assert_eq!(
        *pipeline,
        json!({ "id": run, "sha": sha, "ref": "main", "status": pipeline["status"] })
    );
    let all = scene.get_v3("/builds").await.json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let pending = scene
        .get_v3("/builds?scope[0]=pending&scope[1]=running")
        .await;
    assert_eq!(pending.json(), json!([build]));
    let of_commit = format!("/repository/commits/{sha}/builds?scope=pending");
    assert_eq!(scene.get_v3(&of_commit).await.json(), json!([build]));

    let id = &job["id"];
    let post = async |verb: &str| {
        let path = scene.v3(&format!("/builds/{id}/{verb}"));
        scene.server.post(&path).root().send().await
    };
    let said = |text: &str| json!({ "message": text });
    let reply = post("retry").await;
    assert_reply(&reply, 403, &said("403 Forbidden - Build is not retryable"));
    let reply = post("erase").await;
    assert_reply(&reply, 403, &said("403 Forbidden - Build is not erasable!"));
    let reply = post("play").await;
    assert_reply(
        &reply,
        400,
        &said("400 (Bad request) \"Unplayable Job\" not given"),
    );
    assert_reply(&post("artifacts/keep").await, 404, &said("404 Not Found"));
    let reply = post("cancel").await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("canceled"))
    );
    let reply = post("retry").await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("pending"))
    );
}

#[rstest]
#[case("/builds/999", 404, json!({ "message": "404 Not Found" }))]
#[case("/builds/999/trace", 404, json!({ "message": "404 Not Found" }))]
#[case("/builds/999/artifacts", 404, json!({ "message": "404 Not Found" }))]
#[case("/repository/commits/1a271fd1/builds", 404, json!({ "message": "404 Not Found" }))]
#[case("/builds?scope=unknown", 400, json!({ "error": "scope does not have a valid value" }))]
#[case("/builds/artifacts/main/download", 400, json!({ "error": "job is missing" }))]
#[tokio::test]
async fn builds_that_are_not_there_have_the_bare_404(
    #[case] rest: &str,
    #[case] status: u16,
    #[case] body: Value,
) {
    let scene = Scene::new().await;
    assert_reply(&scene.get_v3(rest).await, status, &body);
    let nobody = scene.server.get(&scene.v3(rest)).send().await;
    assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
}
