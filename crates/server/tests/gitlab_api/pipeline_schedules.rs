//! Pipeline schedules: who may do what, what is refused, what is shown.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::Timestamp;
use tappet_server::clock::Clock;
use tappet_server::testing::{TestReply, TestServer, git};

use crate::{PIPELINE, Scene, assert_reply};

const NOON: &str = "2026-03-02T12:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A scene whose schedules go by a clock that stands at noon.
async fn scene() -> Scene {
    let server = TestServer::start_with(|config| config.clock = Clock::set_to(at(NOON))).await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    Scene { server, project }
}

/// A member with this access level, or a stranger; gives their access token.
async fn person(scene: &Scene, name: &str, level: u32) -> String {
    let user = match level {
        0 => scene.server.user(name).await,
        level => scene.server.member(scene.project, name, level).await,
    };
    user.token
}

async fn send(scene: &Scene, verb: &str, rest: &str, token: &str, body: &Value) -> TestReply {
    let path = scene.path(&format!("/pipeline_schedules{rest}"));
    let call = scene
        .server
        .request(verb, &path)
        .header("private-token", token);
    if verb == "GET" || verb == "DELETE" {
        call.send().await
    } else {
        call.json(body).send().await
    }
}

const ROOT: &str = tappet_server::testing::ROOT_TOKEN;

fn nightly() -> Value {
    json!({ "description": "nightly", "ref": "main", "cron": "0 1 * * *" })
}

/// A new schedule of whoever has this token; gives its id.
async fn schedule_of(scene: &Scene, token: &str) -> i64 {
    let reply = send(scene, "POST", "", token, &nightly()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_new_schedule_is_shown_whole() {
    let scene = scene().await;
    let reply = send(&scene, "POST", "", ROOT, &nightly()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = reply.json();
    let expected = json!({
        "id": 1,
        "description": "nightly",
        "ref": "refs/heads/main",
        "cron": "0 1 * * *",
        "cron_timezone": "UTC",
        "next_run_at": "2026-03-03T01:00:00.000Z",
        "active": true,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
        "owner": shown["owner"],
        "last_pipeline": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(shown["owner"]["username"], "root");
    let one = send(&scene, "GET", "/1", ROOT, &Value::Null).await.json();
    assert_eq!(one["variables"], json!([]));
    let list = send(&scene, "GET", "", ROOT, &Value::Null).await;
    assert_eq!(list.header("x-total"), "1");
    assert_eq!(list.json()[0].get("last_pipeline"), None);
}

#[rstest]
#[case("refs/heads/main", "refs/heads/main")]
#[case("v1", "refs/tags/v1")]
#[case("refs/tags/v1", "refs/tags/v1")]
// GitLab does not look whether a full name exists.
#[case("refs/heads/later", "refs/heads/later")]
#[tokio::test]
async fn refs_are_kept_in_full(#[case] given: &str, #[case] kept: &str) {
    let scene = scene().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["tag", "v1"]);
    let mut body = nightly();
    body["ref"] = json!(given);
    let reply = send(&scene, "POST", "", ROOT, &body).await;
    assert_eq!(reply.json()["ref"], kept, "{}", reply.text());
}

const AMBIGUOUS: &str = r#"{"message":{"ref":["is ambiguous"]}}"#;
const BAD_CRON: &str = r#"{"message":{"cron":["syntax is invalid"]}}"#;

#[rstest]
#[case(json!({}), r#"{"error":"description is missing, ref is missing, ref is empty, cron is missing"}"#)]
#[case(json!({"ref": ""}), r#"{"error":"ref is empty"}"#)]
#[case(json!({"active": "maybe"}), r#"{"error":"active is invalid"}"#)]
#[case(json!({"ref": "nowhere"}), AMBIGUOUS)]
#[case(json!({"ref": "both"}), AMBIGUOUS)]
#[case(json!({"ref": "a b"}), AMBIGUOUS)]
#[case(json!({"cron": "invalid-cron"}), BAD_CRON)]
#[case(json!({"cron": "0 0 31 2 *"}), BAD_CRON)]
#[case(json!({"cron": "0 0 1 * * *"}), BAD_CRON)]
#[case(json!({"cron": ""}), r#"{"message":{"cron":["syntax is invalid","can't be blank"]}}"#)]
#[case(json!({"cron_timezone": "Mars/Olympus"}), r#"{"message":{"cron_timezone":["syntax is invalid"]}}"#)]
#[case(
    json!({"cron": "x", "cron_timezone": "y", "description": ""}),
    r#"{"message":{"cron":["syntax is invalid"],"cron_timezone":["syntax is invalid"],"description":["can't be blank"]}}"#
)]
#[case(
    json!({"inputs": [{"name": "env", "value": "x"}]}),
    r#"{"message":{"base":["inputs are not supported yet (got env); pass them as variables instead"]}}"#
)]
#[case(json!({"inputs": [{"value": "x"}]}), r#"{"error":"inputs[0][name] is missing"}"#)]
#[tokio::test]
async fn what_is_wrong_is_refused(#[case] change: Value, #[case] expected: &str) {
    let scene = scene().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["branch", "both"]);
    git(&repository, &["tag", "both"]);
    let mut body = nightly();
    match change.as_object().unwrap() {
        none if none.is_empty() => body = json!({}),
        some => body.as_object_mut().unwrap().extend(some.clone()),
    }
    let reply = send(&scene, "POST", "", ROOT, &body).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, expected));
    let list = send(&scene, "GET", "", ROOT, &Value::Null).await;
    assert_eq!(list.json(), json!([]));

    // The same on a change, except that nothing is required.
    if body != json!({}) {
        schedule_of(&scene, ROOT).await;
        let expected = expected.replace("ref is empty", "");
        let reply = send(&scene, "PUT", "/1", ROOT, &change).await;
        assert_eq!(reply.status, 400);
        if !expected.contains(r#""error":"""#) {
            assert_eq!(reply.text(), expected);
        }
    }
}

