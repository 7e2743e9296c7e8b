//! Whose a trigger is, who may change it, and as whom its runs go.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::{ProjectId, RefKind};
use tappet_server::testing::TestReply;
use tappet_store::NewProtectedRef;

use super::person::{DEVELOPER, MAINTAINER, Person, REPORTER};
use super::{Scene, assert_reply};

const LEGACY: &str = "0123456789abcdef0123456789abcd";

async fn created_by(scene: &Scene, person: &Person) -> Value {
    let request = scene.server.post(&scene.path("/triggers"));
    let body = json!({ "description": "x" });
    let reply = person.with(request).json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

async fn imported(scene: &Scene) -> Value {
    let reply = import(scene, json!({ "token": LEGACY, "description": "old" })).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

async fn import(scene: &Scene, body: Value) -> TestReply {
    let request = scene.server.post(&scene.path("/triggers/import"));
    request.root().json(&body).send().await
}

async fn fire(scene: &Scene, token: &str, rest: &str) -> TestReply {
    let request = scene.server.post(&scene.path("/trigger/pipeline"));
    request.form(&format!("token={token}&{rest}")).send().await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn other_maintainers_see_four_characters_everywhere() {
    let scene = Scene::new().await;
    let owner = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let other = Person::member(&scene.server, "bob", scene.project, MAINTAINER).await;
    let trigger = created_by(&scene, &owner).await;
    let token = text(&trigger["token"]);
    let short = &token["glptt-".len()..][..4];
    let one = scene.path(&format!("/triggers/{}", trigger["id"]));
    let list = scene.path("/triggers");
    let shown = async |person: &Person| {
        let one = person.with(scene.server.get(&one)).send().await.json();
        let all = person.with(scene.server.get(&list)).send().await.json();
        [one["token"].clone(), all[0]["token"].clone()]
    };
    assert_eq!(shown(&owner).await, [token, token]);
    assert_eq!(shown(&other).await, [short, short]);
    let root = scene.get(&format!("/triggers/{}", trigger["id"])).await;
    assert_eq!(root.json()["token"], token);
}

#[tokio::test]
async fn an_update_is_for_the_owner_while_a_maintainer_and_for_administrators() {
    let scene = Scene::new().await;
    let owner = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let other = Person::member(&scene.server, "bob", scene.project, MAINTAINER).await;
    let developer = Person::member(&scene.server, "dev", scene.project, DEVELOPER).await;
    let trigger = created_by(&scene, &owner).await;
    let path = scene.path(&format!("/triggers/{}", trigger["id"]));
    let put = || scene.server.request("PUT", &path);
    let body = json!({ "description": "new" });

    let updated = owner.with(put()).json(&body).send().await;
    assert_eq!(updated.status, 200, "{}", updated.text());
    assert_eq!(updated.json()["description"], "new");
    assert_eq!(updated.json()["token"], trigger["token"]);
    let by_root = put()
        .root()
        .json(&json!({ "description": "root" }))
        .send()
        .await;
    assert_eq!(by_root.json()["description"], "root");
    let nothing = owner.with(put()).send().await;
    assert_eq!(
        (nothing.status, &nothing.json()["description"]),
        (200, &json!("root"))
    );

    let text = "403 Forbidden - The current user is not authorized to update the pipeline \
                trigger token";
    let refused = other.with(put()).json(&body).send().await;
    assert_reply(&refused, 403, &json!({ "message": text }));
    let refused = developer.with(put()).json(&body).send().await;
    assert_reply(&refused, 403, &json!({ "message": "403 Forbidden" }));
    let refused = put().json(&body).send().await;
    assert_reply(&refused, 401, &json!({ "message": "401 Unauthorized" }));

    owner.leave(&scene.server, scene.project).await;
    owner.join(&scene.server, scene.project, DEVELOPER).await;
    let refused = owner.with(put()).json(&body).send().await;
    assert_reply(&refused, 403, &json!({ "message": "403 Forbidden" }));

    let missing = scene.path("/triggers/9999");
    let refused = scene
        .server
        .request("PUT", &missing)
        .root()
        .json(&body)
        .send()
        .await;
    assert_reply(&refused, 404, &json!({ "message": "404 Not found" }));
}

#[rstest]
#[case("GET", "")]
#[case("GET", "/1")]
#[case("POST", "")]
#[case("POST", "/import")]
#[case("PUT", "/1")]
#[case("POST", "/1/take_ownership")]
#[case("DELETE", "/1")]
#[tokio::test]
async fn triggers_are_for_maintainers(#[case] method: &str, #[case] rest: &str) {
    let scene = Scene::new().await;
    let developer = Person::member(&scene.server, "dev", scene.project, DEVELOPER).await;
    let stranger = Person::new(&scene.server, "eve").await;
    let path = scene.path(&format!("/triggers{rest}"));
    let request = || scene.server.request(method, &path);
    let body = json!({ "description": "x", "token": LEGACY });
    let reply = developer.with(request()).json(&body).send().await;
    assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    let reply = stranger.with(request()).json(&body).send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Project Not Found" }));
    let reply = request().json(&body).send().await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
}

#[tokio::test]
async fn a_trigger_taken_over_runs_as_its_new_owner() {
    let scene = Scene::new().await;
    let owner = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let other = Person::member(&scene.server, "bob", scene.project, MAINTAINER).await;
    let trigger = created_by(&scene, &owner).await;
    let token = text(&trigger["token"]);
    let run = fire(&scene, token, "ref=main").await.json();
    assert_eq!(run["user"]["username"], "ann");

    let path = scene.path(&format!("/triggers/{}/take_ownership", trigger["id"]));
    let taken = other.with(scene.server.post(&path)).send().await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(taken.json()["owner"]["username"], "bob");
    assert_eq!(taken.json()["token"], token);
    let run = fire(&scene, token, "ref=main").await.json();
    assert_eq!(run["user"]["username"], "bob");
    let jobs = scene.get(&format!("/pipelines/{}/jobs", run["id"])).await;
    assert_eq!(jobs.json()[0]["user"]["username"], "bob");
}

#[tokio::test]
async fn a_run_has_the_rights_that_its_owner_has_now() {
    let scene = Scene::new().await;
    let owner = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let trigger = created_by(&scene, &owner).await;
    let token = text(&trigger["token"]).to_owned();
    let server = &scene.server;
    assert_eq!(fire(&scene, &token, "ref=main").await.status, 201);

    let insufficient = json!({ "message": { "base": [
        "Insufficient permissions to create a new pipeline"
    ] } });
    owner.leave(server, scene.project).await;
    owner.join(server, scene.project, REPORTER).await;
    let reply = fire(&scene, &token, "ref=main").await;
    assert_reply(&reply, 400, &insufficient);

    owner.leave(server, scene.project).await;
    let reply = fire(&scene, &token, "ref=main").await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));

    owner.join(server, scene.project, MAINTAINER).await;
    server
        .app()
        .store
        .set_blocked(owner.id, true)
        .await
        .unwrap();
    let reply = fire(&scene, &token, "ref=main").await;
    assert_reply(&reply, 400, &insufficient);
    assert_eq!(scene.runs().await, 1);
}

#[tokio::test]
async fn variables_of_a_trigger_need_the_role_that_the_project_sets() {
    let scene = Scene::new().await;
    let owner = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let trigger = created_by(&scene, &owner).await;
    let token = text(&trigger["token"]).to_owned();
    owner.leave(&scene.server, scene.project).await;
    owner.join(&scene.server, scene.project, DEVELOPER).await;
    // The payload that the route adds by itself is free.
    assert_eq!(fire(&scene, &token, "ref=main").await.status, 201);
    let reply = fire(&scene, &token, "ref=main&variables[A]=1").await;
    let text = "Insufficient permissions to set pipeline variables";
    assert_reply(&reply, 400, &json!({ "message": { "base": [text] } }));
}

#[tokio::test]
async fn a_legacy_trigger_has_no_owner_and_its_runs_have_no_user() {
    let scene = Scene::new().await;
    let trigger = imported(&scene).await;
    assert_eq!(trigger["owner"], Value::Null);
    assert_eq!(trigger["token"], LEGACY);
    assert_eq!(trigger["description"], "old");
    let run = fire(&scene, LEGACY, "ref=main&variables[A]=1").await;
    assert_eq!(run.status, 201, "{}", run.text());
    assert_eq!(run.json()["user"], Value::Null);
    let id = &run.json()["id"];
    let shown = scene.get(&format!("/pipelines/{id}")).await.json();
    assert_eq!(shown["user"], Value::Null);
    let jobs = scene.get(&format!("/pipelines/{id}/jobs")).await.json();
    assert_eq!(jobs[0]["user"], Value::Null);
    let short = scene.get("/triggers").await.json()[0]["last_used"].clone();
    assert_eq!(short, run.json()["created_at"]);
}

#[tokio::test]
async fn a_legacy_trigger_keeps_out_of_protected_refs_and_other_projects() {
    let scene = Scene::new().await;
    imported(&scene).await;
    protect_main(&scene).await;
    let reply = fire(&scene, LEGACY, "ref=main").await;
    let text = "You do not have sufficient permission to run a pipeline on 'main'. Please select \
                a different branch or contact your administrator for assistance.";
    assert_reply(&reply, 400, &json!({ "message": { "base": [text] } }));
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let path = format!("/api/v4/projects/{other}/trigger/pipeline");
    let form = format!("token={LEGACY}&ref=main");
    let reply = scene.server.post(&path).form(&form).send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
}

async fn protect_main(scene: &Scene) {
    let main = NewProtectedRef {
        project_id: ProjectId(scene.project),
        kind: RefKind::Branch,
        name: "main".into(),
        push_level: MAINTAINER,
        merge_level: MAINTAINER,
        allow_force_push: false,
        now: tappet_server::clock::now(),
    };
    scene.server.app().store.protect_ref(main).await.unwrap();
}

#[rstest]
#[case(json!({}), json!({ "error": "token is missing" }))]
#[case(json!({ "token": "short" }), refusal("must have 20 to 255 printable characters without spaces"))]
#[case(json!({ "token": "glpat-0123456789abcdefghij" }), refusal("is another kind of token; give the token of a pipeline trigger"))]
#[tokio::test]
async fn what_was_no_trigger_token_cannot_be_imported(#[case] body: Value, #[case] error: Value) {
    let scene = Scene::new().await;
    assert_reply(&import(&scene, body).await, 400, &error);
}

fn refusal(text: &str) -> Value {
    let inner = json!({ "token": [text] });
    json!({ "message": format!("400 Bad request - {inner}") })
}

#[tokio::test]
async fn a_revoked_token_cannot_be_imported_again() {
    let scene = Scene::new().await;
    let id = imported(&scene).await["id"].clone();
    let path = scene.path(&format!("/triggers/{id}"));
    let reply = scene.server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 204);
    let reply = import(&scene, json!({ "token": LEGACY })).await;
    assert_reply(&reply, 400, &refusal("has already been taken"));
    let reply = fire(&scene, LEGACY, "ref=main").await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
}

