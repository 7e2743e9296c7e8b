//! People: who sees whom, who is added, changed, blocked and removed.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::{Scene, assert_reply};

async fn create(server: &TestServer, body: Value) -> TestReply {
    server.post("/api/v4/users").root().json(&body).send().await
}

fn ada() -> Value {
    json!({
        "email": "ada@example.com",
        "username": "ada",
        "name": "Ada Lovelace",
        "password": "correct horse",
    })
}

#[tokio::test]
async fn a_person_is_added_and_shown_to_administrators_in_full() {
    let server = TestServer::start().await;
    let mut body = ada();
    body["skip_confirmation"] = json!(true);
    body["organization"] = json!("Acme");
    body["job_title"] = json!("Engineer");
    let reply = create(&server, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let user = reply.json();
    assert_eq!(user["username"], "ada");
    assert_eq!(user["state"], "active");
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(user["is_admin"], false);
    assert_eq!(user["external"], false);
    assert_eq!(user["work_information"], "Engineer at Acme");
    assert!(!reply.text().contains("correct horse") && !reply.text().contains("argon2"));
    let path = format!("/api/v4/users/{}", user["id"]);
    let got = server.get(&path).root().send().await;
    assert_reply(&got, 200, &user);
}

#[rstest]
#[case(json!({}), json!({ "error": "email is missing, password, reset_password, force_random_password are missing, at least one parameter must be provided, name is missing, username is missing" }))]
#[case(json!({ "username": "ada", "password": "correct horse" }), json!({ "error": "email is missing, name is missing" }))]
#[case(json!({ "admin": "maybe" }), json!({ "error": "admin is invalid" }))]
#[case(json!({ "password": "short" }), json!({ "message": { "password": ["is too short (minimum is 8 characters)"] } }))]
#[case(json!({ "email": "nonsense", "name": "" }), json!({ "message": { "email": ["is invalid"], "name": ["can't be blank"] } }))]
#[case(json!({ "username": "a b" }), json!({ "message": { "username": ["can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'."] } }))]
#[case(json!({ "projects_limit": 5 }), json!({ "message": "400 Bad request - projects_limit is not kept by this server; leave it out" }))]
#[tokio::test]
async fn a_person_who_cannot_be_is_refused(#[case] change: Value, #[case] expected: Value) {
    let server = TestServer::start().await;
    let mut body = ada();
    let is_whole = change.as_object().unwrap().is_empty() || change.get("password").is_some();
    match change.get("username") {
        _ if change.as_object().unwrap().is_empty() => body = json!({}),
        Some(_) if is_whole => body = change,
        _ => {
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
        }
    }
    assert_reply(&create(&server, body).await, 400, &expected);
}

#[rstest]
#[case(json!({ "username": "other" }), "Email has already been taken")]
#[case(json!({ "email": "other@example.com" }), "Username has already been taken")]
#[case(json!({ "email": "other@example.com", "username": "ADA" }), "Username has already been taken")]
#[case(json!({ "password": "short" }), "Email has already been taken")]
#[tokio::test]
async fn names_and_addresses_are_taken_once(#[case] change: Value, #[case] message: &str) {
    let server = TestServer::start().await;
    assert_eq!(create(&server, ada()).await.status, 201);
    let mut again = ada();
    for (name, value) in change.as_object().unwrap() {
        again[name] = value.clone();
    }
    let reply = create(&server, again).await;
    assert_reply(&reply, 409, &json!({ "message": message }));
}

#[rstest]
#[case("GET", "/users?username=ada", 200)]
#[case("GET", "/users", 403)]
#[case("GET", "/users?search=ada", 403)]
#[case("GET", "/users/1", 403)]
#[case("GET", "/users/x", 404)]
#[case("POST", "/users", 401)]
#[case("PUT", "/users/1", 401)]
#[case("DELETE", "/users/1", 401)]
#[case("POST", "/users/1/block", 401)]
#[tokio::test]
async fn strangers_see_people_by_name_only(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
) {
    let server = TestServer::start().await;
    create(&server, ada()).await;
    let reply = server
        .request(method, &format!("/api/v4{path}"))
        .send()
        .await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 200 {
        let list = reply.json();
        assert_eq!(list[0]["username"], "ada");
        assert_eq!(list[0]["email"], Value::Null);
    }
}

#[rstest]
#[case("GET", "/users/1", 200)]
#[case("GET", "/users/99", 404)]
#[case("POST", "/users", 400)]
#[case("PUT", "/users/1", 403)]
#[case("DELETE", "/users/1", 403)]
#[case("POST", "/users/1/block", 403)]
#[case("POST", "/users/1/unblock", 403)]
#[case("POST", "/users/1/personal_access_tokens", 403)]
#[tokio::test]
async fn people_look_at_each_other_and_change_nothing(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
) {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let call = server.request(method, &format!("/api/v4{path}"));
    let reply = call.user(&bob).send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
    match status {
        200 => assert_eq!(reply.json()["email"], Value::Null),
        403 => assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" })),
        404 => assert_reply(&reply, 404, &json!({ "message": "404 User Not Found" })),
        _ => {}
    }
}

#[tokio::test]
async fn the_caller_sees_their_own_account() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let reply = server.get("/api/v4/user").user(&bob).send().await;
    let own = reply.json();
    assert_eq!(own["email"], "bob@example.com");
    assert_eq!(own["two_factor_enabled"], false);
    assert_eq!(own["is_admin"], Value::Null);
}