#[tokio::test]
async fn a_wrong_cron_text_is_explained_in_a_header() {
    let scene = scene().await;
    let mut body = nightly();
    body["cron"] = json!("0 25 * * *");
    let reply = send(&scene, "POST", "", ROOT, &body).await;
    assert_eq!(
        reply.header("x-tappet-detail"),
        "`25` is no hour: 0 to 24 (column 3)"
    );
}

#[rstest]
#[case("0 4 * * *", "Europe/Berlin", "2026-03-03T03:00:00.000Z")]
#[case("0 4 * * *", "Eastern Time (US & Canada)", "2026-03-03T09:00:00.000Z")]
#[case("@daily", "UTC", "2026-03-03T00:00:00.000Z")]
#[case(" 0 22-2 * * fri#last ", "UTC", "2026-03-27T00:00:00.000Z")]
#[case("0 4 * * * Asia/Tokyo", "UTC", "2026-03-02T19:00:00.000Z")]
#[tokio::test]
async fn the_next_run_is_shown(#[case] cron: &str, #[case] zone: &str, #[case] next: &str) {
    let scene = scene().await;
    let mut body = nightly();
    body["cron"] = json!(cron);
    body["cron_timezone"] = json!(zone);
    let shown = send(&scene, "POST", "", ROOT, &body).await.json();
    assert_eq!(shown["next_run_at"], next, "{shown}");
    assert_eq!(shown["cron"], cron.trim());
    assert_eq!(shown["cron_timezone"], zone);
}

#[tokio::test]
async fn a_project_has_at_most_ten_schedules() {
    let scene = scene().await;
    for _ in 0..10 {
        schedule_of(&scene, ROOT).await;
    }
    let reply = send(&scene, "POST", "", ROOT, &nightly()).await;
    let text = "Maximum number of ci pipeline schedules (10) exceeded";
    assert_reply(&reply, 400, &json!({ "message": { "base": [text] } }));
}

