//! Which role may do what with pipelines and jobs.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::{ProjectId, RefKind, Timestamp, UserId};
use tappet_server::secrets;
use tappet_store::{Member, NewAccessToken, NewProtectedRef, NewUser, Profile};

use super::{PIPELINE, Scene, assert_reply, runner};

const NOW: Timestamp = Timestamp(1_770_000_000_000_000);

/// A new person with this access level in the project (0: none); gives their
/// id and token.
async fn person(scene: &Scene, level: u32) -> (UserId, String) {
    let store = &scene.server.app().store;
    let name = format!("person{level}");
    let account = store
        .create_user(NewUser {
            username: name.clone(),
            name: name.clone(),
            email: format!("{name}@example.com"),
            is_admin: false,
            is_external: false,
            password: None,
            profile: Profile::default(),
            now: NOW,
        })
        .await
        .unwrap();
    let user_id = account.user.id;
    if level > 0 {
        let member = Member {
            project_id: ProjectId(scene.project),
            user_id,
            level,
            expires_at: None,
            created_by: None,
            created_at: NOW,
        };
        store.add_member(member).await.unwrap();
    }
    let token = format!("glpat-{name}");
    store
        .create_access_token(NewAccessToken {
            user_id,
            name: "test".into(),
            description: String::new(),
            scopes: vec!["api".into()],
            hash: secrets::hash(&token),
            expires_at: None,
            now: NOW,
        })
        .await
        .unwrap();
    (user_id, token)
}

/// Statuses for nobody, a stranger, guest, reporter, developer, maintainer and
/// owner of a private project whose first job failed with a log.
#[rstest]
#[case("GET", "/pipelines", [404, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/pipelines/RUN", [404, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/pipelines/latest", [404, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/pipelines/RUN/jobs", [404, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/pipelines/RUN/bridges", [404, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/pipelines/RUN/variables", [401, 404, 403, 403, 403, 200, 200])]
#[case("POST", "/pipelines/RUN/cancel", [401, 404, 403, 403, 200, 200, 200])]
#[case("POST", "/pipelines/RUN/retry", [401, 404, 403, 403, 201, 201, 201])]
#[case("PUT", "/pipelines/RUN/metadata?name=x", [401, 404, 403, 403, 200, 200, 200])]
#[case("DELETE", "/pipelines/RUN", [401, 404, 403, 403, 403, 403, 204])]
#[case("GET", "/jobs", [401, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/jobs/JOB", [401, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/jobs/JOB/trace", [401, 404, 200, 200, 200, 200, 200])]
#[case("GET", "/jobs/JOB/artifacts", [404, 404, 404, 404, 404, 404, 404])]
#[case("POST", "/jobs/JOB/cancel", [401, 404, 403, 403, 201, 201, 201])]
#[case("POST", "/jobs/JOB/cancel?force=true", [401, 404, 403, 403, 403, 201, 201])]
#[case("POST", "/jobs/JOB/retry", [401, 404, 403, 403, 201, 201, 201])]
#[case("POST", "/jobs/JOB/play", [401, 404, 403, 403, 400, 400, 400])]
#[case("POST", "/jobs/JOB/erase", [401, 404, 403, 403, 403, 201, 201])]
#[case("POST", "/jobs/JOB/artifacts/keep", [401, 404, 403, 403, 404, 404, 404])]
#[case("DELETE", "/jobs/JOB/artifacts", [401, 404, 403, 403, 403, 204, 204])]
#[case("DELETE", "/artifacts", [401, 404, 403, 403, 403, 202, 202])]
#[tokio::test]
async fn each_call_begins_at_a_role(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: [u16; 7],
) {
    let roles = [
        None,
        Some(0),
        Some(10),
        Some(20),
        Some(30),
        Some(40),
        Some(50),
    ];
    let mut got = Vec::new();
    for level in roles {
        let scene = Scene::new().await;
        let run = scene.run().await;
        let job = runner::take(&scene.server).await;
        job.log(0, b"words").await;
        job.end("failed").await;
        let path = path
            .replace("RUN", &run.to_string())
            .replace("JOB", &job.id.to_string());
        let mut request = scene.server.request(method, &scene.path(&path));
        if let Some(level) = level {
            let (_, token) = person(&scene, level).await;
            request = request.header("private-token", &token);
        }
        let reply = request.send().await;
        let forbidden = json!({ "message": "403 Forbidden" });
        if reply.status == 403 {
            assert_eq!(reply.json(), forbidden, "{level:?}");
        }
        got.push(reply.status);
    }
    assert_eq!(got, expected);
}

#[rstest]
#[case("true", 10, 403)]
#[case("TRUE", 20, 403)]
#[case("true", 30, 200)]
#[case("false", 10, 200)]
#[tokio::test]
async fn a_log_with_debug_output_is_for_developers(
    #[case] value: &str,
    #[case] level: u32,
    #[case] status: u16,
) {
    let scene = Scene::new().await;
    scene
        .run_with(&format!("ref=main&variables[CI_DEBUG_TRACE]={value}"))
        .await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"secret").await;
    job.end("success").await;
    let (_, token) = person(&scene, level).await;
    for rest in ["", "/events"] {
        let path = scene.path(&format!("/jobs/{}/trace{rest}", job.id));
        let request = scene.server.get(&path).header("private-token", &token);
        let reply = request.send().await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(reply.text().contains("secret"), status == 200);
    }
}

#[tokio::test]
async fn a_developer_erases_what_they_started_themselves() {
    let scene = Scene::with_file(PIPELINE).await;
    let (_, token) = person(&scene, 30).await;
    let start = scene.server.post(&scene.path("/pipeline"));
    let started = start
        .header("private-token", &token)
        .json(&json!({ "ref": "main" }))
        .send()
        .await;
    assert_eq!(started.status, 201, "{}", started.text());
    let job = runner::take(&scene.server).await;
    job.log(0, b"words").await;
    job.end("failed").await;
    let path = scene.path(&format!("/jobs/{}/erase", job.id));
    let erase = || {
        scene
            .server
            .post(&path)
            .header("private-token", &token)
            .send()
    };

    let protection = scene.server.app().store.protect_ref(NewProtectedRef {
        project_id: ProjectId(scene.project),
        kind: RefKind::Branch,
        name: "main".into(),
        push_level: 30,
        merge_level: 40,
        allow_force_push: false,
        now: NOW,
    });
    let protection = protection.await.unwrap();
    assert_reply(&erase().await, 403, &json!({ "message": "403 Forbidden" }));
    let opened = scene.server.app().store.unprotect_ref(protection.id);
    assert!(opened.await.unwrap());
    let erased = erase().await;
    assert_eq!(erased.status, 201, "{}", erased.text());
    assert_ne!(erased.json()["erased_at"], Value::Null);
}
