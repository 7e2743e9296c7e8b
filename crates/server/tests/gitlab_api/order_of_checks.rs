//! What is told first when several things are wrong with a call: a missing login,
//! then a bad parameter, then an unknown project. Of a few calls GitLab opens the
//! project before it looks at the parameters.

use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::Scene;

/// A project that does not exist.
const NOWHERE: i64 = 999;

/// A call that is wrong, what is wrong with it, and the same call made right.
type Case = (&'static str, Value, &'static str, &'static str, Value);

/// Sends a call like `GET /triggers` about a project; `v3` before the path says
/// which version of the API.
async fn ask(
    server: &TestServer,
    project: i64,
    call: &str,
    body: &Value,
    is_signed_in: bool,
) -> TestReply {
    let (method, path) = call.split_once(' ').unwrap();
    let (version, rest) = match path.strip_prefix("v3") {
        Some(rest) => ("v3", rest),
        None => ("v4", path),
    };
    let path = format!("/api/{version}/projects/{project}{rest}");
    let mut request = server.request(method, &path);
    if is_signed_in {
        request = request.root();
    }
    if *body != Value::Null {
        request = request.json(body);
    }
    request.send().await
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn parameters_first() -> Vec<Case> {
    vec![
        (
            "GET /triggers?per_page=0",
            Value::Null,
            "per_page has a value not allowed",
            "GET /triggers",
            Value::Null,
        ),
        (
            "POST /triggers",
            Value::Null,
            "description is missing",
            "POST /triggers",
            json!({"description":"d"}),
        ),
        (
            "POST /triggers",
            json!({"description":"d","expires_at":"abc"}),
            "expires_at is invalid",
            "POST /triggers",
            json!({"description":"d","expires_at":"2030-01-01"}),
        ),
        (
            "PUT /triggers/1",
            json!({"description":["d"]}),
            "description is invalid",
            "PUT /triggers/1",
            json!({"description":"d"}),
        ),
        (
            "GET /triggers/x",
            Value::Null,
            "trigger_id is invalid",
            "GET /triggers/1",
            Value::Null,
        ),
        (
            "DELETE /triggers/x",
            Value::Null,
            "trigger_id is invalid",
            "DELETE /triggers/1",
            Value::Null,
        ),
        (
            "GET /pipeline_schedules?scope=old",
            Value::Null,
            "scope does not have a valid value",
            "GET /pipeline_schedules?scope=active",
            Value::Null,
        ),
        (
            "GET /pipeline_schedules/x",
            Value::Null,
            "pipeline_schedule_id is invalid",
            "GET /pipeline_schedules/1",
            Value::Null,
        ),
        (
            "GET /pipeline_schedules/1/pipelines?page=-1",
            Value::Null,
            "page does not have a valid value",
            "GET /pipeline_schedules/1/pipelines?page=1",
            Value::Null,
        ),
        (
            "POST /pipeline_schedules",
            Value::Null,
            "description is missing, ref is missing, ref is empty, cron is missing",
            "POST /pipeline_schedules",
            json!({"description":"d","ref":"main","cron":"0 1 * * *"}),
        ),
        (
            "PUT /pipeline_schedules/1",
            json!({"active":"maybe"}),
            "active is invalid",
            "PUT /pipeline_schedules/1",
            json!({"active":false}),
        ),
        (
            "POST /pipeline_schedules/x/play",
            Value::Null,
            "pipeline_schedule_id is invalid",
            "POST /pipeline_schedules/1/play",
            Value::Null,
        ),
        (
            "POST /pipeline_schedules/1/variables",
            json!({"key":"K"}),
            "value is missing",
            "POST /pipeline_schedules/1/variables",
            json!({"key":"K","value":"v"}),
        ),
        (
            "PUT /pipeline_schedules/1/variables/K",
            json!({"variable_type":"x"}),
            "variable_type does not have a valid value",
            "PUT /pipeline_schedules/1/variables/K",
            json!({"value":"v"}),
        ),
        (
            "DELETE /pipeline_schedules/x/variables/K",
            Value::Null,
            "pipeline_schedule_id is invalid",
            "DELETE /pipeline_schedules/1/variables/K",
            Value::Null,
        ),
        (
            "GET /repository/commits/main/statuses?sort=up",
            Value::Null,
            "sort does not have a valid value",
            "GET /repository/commits/main/statuses?sort=asc",
            Value::Null,
        ),
        (
            "POST /statuses/main",
            Value::Null,
            "state is missing",
            "POST /statuses/main",
            json!({"state":"success"}),
        ),
        (
            "POST /statuses/main",
            json!({"state":"done"}),
            "state does not have a valid value",
            "POST /statuses/main",
            json!({"state":"pending"}),
        ),
        (
            "GET /members?page=x",
            Value::Null,
            "page is invalid",
            "GET /members",
            Value::Null,
        ),
        (
            "GET /members/x",
            Value::Null,
            "user_id is invalid",
            "GET /members/1",
            Value::Null,
        ),
        (
            "POST /members",
            json!({"user_id":1}),
            "access_level is missing",
            "POST /members",
            json!({"user_id":1,"access_level":30}),
        ),
        (
            "PUT /members/1",
            json!({"access_level":"high"}),
            "access_level is invalid",
            "PUT /members/1",
            json!({"access_level":30}),
        ),
        (
            "DELETE /members/x",
            Value::Null,
            "user_id is invalid",
            "DELETE /members/1",
            Value::Null,
        ),
        (
            "GET /protected_branches?per_page=x",
            Value::Null,
            "per_page is invalid",
            "GET /protected_branches",
            Value::Null,
        ),
        (
            "POST /protected_branches",
            Value::Null,
            "name is missing",
            "POST /protected_branches",
            json!({"name":"main"}),
        ),
        (
            "POST /protected_branches",
            json!({"name":"main","push_access_level":7}),
            "push_access_level does not have a valid value",
            "POST /protected_branches",
            json!({"name":"main","push_access_level":30}),
        ),
        (
            "PATCH /protected_branches/main",
            json!({"allow_force_push":"x"}),
            "allow_force_push is invalid",
            "PATCH /protected_branches/main",
            json!({"allow_force_push":true}),
        ),
        (
            "POST /protected_tags",
            Value::Null,
            "name is missing",
            "POST /protected_tags",
            json!({"name":"v*"}),
        ),
        (
            "PATCH /job_token_scope",
            Value::Null,
            "enabled is missing",
            "PATCH /job_token_scope",
            json!({"enabled":true}),
        ),
        (
            "POST /job_token_scope/allowlist",
            Value::Null,
            "target_project_id is missing",
            "POST /job_token_scope/allowlist",
            json!({"target_project_id":1}),
        ),
        (
            "DELETE /job_token_scope/allowlist/x",
            Value::Null,
            "target_project_id is invalid",
            "DELETE /job_token_scope/allowlist/1",
            Value::Null,
        ),
        (
            "POST /ci/lint",
            Value::Null,
            "content is missing",
            "POST /ci/lint",
            json!({"content":"a: 1"}),
        ),
        (
            "GET /ci/lint?sha=a&content_ref=b",
            Value::Null,
            "sha, content_ref are mutually exclusive",
            "GET /ci/lint?sha=a",
            Value::Null,
        ),
        (
            "PUT ",
            json!({"visibility":"secret"}),
            "visibility does not have a valid value",
            "PUT ",
            json!({"visibility":"private"}),
        ),
        (
            "GET /pipelines?order_by=x",
            Value::Null,
            "order_by does not have a valid value",
            "GET /pipelines?order_by=id",
            Value::Null,
        ),
        (
            "GET /pipelines/x",
            Value::Null,
            "pipeline_id is invalid",
            "GET /pipelines/1",
            Value::Null,
        ),
        (
            "POST /pipelines/x/cancel",
            Value::Null,
            "pipeline_id is invalid",
            "POST /pipelines/1/cancel",
            Value::Null,
        ),
        (
            "POST /pipeline",
            Value::Null,
            "ref is missing, ref is empty",
            "POST /pipeline",
            json!({"ref":"main"}),
        ),
        (
            "GET /jobs?scope=x",
            Value::Null,
            "scope does not have a valid value",
            "GET /jobs?scope=failed",
            Value::Null,
        ),
        (
            "GET /jobs/x",
            Value::Null,
            "job_id is invalid",
            "GET /jobs/1",
            Value::Null,
        ),
        (
            "GET /jobs/x/trace",
            Value::Null,
            "job_id is invalid",
            "GET /jobs/1/trace",
            Value::Null,
        ),
        (
            "GET /jobs/1/artifacts/tree?recursive=x",
            Value::Null,
            "recursive is invalid",
            "GET /jobs/1/artifacts/tree",
            Value::Null,
        ),
        (
            "POST /jobs/x/retry",
            Value::Null,
            "job_id is invalid",
            "POST /jobs/1/retry",
            Value::Null,
        ),
        (
            "GET v3/triggers?per_page=0",
            Value::Null,
            "per_page has a value not allowed",
            "GET v3/triggers",
            Value::Null,
        ),
        (
            "GET v3/builds?scope=x",
            Value::Null,
            "scope does not have a valid value",
            "GET v3/builds",
            Value::Null,
        ),
        (
            "GET v3/pipelines?scope=x",
            Value::Null,
            "scope does not have a valid value",
            "GET v3/pipelines",
            Value::Null,
        ),
        (
            "GET v3/builds/x",
            Value::Null,
            "job_id is invalid",
            "GET v3/builds/1",
            Value::Null,
        ),
    ]
}

#[tokio::test]
async fn a_bad_parameter_is_told_before_an_unknown_project() {
    let server = TestServer::start().await;
    let mut wrong = Vec::new();
    for (bad, body, error, good, good_body) in parameters_first() {
        let refused = ask(&server, NOWHERE, bad, &body, true).await;
        if (refused.status, refused.json()) != (400, json!({ "error": error })) {
            wrong.push(format!("{bad}: {} {}", refused.status, refused.text()));
        }
        let missing = ask(&server, NOWHERE, good, &good_body, true).await;
        if (missing.status, missing.json()) != (404, json!({ "message": "404 Project Not Found" }))
        {
            wrong.push(format!("{good}: {} {}", missing.status, missing.text()));
        }
    }
    assert_none(&wrong);
}

/// Reading these needs no login where the project is open.
const OPEN_TO_VISITORS: [&str; 5] = [
    "GET /pipelines?order_by=x",
    "GET /pipelines/x",
    "GET /jobs/1/artifacts/tree?recursive=x",
    "POST /ci/lint",
    "GET /ci/lint?sha=a&content_ref=b",
];

#[tokio::test]
async fn a_missing_login_is_told_before_a_bad_parameter() {
    let server = TestServer::start().await;
    let mut wrong = Vec::new();
    for (bad, body, ..) in parameters_first() {
        if OPEN_TO_VISITORS.contains(&bad) {
            continue;
        }
        let reply = ask(&server, NOWHERE, bad, &body, false).await;
        if (reply.status, reply.json()) != (401, json!({ "message": "401 Unauthorized" })) {
            wrong.push(format!("{bad}: {} {}", reply.status, reply.text()));
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn webhooks_variables_and_the_repository_ask_for_the_project_first() {
    let scene = Scene::new().await;
    let cases = [
        (
            "GET /hooks?per_page=0",
            Value::Null,
            "per_page has a value not allowed",
        ),
        ("POST /hooks", Value::Null, "url is missing"),
        ("GET /hooks/x", Value::Null, "hook_id is invalid"),
        (
            "GET /variables?page=-1",
            Value::Null,
            "page does not have a valid value",
        ),
        ("POST /variables", json!({ "key": "K" }), "value is missing"),
        (
            "POST /variables",
            json!({ "key": "K", "value": "v", "variable_type": "x" }),
            "variable_type does not have a valid value",
        ),
        (
            "GET /repository/branches?sort=x",
            Value::Null,
            "sort does not have a valid value",
        ),
        (
            "GET /repository/tags?order_by=x",
            Value::Null,
            "order_by does not have a valid value",
        ),
        (
            "GET /repository/commits?since=x",
            Value::Null,
            "since is invalid",
        ),
    ];
    let mut wrong = Vec::new();
    for (call, body, error) in cases {
        let missing = ask(&scene.server, NOWHERE, call, &body, true).await;
        if missing.status != 404 {
            wrong.push(format!("{call}: {} {}", missing.status, missing.text()));
        }
        let refused = ask(&scene.server, scene.project, call, &body, true).await;
        if (refused.status, refused.json()) != (400, json!({ "error": error })) {
            wrong.push(format!("{call}: {} {}", refused.status, refused.text()));
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn a_bad_parameter_is_told_before_a_missing_right() {
    let scene = Scene::new().await;
    let developer = scene.server.member(scene.project, "dan", 30).await;
    let ask = async |body: Value| {
        let request = scene.server.post(&scene.path("/triggers")).user(&developer);
        let reply = request.json(&body).send().await;
        (reply.status, reply.json())
    };
    let refused = ask(json!({})).await;
    assert_eq!(refused, (400, json!({ "error": "description is missing" })));
    let forbidden = ask(json!({ "description": "d" })).await;
    assert_eq!(forbidden, (403, json!({ "message": "403 Forbidden" })));
}