#[tokio::test]
async fn lists_can_be_halved_by_scope() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let id = schedule_of(&scene, ROOT).await;
    let off = json!({ "active": false });
    send(&scene, "PUT", &format!("/{id}"), ROOT, &off).await;
    for (scope, expected) in [("active", vec![1]), ("inactive", vec![2])] {
        let list = send(&scene, "GET", &format!("?scope={scope}"), ROOT, &off).await;
        let list = list.json();
        let ids: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["id"])
            .collect();
        assert_eq!(json!(ids), json!(expected));
    }
    let reply = send(&scene, "GET", "?scope=all", ROOT, &off).await;
    let text = "scope does not have a valid value";
    assert_reply(&reply, 400, &json!({ "error": text }));
}

const FORBIDDEN: &str = r#"{"message":"403 Forbidden"}"#;
const NO_SCHEDULE: &str = r#"{"message":"404 Pipeline Schedule Not Found"}"#;
const NO_PROJECT: &str = r#"{"message":"404 Project Not Found"}"#;

/// Schedule 1 is a developer's; the project is private. Columns: owner, another
/// developer, maintainer, reporter, stranger; an empty body is not looked at.
#[rstest]
#[case("GET", "", [200, 200, 200, 200, 404])]
#[case("GET", "/1", [200, 200, 200, 200, 404])]
#[case("GET", "/1/pipelines", [200, 200, 200, 200, 404])]
#[case("POST", "", [201, 201, 201, 403, 404])]
#[case("PUT", "/1", [200, 403, 403, 403, 404])]
#[case("POST", "/1/take_ownership", [200, 403, 201, 403, 404])]
#[case("DELETE", "/1", [204, 403, 204, 403, 404])]
#[case("POST", "/1/play", [201, 201, 201, 403, 404])]
#[case("POST", "/1/variables", [403, 403, 403, 403, 404])]
#[case("GET", "/1/variables/X", [200, 403, 200, 403, 404])]
#[tokio::test]
async fn rights(#[case] verb: &str, #[case] rest: &str, #[case] expected: [u16; 5]) {
    let people = [
        ("owner", 30),
        ("developer", 30),
        ("maintainer", 40),
        ("reporter", 20),
        ("stranger", 0),
    ];
    for ((name, level), expected) in people.into_iter().zip(expected) {
        let scene = scene().await;
        let owner = match name {
            "owner" => person(&scene, "owner", 30).await,
            _ => person(&scene, "another", 30).await,
        };
        schedule_of(&scene, &owner).await;
        let variable = json!({ "key": "X", "value": "1" });
        send(&scene, "POST", "/1/variables", ROOT, &variable).await;
        let token = match name {
            "owner" => owner,
            _ => person(&scene, name, level).await,
        };
        let body = match (verb, rest) {
            (_, "/1/variables") => variable,
            ("PUT", _) => json!({ "description": "new" }),
            _ => nightly(),
        };
        let reply = send(&scene, verb, rest, &token, &body).await;
        assert_eq!(reply.status, expected, "{name}: {}", reply.text());
        match expected {
            403 => assert_eq!(reply.text(), FORBIDDEN),
            404 => assert_eq!(reply.text(), NO_PROJECT),
            _ => {}
        }
    }
}

#[rstest]
#[case("GET", "/9")]
#[case("GET", "/-5")]
#[case("GET", "/9/pipelines")]
#[case("PUT", "/9")]
#[case("DELETE", "/9")]
#[case("POST", "/9/play")]
#[case("POST", "/9/take_ownership")]
#[case("GET", "/9/variables/X")]
#[case("DELETE", "/9/variables/X")]
#[tokio::test]
async fn an_unknown_schedule_is_named_so(#[case] verb: &str, #[case] rest: &str) {
    let scene = scene().await;
    let reply = send(&scene, verb, rest, ROOT, &json!({})).await;
    assert_eq!((reply.status, reply.text().as_str()), (404, NO_SCHEDULE));
}