#[tokio::test]
async fn a_project_has_only_so_many_triggers() {
    let server = tappet_server::testing::TestServer::start_with(|config| {
        config.limits.triggers_per_project = 1;
    })
    .await;
    let project = server.project("acme/web", &[super::PIPELINE]).await;
    let scene = Scene { server, project };
    imported(&scene).await;
    let path = scene.path("/triggers");
    let body = json!({ "description": "x" });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    let inner = json!({ "base": ["Maximum number of pipeline triggers (1) exceeded"] });
    let text = format!("400 Bad request - {inner}");
    assert_reply(&reply, 400, &json!({ "message": text }));
}

/// What somebody may learn from how long an answer takes is how much was looked
/// up for it.
#[tokio::test]
async fn every_404_costs_the_same_look_ups() {
    let scene = Scene::new().await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let foreign = scene.server.trigger(other).await;
    let good = scene.server.trigger(scene.project).await;
    let gone = Person::member(&scene.server, "ann", scene.project, MAINTAINER).await;
    let blind = created_by(&scene, &gone).await["token"].clone();
    gone.leave(&scene.server, scene.project).await;
    let revoked = scene.server.trigger(scene.project).await;
    let path = scene.path("/triggers/4");
    let revoke = scene.server.request("DELETE", &path).root();
    assert_eq!(revoke.send().await.status, 204);
    let here = scene.project.to_string();
    // A path costs more than a number, known or not.
    let by_number = [
        ("999", good.as_str()),
        (&here, "glptt-unknown"),
        (&here, &foreign),
        (&here, text(&blind)),
        (&here, &revoked),
        ("999", &revoked),
    ];
    let by_path = [
        ("acme%2Fnothing", good.as_str()),
        ("acme%2Fweb", "glptt-unknown"),
        ("acme%2Fweb", &foreign),
        ("ACME%2Fweb", text(&blind)),
        ("acme%2Fweb", &revoked),
        ("acme%2Fnothing", &revoked),
    ];
    for cases in [by_number, by_path] {
        let reads = reads_of_refusals(&scene, cases).await;
        assert!(reads.iter().all(|count| *count == reads[0]), "{reads:?}");
        assert!(reads[0] >= 4, "{reads:?}");
    }
}

/// How much is read until each of these tokens is refused for its project.
async fn reads_of_refusals(scene: &Scene, cases: [(&str, &str); 6]) -> Vec<usize> {
    let store = &scene.server.app().store;
    let mut reads = Vec::new();
    for (project, token) in cases {
        let path = format!("/api/v4/projects/{project}/trigger/pipeline");
        let before = store.reads();
        let form = format!("token={token}&ref=main");
        let reply = scene.server.post(&path).form(&form).send().await;
        assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
        reads.push(store.reads() - before);
    }
    reads
}