#[tokio::test]
async fn a_change_names_what_it_changes() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let path = format!("/api/v4/users/{}", bob.id);
    let put = async |body: Value| server.request("PUT", &path).root().json(&body).send().await;
    let reply = put(json!({ "name": "Robert", "external": true, "note": "New" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let user = reply.json();
    assert_eq!(user["name"], "Robert");
    assert_eq!(user["username"], "bob");
    assert_eq!(
        (&user["external"], &user["note"]),
        (&json!(true), &json!("New"))
    );

    let taken = put(json!({ "username": "root" })).await;
    let message = json!({ "message": "Username has already been taken" });
    assert_reply(&taken, 409, &message);
    let short = put(json!({ "password": "short" })).await;
    assert_eq!(short.status, 400, "{}", short.text());
    let nobody = server
        .request("PUT", "/api/v4/users/99")
        .root()
        .json(&json!({ "name": "x" }))
        .send()
        .await;
    assert_reply(&nobody, 404, &json!({ "message": "404 User Not Found" }));
}

#[tokio::test]
async fn the_built_in_administrator_stays() {
    let server = TestServer::start().await;
    let root = server.get("/api/v4/user").root().send().await.json()["id"].clone();
    let path = format!("/api/v4/users/{root}");
    let rename = server.request("PUT", &path).root();
    let reply = rename.json(&json!({ "username": "boss" })).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let reply = server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    let reply = server.post(&format!("{path}/block")).root().send().await;
    let own = "403 Forbidden - The API initiating user cannot be blocked by the API";
    assert_reply(&reply, 403, &json!({ "message": own }));
}

#[tokio::test]
async fn a_blocked_person_runs_and_starts_nothing_any_more() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let bob = server.member(scene.project, "bob", 40).await;
    let body = json!({ "description": "his" });
    let reply = server
        .post(&scene.path("/triggers"))
        .user(&bob)
        .json(&body)
        .send()
        .await;
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let start = async || {
        let form = format!("token={token}&ref=main");
        let call = server.post(&scene.path("/trigger/pipeline"));
        call.form(&form).send().await
    };
    let run = start().await.json()["id"].as_i64().unwrap();

    let path = format!("/api/v4/users/{}", bob.id);
    let block = server.post(&format!("{path}/block")).root().send().await;
    assert_reply(&block, 201, &json!(true));
    let shown = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(shown["status"], "canceled");
    assert_eq!(shown["user"]["state"], "blocked");
    let base =
        json!({ "message": { "base": ["Insufficient permissions to create a new pipeline"] } });
    assert_reply(&start().await, 400, &base);
    let own = server.get("/api/v4/user").user(&bob).send().await;
    let blocked = "403 Forbidden - Your account has been blocked.";
    assert_reply(&own, 403, &json!({ "message": blocked }));

    let again = server.post(&format!("{path}/block")).root().send().await;
    assert_reply(&again, 201, &Value::Null);
    let unblock = || server.post(&format!("{path}/unblock")).root().send();
    assert_reply(&unblock().await, 201, &json!(true));
    assert_reply(&unblock().await, 201, &json!(false));
    assert_eq!(start().await.status, 201);
}

#[tokio::test]
async fn only_who_left_nothing_behind_is_removed() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let idle = server.member(scene.project, "idle", 30).await;
    let busy = server.member(scene.project, "busy", 30).await;
    let body = json!({ "ref": "main" });
    let call = server.post(&scene.path("/pipeline")).user(&busy);
    assert_eq!(call.json(&body).send().await.status, 201);

    let delete = async |id: i64| {
        let path = format!("/api/v4/users/{id}");
        server.request("DELETE", &path).root().send().await
    };
    assert_eq!(delete(idle.id).await.status, 204);
    assert_eq!(delete(idle.id).await.status, 404);
    let kept = delete(busy.id).await;
    assert_eq!(kept.status, 409);
    assert!(kept.text().contains("pipelines"), "{}", kept.text());
}

#[rstest]
#[case("?search=b_", &["bob_x"])]
#[case("?username=BOB_X", &["bob_x"])]
#[case("?admins=true", &["root"])]
#[case("?active=true&order_by=username&sort=asc", &["ann", "bob_x", "root"])]
#[case("?blocked=true", &[])]
#[case("?active=true&blocked=true", &[])]
#[case("?two_factor=enabled", &[])]
#[case("?exclude_humans=true", &[])]
#[case("?per_page=1&page=2", &["ann"])]
#[tokio::test]
async fn people_are_listed_by_what_they_are(#[case] query: &str, #[case] expected: &[&str]) {
    let server = TestServer::start().await;
    server.user("ann").await;
    server.user("bob_x").await;
    let reply = server
        .get(&format!("/api/v4/users{query}"))
        .root()
        .send()
        .await;
    let list = reply.json();
    let list = list.as_array().unwrap_or_else(|| panic!("{list}"));
    let names: Vec<_> = list
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect();
    assert_eq!(names, expected);
}

#[rstest]
#[case("?two_factor=maybe", 400)]
#[case("?order_by=shoe_size", 400)]
#[case("?order_by=updated_at", 400)]
#[case("?extern_uid=1&provider=x", 400)]
#[tokio::test]
async fn a_filter_of_people_that_is_unknown_is_refused(#[case] query: &str, #[case] status: u16) {
    let server = TestServer::start().await;
    let path = format!("/api/v4/users{query}");
    let reply = server.get(&path).root().send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
}