#[tokio::test]
async fn values_show_to_the_owner_and_maintainers_only() {
    let scene = scene().await;
    let owner = person(&scene, "owner", 30).await;
    schedule_of(&scene, &owner).await;
    let variable = json!({ "key": "TOKEN", "value": "secret", "variable_type": "file" });
    let reply = send(&scene, "POST", "/1/variables", ROOT, &variable).await;
    let shown = json!({
        "variable_type": "file", "key": "TOKEN", "value": "secret", "raw": false
    });
    assert_reply(&reply, 201, &shown);
    for (token, sees) in [
        (owner, true),
        (person(&scene, "maintainer", 40).await, true),
        (person(&scene, "developer", 30).await, false),
    ] {
        let one = send(&scene, "GET", "/1", &token, &Value::Null).await.json();
        let expected = sees.then(|| json!([shown]));
        assert_eq!(one.get("variables"), expected.as_ref());
        assert_eq!(one.get("inputs"), sees.then(|| json!([])).as_ref());
        let list = send(&scene, "GET", "", &token, &Value::Null).await;
        assert!(!list.text().contains("secret"));
    }
}

#[tokio::test]
async fn variables_are_made_changed_and_removed() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let new = json!({ "key": "A", "value": "1" });
    send(&scene, "POST", "/1/variables", ROOT, &new).await;
    let shown = |value: &str, kind: &str| json!({ "variable_type": kind, "key": "A", "value": value, "raw": false });

    let again = send(&scene, "POST", "/1/variables", ROOT, &new).await;
    let taken = json!({ "message": { "key": ["has already been taken"] } });
    assert_reply(&again, 400, &taken);
    let change = json!({ "variable_type": "file" });
    let reply = send(&scene, "PUT", "/1/variables/A", ROOT, &change).await;
    assert_reply(&reply, 200, &shown("1", "file"));
    let change = json!({ "value": "" });
    let reply = send(&scene, "PUT", "/1/variables/A", ROOT, &change).await;
    assert_reply(&reply, 200, &shown("", "file"));
    let reply = send(&scene, "DELETE", "/1/variables/A", ROOT, &Value::Null).await;
    assert_reply(&reply, 202, &shown("", "file"));
    let missing = json!({ "message": "404 Pipeline Schedule Variable Not Found" });
    for verb in ["GET", "PUT", "DELETE"] {
        let reply = send(&scene, verb, "/1/variables/A", ROOT, &json!({})).await;
        assert_reply(&reply, 404, &missing);
    }
}

#[rstest]
#[case(json!({}), json!({"error": "key is missing, value is missing"}))]
#[case(
    json!({"key": "!?", "value": "1"}),
    json!({"message": {"key": ["can contain only letters, digits and '_'."]}})
)]
#[case(
    json!({"key": "A", "value": "1", "variable_type": "secret"}),
    json!({"error": "variable_type does not have a valid value"})
)]
#[tokio::test]
async fn wrong_variables_are_refused(#[case] body: Value, #[case] expected: Value) {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let reply = send(&scene, "POST", "/1/variables", ROOT, &body).await;
    assert_reply(&reply, 400, &expected);
}

#[tokio::test]
async fn a_change_moves_the_next_run() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let change = json!({ "cron": "30 12 * * *", "description": "noonish" });
    let shown = send(&scene, "PUT", "/1", ROOT, &change).await;
    assert_eq!(shown.status, 200);
    let shown = shown.json();
    assert_eq!(shown["next_run_at"], "2026-03-02T12:30:00.000Z");
    assert_eq!(shown["description"], "noonish");
    assert_eq!(shown["ref"], "refs/heads/main");
    assert_eq!(shown.get("variables"), None);
}

#[tokio::test]
async fn taking_ownership_changes_the_owner_and_the_rights() {
    let scene = scene().await;
    let owner = person(&scene, "owner", 30).await;
    schedule_of(&scene, &owner).await;
    let maintainer = person(&scene, "maintainer", 40).await;
    let taken = send(&scene, "POST", "/1/take_ownership", &maintainer, &json!({})).await;
    assert_eq!(taken.status, 201);
    assert_eq!(taken.json()["owner"]["username"], "maintainer");
    let again = send(&scene, "POST", "/1/take_ownership", &maintainer, &json!({})).await;
    assert_eq!(again.status, 200);
    let change = json!({ "description": "mine" });
    assert_eq!(
        send(&scene, "PUT", "/1", &maintainer, &change).await.status,
        200
    );
    assert_eq!(send(&scene, "PUT", "/1", &owner, &change).await.status, 403);
}

