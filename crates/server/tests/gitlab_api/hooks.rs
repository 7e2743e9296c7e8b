//! Webhooks out: settings, deliveries, and what keeps them from harm.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use http::{HeaderMap, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::{PIPELINE, Scene, assert_reply};

/// A receiver that keeps what it gets, and answers as it is told.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Answers with these statuses first, then with 200.
    pub async fn start(answers: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            got: Arc::default(),
            answers: Arc::new(Mutex::new(answers.to_vec())),
        };
        let app = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// What came so far.
    pub fn got(&self) -> Vec<(HeaderMap, Value)> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until `done` holds of what was received.
    pub async fn until(
        &self,
        done: impl Fn(&[(HeaderMap, Value)]) -> bool,
    ) -> Vec<(HeaderMap, Value)> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let got = self.got();
            if done(&got) {
                return got;
            }
            let statuses: Vec<_> = got.iter().map(|(_, body)| told(body)).collect();
            assert!(Instant::now() < deadline, "received only {statuses:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap();
    receiver.got.lock().unwrap().push((parts.headers, body));
    let mut answers = receiver.answers.lock().unwrap();
    let status = match answers.is_empty() {
        true => 200,
        false => answers.remove(0),
    };
    StatusCode::from_u16(status).unwrap()
}

/// Kind and status that a body tells of.
pub fn told(body: &Value) -> (String, String) {
    let kind = body["object_kind"].as_str().unwrap().to_owned();
    let status = match kind.as_str() {
        "pipeline" => &body["object_attributes"]["status"],
        _ => &body["build_status"],
    };
    (kind, status.as_str().unwrap().to_owned())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// A server that does not wait long.
pub async fn server(change: impl FnOnce(&mut tappet_server::Config)) -> Scene {
    let server = TestServer::start_with(|config| {
        config.hook_rest = Duration::from_millis(60);
        change(config);
    })
    .await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    Scene { server, project }
}

pub async fn add(scene: &Scene, body: &Value) -> TestReply {
    let request = scene.server.post(&scene.path("/hooks")).root();
    request.json(body).send().await
}

async fn put(scene: &Scene, id: &Value, body: &Value) -> TestReply {
    let path = scene.path(&format!("/hooks/{id}"));
    scene
        .server
        .request("PUT", &path)
        .root()
        .json(body)
        .send()
        .await
}

#[tokio::test]
async fn a_webhook_is_told_of_every_change_in_order() {
    let receiver = Receiver::start(&[]).await;
    let scene = server(|_| {}).await;
    let hook = add(
        &scene,
        &json!({ "url": receiver.url, "pipeline_events": true, "job_events": true, "token": "s3cr3t" }),
    )
    .await;
    assert_eq!(hook.status, 201, "{}", hook.text());
    let run = scene.run_with("ref=main&variables[PASSWORD]=hunter2").await;
    let cancel = format!("/pipelines/{run}/cancel");
    assert_eq!(scene.post(&cancel).await.status, 200);
    let got = receiver
        .until(|got| {
            got.iter()
                .any(|(_, body)| told(body) == ("pipeline".into(), "canceled".into()))
        })
        .await;
    let statuses: Vec<_> = got.iter().map(|(_, body)| told(body)).collect();
    let expected = [
        ("build", "pending"),
        ("pipeline", "pending"),
        ("build", "canceled"),
        ("build", "canceled"),
        ("pipeline", "canceled"),
    ]
    .map(|(kind, status)| (kind.to_owned(), status.to_owned()));
    assert_eq!(statuses, expected);

    let (headers, body) = &got[1];
    assert_eq!(header(headers, "x-gitlab-event"), "Pipeline Hook");
    assert_eq!(header(headers, "x-gitlab-token"), "s3cr3t");
    assert_eq!(header(headers, "x-gitlab-instance"), scene.server.url());
    assert_eq!(header(headers, "content-type"), "application/json");
    assert!(header(headers, "user-agent").starts_with("GitLab/"));
    for name in [
        "x-gitlab-webhook-uuid",
        "x-gitlab-event-uuid",
        "idempotency-key",
    ] {
        assert_eq!(header(headers, name).len(), 36, "{name}");
    }
    let run_facts = &body["object_attributes"];
    assert_eq!(run_facts["id"], run);
    assert_eq!(run_facts["source"], "trigger");
    assert_eq!(run_facts["stages"], json!(["build", "test"]));
    assert!(run_facts["created_at"].as_str().unwrap().ends_with(" UTC"));
    assert_eq!(body["builds"][0]["name"], "build");
    assert_eq!(body["builds"][0]["when"], "on_success");
    assert_eq!(body["project"]["path_with_namespace"], "acme/web");
    assert_eq!(body["user"]["username"], "root");
    assert_eq!(body["commit"]["title"], "Initial commit");

    let (headers, body) = &got[0];
    assert_eq!(header(headers, "x-gitlab-event"), "Job Hook");
    assert_eq!(body["build_name"], "build");
    assert_eq!(body["pipeline_id"], run);
    assert_eq!(body["commit"]["id"], run);
    assert_eq!(body["project_name"], "acme / web");
}

#[tokio::test]
async fn a_webhook_is_told_what_a_job_works_on() {
    let receiver = Receiver::start(&[]).await;
    let server = TestServer::start_with(|config| config.hook_rest = Duration::from_millis(60));
    let server = server.await;
    let file = "a: { script: x, environment: { name: $CI_COMMIT_REF_NAME-eu, action: verify } }\n";
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", file)])
        .await;
    let scene = Scene { server, project };
    let hook = json!({ "url": receiver.url, "pipeline_events": true, "job_events": true });
    add(&scene, &hook).await;
    scene.run_with("ref=main").await;
    let got = receiver.until(|got| got.len() >= 2).await;
    let expected = json!({ "name": "main-eu", "action": "verify", "deployment_tier": "other" });
    assert_eq!(got[0].1["environment"], expected);
    assert_eq!(got[1].1["builds"][0]["environment"], expected);
}

#[tokio::test]
async fn values_of_variables_stay_here() {
    let receiver = Receiver::start(&[]).await;
    let scene = server(|_| {}).await;
    add(
        &scene,
        &json!({ "url": receiver.url, "pipeline_events": true }),
    )
    .await;
    scene.run_with("ref=main&variables[PASSWORD]=hunter2").await;
    let got = receiver.until(|got| !got.is_empty()).await;
    let text = got[0].1.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    let variables = got[0].1["object_attributes"]["variables"]
        .as_array()
        .unwrap();
    assert!(variables.contains(&json!({ "key": "PASSWORD", "value": "[MASKED]" })));
}

#[tokio::test]
async fn a_failed_delivery_is_sent_again_with_the_same_key_and_body() {
    let receiver = Receiver::start(&[500, 302]).await;
    let scene = server(|_| {}).await;
    let hook = add(
        &scene,
        &json!({ "url": receiver.url, "pipeline_events": true }),
    )
    .await;
    scene.run().await;
    let got = receiver.until(|got| got.len() >= 3).await;
    for (headers, body) in &got {
        assert_eq!(
            header(headers, "idempotency-key"),
            header(&got[0].0, "idempotency-key")
        );
        assert_eq!(*body, got[0].1);
    }
    let events = format!("/hooks/{}/events", hook.json()["id"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let event = scene.get(&events).await.json()[0].clone();
        if event["state"] == "delivered" {
            assert_eq!(event["response_status"], "200");
            assert_eq!(event["tries"], 3);
            assert_eq!(event["trigger"], "pipeline_hooks");
            break;
        }
        assert!(Instant::now() < deadline, "{event}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let none = scene.get(&format!("{events}?status=client_failure")).await;
    assert_reply(&none, 200, &json!([]));
    let one = scene.get(&format!("{events}?status=successful")).await;
    assert_eq!(one.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_keeps_failing_is_left_alone() {
    let receiver = Receiver::start(&[500; 50]).await;
    let scene = server(|config| {
        config.hook_rest = Duration::from_millis(6);
        config.limits.hook_end_failures = 6;
    })
    .await;
    let hook = add(&scene, &json!({ "url": receiver.url, "job_events": true })).await;
    let id = hook.json()["id"].clone();
    scene.run().await;
    let shown = async || scene.get(&format!("/hooks/{id}")).await.json();
    let deadline = Instant::now() + Duration::from_secs(20);
    while shown().await["alert_status"] != "disabled" {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(receiver.got().len(), 6);
    scene.run().await;
    let events = scene.get(&format!("/hooks/{id}/events")).await.json();
    for event in events.as_array().unwrap() {
        assert_eq!(event["state"], "given_up", "{event}");
    }
    let updated = put(&scene, &id, &json!({ "name": "again" })).await;
    assert_eq!(updated.json()["alert_status"], "executable");
}

#[tokio::test]
async fn a_delivery_outlives_a_killed_server() {
    let mut scene = server(|config| config.hook_rest = Duration::from_secs(3600)).await;
    let receiver = Receiver::start(&[500]).await;
    add(
        &scene,
        &json!({ "url": receiver.url, "pipeline_events": true }),
    )
    .await;
    let run = scene.run().await;
    receiver.until(|got| got.len() == 1).await;
    scene.server.crash().await;
    // A changed webhook does not rest any more.
    let hooks = scene.get("/hooks").await.json();
    put(&scene, &hooks[0]["id"], &json!({ "pipeline_events": true })).await;
    let got = receiver.until(|got| got.len() >= 2).await;
    assert_eq!(got[1].1["object_attributes"]["id"], run);
    assert_eq!(
        header(&got[1].0, "idempotency-key"),
        header(&got[0].0, "idempotency-key")
    );
}

#[tokio::test]
async fn a_webhook_can_be_tried() {
    let receiver = Receiver::start(&[200, 418]).await;
    let scene = server(|_| {}).await;
    let hook = add(&scene, &json!({ "url": receiver.url })).await;
    let path = format!("/hooks/{}/test", hook.json()["id"]);
    let none = scene.post(&format!("{path}/pipeline_events")).await;
    let text = "Ensure the project has CI pipelines.";
    assert_reply(&none, 422, &json!({ "message": text }));
    scene.run().await;
    let sent = scene.post(&format!("{path}/pipeline_events")).await;
    assert_reply(&sent, 201, &json!({ "message": "201 Created" }));
    assert_eq!(told(&receiver.got()[0].1).0, "pipeline");
    let refused = scene.post(&format!("{path}/job_events")).await;
    let text = "Hook executed successfully but returned HTTP 418";
    assert_reply(&refused, 422, &json!({ "message": text }));
    let unknown = scene.post(&format!("{path}/push_events")).await;
    let text = "trigger does not have a valid value";
    assert_reply(&unknown, 400, &json!({ "error": text }));
}

#[tokio::test]
async fn secrets_are_never_shown_and_leave_with_the_address() {
    let receiver = Receiver::start(&[]).await;
    let scene = server(|_| {}).await;
    let hook = add(
        &scene,
        &json!({
            "url": "https://example.com/hook", "token": "s3cr3t", "name": "chat",
            "custom_headers": [{ "key": "X-Key", "value": "v4lue" }],
        }),
    )
    .await;
    assert!(!hook.text().contains("s3cr3t") && !hook.text().contains("v4lue"));
    let shown = hook.json();
    assert_eq!(shown["custom_headers"], json!([{ "key": "X-Key" }]));
    assert_eq!(shown["name"], "chat");
    assert_eq!(shown["enable_ssl_verification"], true);
    let moved = put(&scene, &shown["id"], &json!({ "url": receiver.url })).await;
    assert_eq!(moved.json()["custom_headers"], json!([]));
    scene.run().await;
    scene
        .post(&format!("/hooks/{}/test/job_events", shown["id"]))
        .await;
    let (headers, _) = receiver.got()[0].clone();
    assert_eq!(header(&headers, "x-gitlab-token"), "");
    assert_eq!(header(&headers, "x-key"), "");
}

#[rstest]
#[case(json!({}), 400, json!({ "error": "url is missing" }))]
#[case(json!({ "url": "gopher://example.com" }), 422, json!({ "error": "Invalid url given" }))]
#[case(json!({ "url": "https://a:b@example.com" }), 422, json!({ "error": "Invalid url given" }))]
#[case(json!({ "url": "http://127.0.0.1:1/" }), 422, json!({ "error": "Invalid url given" }))]
#[case(json!({ "url": "http://169.254.169.254/" }), 422, json!({ "error": "Invalid url given" }))]
#[case(
    json!({ "url": "https://example.com", "push_events": true }), 400,
    json!({ "message": "400 Bad request - push_events is not supported: Tappet tells of pipelines and jobs; leave it out" })
)]
#[case(
    json!({ "url": "https://example.com", "url_variables": [{ "key": "a", "value": "b" }] }), 400,
    json!({ "message": "400 Bad request - url_variables is not supported: Tappet tells of pipelines and jobs; leave it out" })
)]
#[case(json!({ "url": "https://example.com", "job_events": "x" }), 400, json!({ "error": "job_events is invalid" }))]
#[case(
    json!({ "url": "https://example.com", "custom_headers": [{ "key": "a" }] }), 400,
    json!({ "error": "custom_headers[0][value] is missing" })
)]
#[case(
    json!({ "url": "https://example.com", "custom_headers": [{ "key": "a b", "value": "" }] }), 422,
    json!({ "error": "Invalid custom header given: a b" })
)]
#[tokio::test]
async fn a_webhook_that_cannot_be_is_refused(
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = server(|config| config.allow_local_requests = false).await;
    assert_reply(&add(&scene, &body).await, status, &expected);
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let receiver = Receiver::start(&[]).await;
    let scene = server(|config| config.allow_local_requests = true).await;
    let hook = add(&scene, &json!({ "url": receiver.url })).await;
    let id = hook.json()["id"].clone();
    assert_eq!(hook.status, 201);
    scene.run().await;
    let mut scene = scene;
    scene
        .server
        .restart_with(|config| config.allow_local_requests = false)
        .await;
    let sent = scene
        .post(&format!("/hooks/{id}/test/pipeline_events"))
        .await;
    let text = "Hook execution failed: it leads to this machine or a private network";
    assert_reply(&sent, 422, &json!({ "message": text }));
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_project_has_only_so_many() {
    let scene = server(|config| config.limits.hooks_per_project = 1).await;
    let body = json!({ "url": "https://example.com" });
    assert_eq!(add(&scene, &body).await.status, 201);
    let text = "Maximum number of project hooks (1) exceeded";
    assert_reply(&add(&scene, &body).await, 422, &json!({ "error": text }));
}

#[tokio::test]
async fn a_webhook_can_be_listed_changed_and_removed() {
    let scene = server(|_| {}).await;
    let hook = add(&scene, &json!({ "url": "https://example.com/a" }))
        .await
        .json();
    let list = scene.get("/hooks").await;
    assert_eq!(list.json()[0]["id"], hook["id"]);
    assert_eq!(list.header("x-total"), "1");
    let nothing = put(&scene, &hook["id"], &json!({})).await;
    assert_reply(&nothing, 400, &json!({ "error": "No parameters provided" }));
    let changed = put(&scene, &hook["id"], &json!({ "job_events": true })).await;
    assert_eq!(changed.json()["job_events"], true);
    let path = scene.path(&format!("/hooks/{}", hook["id"]));
    let remove = async || scene.server.request("DELETE", &path).root().send().await;
    assert_eq!(remove().await.status, 204);
    let gone = json!({ "message": "404 Not found" });
    assert_reply(&remove().await, 404, &gone);
}