#[tokio::test]
async fn a_stale_delete_is_refused() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let path = scene.path("/pipeline_schedules/1");
    let call = scene.server.request("DELETE", &path).root();
    let stale = call.header("if-unmodified-since", "Fri, 01 Jan 2021 00:00:00 GMT");
    let reply = stale.send().await;
    assert_reply(
        &reply,
        412,
        &json!({ "message": "412 Precondition Failed" }),
    );
    let reply = send(&scene, "DELETE", "/1", ROOT, &Value::Null).await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    let reply = send(&scene, "GET", "/1", ROOT, &Value::Null).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn playing_starts_a_run_as_the_caller_and_moves_nothing() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let variable = json!({ "key": "A", "value": "1" });
    send(&scene, "POST", "/1/variables", ROOT, &variable).await;
    let developer = person(&scene, "developer", 30).await;
    let reply = send(&scene, "POST", "/1/play", &developer, &json!({})).await;
    assert_reply(&reply, 201, &json!({ "message": "201 Created" }));
    let one = send(&scene, "GET", "/1", ROOT, &Value::Null).await.json();
    assert_eq!(one["last_pipeline"]["source"], "schedule");
    assert_eq!(one["next_run_at"], "2026-03-03T01:00:00.000Z");
    let run = one["last_pipeline"]["id"].as_i64().unwrap();
    let run = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(run["user"]["username"], "developer");
    assert_eq!(run["ref"], "main");
    let variables = scene
        .get(&format!("/pipelines/{}/variables", run["id"]))
        .await;
    assert_eq!(variables.json()[0]["key"], "A");
}

#[tokio::test]
async fn a_run_that_could_not_start_is_noted() {
    let scene = scene().await;
    let mut body = nightly();
    body["ref"] = json!("refs/heads/gone");
    send(&scene, "POST", "", ROOT, &body).await;
    let reply = send(&scene, "POST", "/1/play", ROOT, &json!({})).await;
    assert_reply(&reply, 201, &json!({ "message": "201 Created" }));
    let one = send(&scene, "GET", "/1", ROOT, &Value::Null).await.json();
    assert_eq!(one["failure"], "Reference not found");
    assert_eq!(one["last_pipeline"], Value::Null);
    // A change is a new chance.
    let main = json!({ "ref": "main" });
    let one = send(&scene, "PUT", "/1", ROOT, &main).await.json();
    assert_eq!(one.get("failure"), None);
}

#[tokio::test]
async fn runs_of_a_schedule_are_listed_oldest_first() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    for _ in 0..2 {
        send(&scene, "POST", "/1/play", ROOT, &json!({})).await;
    }
    scene.run().await;
    let ids = async |query: &str| {
        let rest = format!("/1/pipelines{query}");
        let list = send(&scene, "GET", &rest, ROOT, &Value::Null).await.json();
        let list = list.as_array().unwrap().clone();
        list.iter()
            .map(|run| run["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let oldest_first = ids("").await;
    assert_eq!(oldest_first.len(), 2);
    assert!(oldest_first.is_sorted());
    let newest_first: Vec<_> = oldest_first.iter().rev().copied().collect();
    assert_eq!(ids("?sort=desc").await, newest_first);
    assert_eq!(ids("?status=canceled").await, Vec::<i64>::new());
    assert_eq!(
        ids("?ref=elsewhere").await,
        oldest_first,
        "no parameter of this list"
    );
    assert_eq!(scene.runs().await, 3);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let scene = scene().await;
    schedule_of(&scene, ROOT).await;
    let variable = json!({ "key": "A", "value": "hidden-value" });
    send(&scene, "POST", "/1/variables", ROOT, &variable).await;
    send(&scene, "PUT", "/1", ROOT, &json!({ "active": false })).await;
    send(&scene, "DELETE", "/1", ROOT, &Value::Null).await;
    let events = scene.get("/audit_events").await.json();
    for action in [
        "schedule_created",
        "schedule_variable_created",
        "schedule_updated",
        "schedule_removed",
    ] {
        assert!(events.to_string().contains(action), "{action}: {events}");
    }
    assert!(!events.to_string().contains("hidden-value"));
}
